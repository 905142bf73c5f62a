"""Evidence that certificates were not revoked: OCSP (RFC 6960) and lists (RFC 5280).

Put into the document (`writing.security_store`) it makes a seal PAdES baseline B-LT: it can be
checked years later without asking the authorities, which may not exist any more.  The addresses are
those in the certificates.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
)

from meterai.sealing.model import RevocationEvidence, RevocationUnavailable
from meterai.sealing.signing.network import Authorities, Unreached, exchange
from meterai.sealing.signing.proofs import (
    NoEvidence,
    Proof,
    check_crl,
    check_ocsp,
    crl_as_kept,
    ocsp_as_kept,
    request_for,
)

OCSP_BYTES_MAX = 32 * 1024  # one answer and the responder's certificates: 2-5 KiB
CRL_BYTES_MAX = 2 * 1024 * 1024  # the list is put into every document
ADDRESSES_MAX = 4  # tried per certificate and kind; more would only lengthen the wait
CERTIFICATES_KEPT = 64  # whose evidence is remembered; two chains have about six


class RevocationAuthorities:
    """Asks about certificates and remembers the answers for a while.  Blocks; safe to share."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._authorities = Authorities("revocation")
        self._proofs: dict[bytes, Proof] = {}
        self._changing = Lock()

    def evidence(
        self, chains: Sequence[Sequence[x509.Certificate]], at: datetime
    ) -> RevocationEvidence:
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
        return RevocationEvidence(tuple(certificates), tuple(ocsps), tuple(crls))

    def _proof(
        self, certificate: x509.Certificate, authority: x509.Certificate, at: datetime
    ) -> Proof:
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
    ) -> Proof:
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
    ) -> Proof:
        asked = request_for(certificate, authority)
        answer = exchange(
            url,
            self._authorities.of(url),
            timeout_seconds=self._timeout_seconds,
            bytes_max=OCSP_BYTES_MAX,
            body=asked.public_bytes(Encoding.DER),
            headers={"Content-Type": "application/ocsp-request"},
        )
        until = check_ocsp(answer, asked, authority, at)
        return Proof("ocsp", ocsp_as_kept(answer, authority, at), until)

    def _ask_crl(
        self, url: str, certificate: x509.Certificate, authority: x509.Certificate, at: datetime
    ) -> Proof:
        answer = exchange(
            url,
            self._authorities.of(url),
            timeout_seconds=self._timeout_seconds,
            bytes_max=CRL_BYTES_MAX,
        )
        until = check_crl(answer, certificate, authority, at)
        return Proof("crl", crl_as_kept(answer), until)


_Ask = Callable[[str, x509.Certificate, x509.Certificate, datetime], Proof]


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
