"""Checking of proofs that certificates were not revoked: OCSP answers (RFC 6960) and revocation lists (RFC 5280).

This module connects to no other machine: `long_term_validation` requests proofs, and verifiers check those in a document.

A proof has one canonical form in a document.  The authority signed only its statement, so anybody could change the certificates
or the encoding around the statement.  Therefore a proof is converted to its canonical form when it is stored, and compared with
that form when it is read (RFC 6960, section 4.2.1; RFC 5280, section 5.1).
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from meterai.sealing.model import IssuerUnusable, RevocationEvidence
from meterai.sealing.signing import der
from meterai.sealing.signing.chains import is_issued_by
from meterai.sealing.signing.der import CONTEXT_0, OCTETS, SEQUENCE, NotDer, tlv
from meterai.sealing.signing.issuer import signs_list
from meterai.sealing.signing.token_layout import ECDSA_NAMES, NULL, RSA_NAMES

CLOCK_SKEW = timedelta(minutes=5)  # an authority's clock may be ahead of ours
KEPT = timedelta(hours=1)  # longest time for which a cached answer is used

_BIT_STRING = 0x03
_BASIC = bytes.fromhex("06092b0601050507300101")  # id-pkix-ocsp-basic
_SUCCESSFUL = bytes.fromhex("0a0100")
_ALGORITHMS = {tlv(SEQUENCE, one, NULL) for one in RSA_NAMES.values()} | {
    tlv(SEQUENCE, one) for one in ECDSA_NAMES.values()
}


class NoEvidence(Exception):
    """The answer proves nothing: it is about another certificate, not signed by the authority, or out of date."""


class Proof(NamedTuple):
    kind: Literal["ocsp", "crl"]
    encoded: bytes
    until: datetime  # when the authority is asked again


def request_for(certificate: x509.Certificate, authority: x509.Certificate) -> ocsp.OCSPRequest:
    """Return the OCSP request for a certificate that the authority issued."""
    # SHA-1 only identifies the authority here, and every responder supports it (RFC 5019, 2.1.1).
    # No nonce: large responders return answers signed in advance (RFC 5019, section 4).
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, authority, hashes.SHA1())  # noqa: S303
    return request.build()


def is_proven(
    evidence: RevocationEvidence, chains: Sequence[Sequence[x509.Certificate]], at: datetime
) -> bool:
    """True if the evidence proves that no certificate of the chains was revoked, and contains nothing else.

    The evidence must have the form and order that `RevocationAuthorities.evidence` gives it; roots need no proof.  Refuses with
    `IssuerUnusable` if a certificate was revoked.
    """
    certificates = dict.fromkeys(
        one.public_bytes(Encoding.DER) for chain in chains for one in chain
    )
    ocsps: dict[bytes, None] = {}
    crls: dict[bytes, None] = {}
    for certificate, authority in (pair for chain in chains for pair in pairwise(chain)):
        proof = _proof_among(evidence, certificate, authority, at)
        if proof is None:
            return False
        (ocsps if proof.kind == "ocsp" else crls)[proof.encoded] = None
    return evidence == RevocationEvidence(tuple(certificates), tuple(ocsps), tuple(crls))


def _proof_among(
    evidence: RevocationEvidence,
    certificate: x509.Certificate,
    authority: x509.Certificate,
    at: datetime,
) -> Proof | None:
    asked = request_for(certificate, authority)
    for answer in evidence.ocsps:
        with suppress(NoEvidence):
            until = check_ocsp(answer, asked, authority, at)
            if answer == canonical_ocsp(answer, authority, at):
                return Proof("ocsp", answer, until)
    for answer in evidence.crls:
        with suppress(NoEvidence):
            until = check_crl(answer, certificate, authority, at)
            if answer == canonical_crl(answer):
                return Proof("crl", answer, until)
    return None


def canonical_ocsp(answer: bytes, authority: x509.Certificate, at: datetime) -> bytes:
    """Convert a checked OCSP answer to its canonical form in a document.  Raises `NoEvidence`."""
    response = ocsp.load_der_ocsp_response(answer)
    responder = None
    if not _signed_by(response, authority):
        responder = next(
            one
            for one in response.certificates
            if _is_responder(one, authority, at) and _signed_by(response, one)
        )
    try:
        return _plain_ocsp(answer, responder)
    except NotDer as cause:
        raise NoEvidence("the OCSP answer is laid out in another way") from cause


def canonical_crl(answer: bytes) -> bytes:
    """Convert a checked revocation list to its canonical form in a document.  Raises `NoEvidence`."""
    try:
        return _plain_crl(answer)
    except NotDer as cause:
        raise NoEvidence("the list of revocations is laid out in another way") from cause


def check_ocsp(
    answer: bytes, asked: ocsp.OCSPRequest, authority: x509.Certificate, at: datetime
) -> datetime:
    """Check an OCSP answer (RFC 6960, section 3.2), and return the time at which to ask again.

    Refuses with `IssuerUnusable` if the certificate was revoked, raises `NoEvidence` if the answer proves nothing.
    """
    try:
        response = ocsp.load_der_ocsp_response(answer)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise NoEvidence(f"the responder says {response.response_status.name.lower()}")
        singles = [one for one in response.responses if _is_about(one, asked)]
        is_signed = _signs_answer(response, authority, at)
    except NoEvidence:
        raise
    # The library parses lazily and raises many kinds of exception.
    except Exception as cause:
        raise NoEvidence("the OCSP answer cannot be read") from cause
    if not is_signed:
        raise NoEvidence("the OCSP answer is not signed by an authorized responder")
    if len(singles) != 1:
        raise NoEvidence("the OCSP answer is about another certificate")
    [single] = singles
    if single.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        raise IssuerUnusable(f"the certificate {single.serial_number:x} was revoked")
    if single.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        raise NoEvidence("the responder does not know the certificate")
    return _counts_until(single.this_update_utc, single.next_update_utc, at)


def _is_about(single: ocsp.OCSPSingleResponse, asked: ocsp.OCSPRequest) -> bool:
    return (
        single.serial_number == asked.serial_number
        and single.hash_algorithm.name == asked.hash_algorithm.name
        and single.issuer_name_hash == asked.issuer_name_hash
        and single.issuer_key_hash == asked.issuer_key_hash
    )


def _signs_answer(response: ocsp.OCSPResponse, authority: x509.Certificate, at: datetime) -> bool:
    """True if the authority, or a responder that it certified, signed the answer (RFC 6960, 4.2.2.2)."""
    responders = [one for one in response.certificates if _is_responder(one, authority, at)]
    return any(_signed_by(response, one) for one in (authority, *responders))


def _is_responder(certificate: x509.Certificate, authority: x509.Certificate, at: datetime) -> bool:
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    is_valid = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    is_appointed = ExtendedKeyUsageOID.OCSP_SIGNING in purposes
    return is_valid and is_appointed and is_issued_by(certificate, authority)


def _signed_by(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    key, digest = certificate.public_key(), response.signature_hash_algorithm
    signed, signature = response.tbs_response_bytes, response.signature
    if digest is None or digest.name not in ("sha256", "sha384", "sha512"):
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def check_crl(
    answer: bytes, certificate: x509.Certificate, authority: x509.Certificate, at: datetime
) -> datetime:
    """Check a revocation list (RFC 5280, section 6.3.3), and return the time at which to ask again.

    Refuses with `IssuerUnusable` if the certificate is on it; raises `NoEvidence` if the list proves
    nothing.
    """
    try:
        revocations = x509.load_der_x509_crl(answer)
        is_complete = _is_complete(revocations, certificate)
    except Exception as cause:
        raise NoEvidence("the list of revocations cannot be read") from cause
    is_theirs = revocations.issuer == authority.subject == certificate.issuer
    if not is_theirs or not signs_list(authority, revocations):
        raise NoEvidence("the list of revocations was not made by the authority")
    if not is_complete:
        raise NoEvidence("the list of revocations does not cover such certificates")
    if revocations.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
        raise IssuerUnusable(f"{certificate.subject.rfc4514_string()} was revoked")
    return _counts_until(revocations.last_update_utc, revocations.next_update_utc, at)


def _is_complete(
    revocations: x509.CertificateRevocationList, certificate: x509.Certificate
) -> bool:
    """True if the list covers certificates of this kind and revocations for all reasons."""
    for extension in revocations.extensions:
        point = extension.value
        if isinstance(point, x509.IssuingDistributionPoint):
            try:
                constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
                is_authority = constraints.value.ca
            except x509.ExtensionNotFound:
                is_authority = False
            left_out = (
                point.only_contains_user_certs if is_authority else (point.only_contains_ca_certs)
            )
            if left_out or point.indirect_crl or point.only_some_reasons:
                return False
            if point.only_contains_attribute_certs:
                return False
        elif extension.critical or extension.oid == ExtensionOID.DELTA_CRL_INDICATOR:
            return False
    return True


def _counts_until(start: datetime, stop: datetime | None, at: datetime) -> datetime:
    """Return the time at which to ask again; raises `NoEvidence` if `at` is outside the period stated in the answer."""
    if start > at + CLOCK_SKEW:
        raise NoEvidence("the time of the answer is in the future")
    # An answer without nextUpdate means that newer information is always available (RFC 6960, section 2.4).
    end = start + KEPT if stop is None else stop
    if end < at:
        raise NoEvidence("the answer is out of date")
    return min(end, at + KEPT)


def _plain_ocsp(answer: bytes, responder: x509.Certificate | None) -> bytes:
    """Encode an OCSP answer anew, with the certificate of the responder if one is given, and with no other certificate.

    Raises `NotDer` for an answer that is not in DER, has another structure, or has an unsupported signature algorithm.
    """
    response = der.only(answer, SEQUENCE, 0, len(answer))
    _, wrapped = _of(answer, response, 2)
    inside = der.only(answer, SEQUENCE, wrapped.start, wrapped.stop)
    _, octets = _of(answer, inside, 2)
    basic = der.only(answer, SEQUENCE, octets.start, octets.stop)
    statement, algorithm, signature = _signed(answer, basic)
    certificates = b""
    if responder is not None:
        encoded = responder.public_bytes(Encoding.DER)
        certificates = tlv(CONTEXT_0, tlv(SEQUENCE, encoded))
    written = tlv(SEQUENCE, statement, algorithm, signature, certificates)
    answered = tlv(SEQUENCE, _BASIC, tlv(OCTETS, written))
    return tlv(SEQUENCE, _SUCCESSFUL, tlv(CONTEXT_0, answered))


def _plain_crl(answer: bytes) -> bytes:
    """Encode a revocation list anew, in strict DER.  Raises like `_plain_ocsp`."""
    whole = der.only(answer, SEQUENCE, 0, len(answer))
    statement, algorithm, signature = _signed(answer, whole)
    return tlv(SEQUENCE, statement, algorithm, signature)


def _of(answer: bytes, whole: der.Element, least: int) -> list[der.Element]:
    """Return the first `least` members of an element.  Raises `NotDer` if it has fewer."""
    members = der.members(answer, whole)
    if len(members) < least:
        raise NotDer("another layout")
    return members[:least]


def _signed(answer: bytes, whole: der.Element) -> tuple[bytes, bytes, bytes]:
    """Return the encoded statement, algorithm and signature in a signed structure.

    Raises `NotDer` for an unsupported algorithm, or if the signature is not a BIT STRING of whole octets.  Without the second
    rule, anybody could declare the last bit of a signature unused if it is zero, and the signature would still be valid.
    """
    members = _of(answer, whole, 3)
    statement, algorithm, signature = (answer[one.at : one.stop] for one in members)
    if algorithm not in _ALGORITHMS:
        raise NotDer("another algorithm")
    if (
        answer[members[2].at] != _BIT_STRING
        or answer[members[2].start : members[2].start + 1] != b"\0"
    ):
        raise NotDer("a signature of no whole octets")
    return statement, algorithm, signature
