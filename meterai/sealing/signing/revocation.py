"""Evidence that certificates were not revoked: OCSP (RFC 6960) and lists (RFC 5280).

Put into the document (`writing.security_store`) it makes a seal PAdES baseline B-LT: it can be
checked years later without asking the authorities, which may not exist any more.  The addresses are
those in the certificates.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Lock
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    ExtensionOID,
)

from meterai.sealing.model import Evidence, IssuerUnusable, RevocationUnavailable
from meterai.sealing.signing.chains import is_issued_by
from meterai.sealing.signing.der import NotDer
from meterai.sealing.signing.evidence_layout import plain_crl, plain_ocsp
from meterai.sealing.signing.issuer import signs_list
from meterai.sealing.signing.network import Authorities, Unreached, exchange

OCSP_BYTES_MAX = 32 * 1024  # one answer and the responder's certificates: 2-5 KiB
CRL_BYTES_MAX = 2 * 1024 * 1024  # the list is put into every document
CLOCK_SKEW = timedelta(minutes=5)  # an authority's clock may be ahead of ours
KEPT = timedelta(hours=1)  # evidence asked for once serves all seals of so long
ADDRESSES_MAX = 4  # tried per certificate and kind; more would only lengthen the wait
CERTIFICATES_KEPT = 64  # whose evidence is remembered; two chains have about six


class NoEvidence(Exception):
    """An answer that proves nothing: not for this certificate, not signed, out of date."""


class _Proof(NamedTuple):
    kind: Literal["ocsp", "crl"]
    encoded: bytes
    until: datetime  # when it should be asked for anew


class RevocationAuthorities:
    """Asks about certificates and remembers the answers for a while.  Blocks; safe to share."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._authorities = Authorities("revocation")
        self._proofs: dict[bytes, _Proof] = {}
        self._changing = Lock()

    def evidence(self, chains: Sequence[Sequence[x509.Certificate]], at: datetime) -> Evidence:
        """Evidence for every certificate of the chains but their roots, which are trusted as such.

        Each chain runs from its leaf to its root.  Refuses with `RevocationUnavailable` if nobody
        can be asked or no answer proves anything, and with `IssuerUnusable` if a certificate was
        revoked.
        """
        certificates: dict[bytes, None] = {}
        ocsps: dict[bytes, None] = {}
        crls: dict[bytes, None] = {}
        for chain in chains:
            for certificate in chain:
                certificates[certificate.public_bytes(Encoding.DER)] = None
            for certificate, authority in pairwise(chain):
                proof = self._proof(certificate, authority, at)
                (ocsps if proof.kind == "ocsp" else crls)[proof.encoded] = None
        return Evidence(tuple(certificates), tuple(ocsps), tuple(crls))

    def _proof(
        self, certificate: x509.Certificate, authority: x509.Certificate, at: datetime
    ) -> _Proof:
        key = certificate.fingerprint(hashes.SHA256())
        known = self._proofs.get(key)
        if known is not None and at < known.until:
            return known
        proof = self._ask(certificate, authority, at)
        with self._changing:
            if len(self._proofs) >= CERTIFICATES_KEPT:
                self._proofs.clear()
            self._proofs[key] = proof
        return proof

    def _ask(
        self, certificate: x509.Certificate, authority: x509.Certificate, at: datetime
    ) -> _Proof:
        reasons = []
        for url, ask in self._ways(certificate):
            try:
                return ask(url, certificate, authority, at)
            except (Unreached, NoEvidence) as cause:
                reasons.append(str(cause))
        subject = certificate.subject.rfc4514_string()
        words = "; ".join(reasons) or "it names nobody who could be asked"
        raise RevocationUnavailable(f"was {subject} revoked? {words}")

    def _ways(self, certificate: x509.Certificate) -> Iterator[tuple[str, "_Ask"]]:
        # OCSP first: its answer is small and newer than a list.
        for url in _ocsp_addresses(certificate)[:ADDRESSES_MAX]:
            yield url, self._ask_ocsp
        for url in _crl_addresses(certificate)[:ADDRESSES_MAX]:
            yield url, self._ask_crl

    def _ask_ocsp(
        self, url: str, certificate: x509.Certificate, authority: x509.Certificate, at: datetime
    ) -> _Proof:
        asked = _asked(certificate, authority)
        answer = exchange(
            url,
            self._authorities.of(url),
            timeout_seconds=self._timeout_seconds,
            bytes_max=OCSP_BYTES_MAX,
            body=asked.public_bytes(Encoding.DER),
            headers={"Content-Type": "application/ocsp-request"},
        )
        until = check_ocsp(answer, asked, authority, at)
        return _Proof("ocsp", _plain_ocsp(answer, authority, at), until)

    def _ask_crl(
        self, url: str, certificate: x509.Certificate, authority: x509.Certificate, at: datetime
    ) -> _Proof:
        answer = exchange(
            url,
            self._authorities.of(url),
            timeout_seconds=self._timeout_seconds,
            bytes_max=CRL_BYTES_MAX,
        )
        until = check_crl(answer, certificate, authority, at)
        return _Proof("crl", _plain_crl(answer), until)


