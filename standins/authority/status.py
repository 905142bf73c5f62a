"""Revocation status: OCSP responses (RFC 6960) and certificate revocation lists (RFC 5280)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from standins.authority.keys import Signer, new_responder, now
from standins.faults import Faults

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def ocsp_answer(request: bytes, authorities: Sequence[Signer], faults: Faults) -> bytes:
    """Return the OCSP answer to a request about a certificate of one of the authorities."""
    try:
        asked = ocsp.load_der_ocsp_request(request)
    except ValueError:
        return _unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    algorithm = asked.hash_algorithm
    authority = next((one for one in authorities if _is_meant(asked, one)), None)
    if authority is None:
        return _unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    is_revoked = faults.is_on("revoked")
    start, stop = _times(faults)
    signer = new_responder(authority) if faults.is_on("delegated") else authority
    draft = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            issuer_name_hash=asked.issuer_name_hash,
            issuer_key_hash=asked.issuer_key_hash,
            serial_number=asked.serial_number,
            algorithm=algorithm,
            cert_status=(ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD),
            this_update=start,
            next_update=stop,
            revocation_time=start if is_revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if is_revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    )
    if signer is not authority:
        draft = draft.certificates([signer.certificate])
    return draft.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def revocation_list(
    authority: Signer, certificates: Sequence[x509.Certificate], faults: Faults
) -> bytes:
    """Return the revocation list of an authority; with the fault `revoked` it lists all of these certificates."""
    start, stop = _times(faults)
    draft = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(start)
        .next_update(stop)
    )
    if faults.is_on("revoked"):
        for certificate in certificates:
            draft = draft.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(start)
                .build()
            )
    return draft.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _times(faults: Faults) -> tuple[datetime, datetime]:
    moment = now() - (3 * _DAY if faults.is_on("stale") else timedelta(0))
    return moment - _HOUR, moment + _DAY


def _is_meant(asked: ocsp.OCSPRequest, authority: Signer) -> bool:
    name = asked.hash_algorithm.name
    if name not in ("sha1", "sha256"):
        return False
    subject = authority.certificate.subject.public_bytes()
    hashed = [hashlib.new(name, octets).digest() for octets in (subject, _key_octets(authority))]
    return hashed == [asked.issuer_name_hash, asked.issuer_key_hash]


def _key_octets(authority: Signer) -> bytes:
    """Return the public key as encoded in a certificate, without the algorithm (RFC 6960, 4.1.1)."""
    key = authority.key.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _unsuccessful(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