_Ask = Callable[[str, x509.Certificate, x509.Certificate, datetime], _Proof]


def _asked(certificate: x509.Certificate, authority: x509.Certificate) -> ocsp.OCSPRequest:
    # SHA-1 only names the authority here, and is what every responder knows (RFC 5019, 2.1.1).
    # No nonce: large responders answer with what they signed before (RFC 5019, section 4).
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, authority, hashes.SHA1())  # noqa: S303
    return request.build()


def is_proven(
    evidence: Evidence, chains: Sequence[Sequence[x509.Certificate]], at: datetime
) -> bool:
    """True if the evidence is all that `RevocationAuthorities.evidence` answers, and nothing else.

    Refuses with `IssuerUnusable` a certificate that was revoked.
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
    return evidence == Evidence(tuple(certificates), tuple(ocsps), tuple(crls))


def _proof_among(
    evidence: Evidence, certificate: x509.Certificate, authority: x509.Certificate, at: datetime
) -> _Proof | None:
    asked = _asked(certificate, authority)
    for answer in evidence.ocsps:
        with suppress(NoEvidence):
            until = check_ocsp(answer, asked, authority, at)
            if answer == _plain_ocsp(answer, authority, at):
                return _Proof("ocsp", answer, until)
    for answer in evidence.crls:
        with suppress(NoEvidence):
            until = check_crl(answer, certificate, authority, at)
            if answer == _plain_crl(answer):
                return _Proof("crl", answer, until)
    return None


def _plain_ocsp(answer: bytes, authority: x509.Certificate, at: datetime) -> bytes:
    """An answer that was checked, as it stands in a document. Raises `NoEvidence`."""
    response = ocsp.load_der_ocsp_response(answer)
    responder = None
    if not _signed_by(response, authority):
        responder = next(
            one
            for one in response.certificates
            if _is_responder(one, authority, at) and _signed_by(response, one)
        )
    try:
        return plain_ocsp(answer, responder)
    except NotDer as cause:
        raise NoEvidence("the OCSP answer is laid out in another way") from cause


def _plain_crl(answer: bytes) -> bytes:
    """A list that was checked, as it stands in a document. Raises `NoEvidence`."""
    try:
        return plain_crl(answer)
    except NotDer as cause:
        raise NoEvidence("the list of revocations is laid out in another way") from cause


def _ocsp_addresses(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []
    return [
        one.access_location.value
        for one in found.value
        if one.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(one.access_location, x509.UniformResourceIdentifier)
    ]


def _crl_addresses(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []
    return [
        name.value
        for point in found.value
        # A point of its own issuer or for some reasons only (RFC 5280, 4.2.1.13) proves too little.
        if point.crl_issuer is None and point.reasons is None
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    ]


def check_ocsp(
    answer: bytes, asked: ocsp.OCSPRequest, authority: x509.Certificate, at: datetime
) -> datetime:
    """Until when the answer serves (RFC 6960, section 3.2).

    Refuses with `IssuerUnusable` if it says revoked, raises `NoEvidence` if it proves nothing.
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
        raise NoEvidence("the OCSP answer is not signed by who may")
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
    """Did the authority sign it, or a responder it appointed (RFC 6960, 4.2.2.2)?"""
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
    """Until when the list serves (RFC 5280, section 6.3.3).

    Refuses with `IssuerUnusable` if the certificate is on it; raises `NoEvidence` if it proves
    nothing.
    """
    try:
        revocations = x509.load_der_x509_crl(answer)
        is_complete = _is_complete(revocations, certificate)
    except Exception as cause:
        raise NoEvidence("the list of revocations cannot be read") from cause
    is_theirs = revocations.issuer == authority.subject == certificate.issuer
    if not is_theirs or not signs_list(authority, revocations):
        raise NoEvidence("the list of revocations is not by the authority")
    if not is_complete:
        raise NoEvidence("the list of revocations is not about such certificates")
    if revocations.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
        raise IssuerUnusable(f"{certificate.subject.rfc4514_string()} was revoked")
    return _counts_until(revocations.last_update_utc, revocations.next_update_utc, at)


def _is_complete(
    revocations: x509.CertificateRevocationList, certificate: x509.Certificate
) -> bool:
    """Would the certificate be on the list if it was revoked, for whatever reason?"""
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
    """When to ask anew; raises `NoEvidence` outside the time the answer itself states."""
    if start > at + CLOCK_SKEW:
        raise NoEvidence("the answer is from a time to come")
    # Without nextUpdate newer information is always available (RFC 6960, section 2.4).
    end = start + KEPT if stop is None else stop
    if end < at:
        raise NoEvidence("the answer is out of date")
    return min(end, at + KEPT)
