"""Long-term validation: a time-stamp in the signature, and behind the seal the evidence that nothing was revoked.

With both a seal can be checked after its certificates have expired and its authorities have ceased.  With the
time-stamp the seal is PAdES baseline B-T, with both B-LT (ETSI EN 319 142-1, section 6).  The addresses for OCSP
(RFC 6960) and revocation lists (RFC 5280) are in the certificates.  The time-stamp authority (RFC 3161) is configured in
`proofs.toml` of an issuer's directory:

    time_stamp_url = "https://..."     an RFC 3161 authority
    time_stamp_roots = "tsa.pem"       root certificates of that authority
    time_stamp_policy = "1.2.3"        optional: the only policy to accept
    timeout_seconds = 5.0
    long_term = true                   request revocation answers for the certificates, and append them

This module is separate from `timestamps` and `proofs`, so that a verifier loads no code that connects to other machines.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from threading import Lock

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from meterai.plumbing.files import read_key_file, read_settings_file
from meterai.plumbing.toml import read_toml
from meterai.sealing.model import (
    IssuerUnusable,
    RevocationEvidence,
    RevocationUnavailable,
    TimeStampUnavailable,
)
from meterai.sealing.signing import cms, der
from meterai.sealing.signing.issuer import LONG_TERM_FILE
from meterai.sealing.signing.network import Authorities, Unreached, exchange
from meterai.sealing.signing.proofs import (
    NoEvidence,
    Proof,
    canonical_crl,
    canonical_ocsp,
    check_crl,
    check_ocsp,
    request_for,
)
from meterai.sealing.signing.timestamps import (
    ROOTS_MAX,
    TokenRefused,
    check,
    root_digests,
    taken_in,
)

TIMEOUT_SECONDS = 5.0  # of one exchange; a seal needs two or three
EXCHANGES_MAX = 3
NONCE_BITS = 64  # RFC 3161, section 2.4.1: "a large random number with a high probability"
ANSWER_BYTES_MAX = cms.TIME_STAMP_BYTES_MAX + 1024  # a token, and the status before it
OCSP_BYTES_MAX = 32 * 1024  # one answer and the responder's certificates: 2-5 KiB
CRL_BYTES_MAX = 2 * 1024 * 1024  # of one list, which is put into every document
ADDRESSES_MAX = 4  # tried for each certificate and kind; bounds the wait
CERTIFICATES_KEPT = 64  # with cached evidence; two chains have about six

_GRANTED = ("granted", "granted_with_mods")


class TimeStampAuthority:
    """Client of a time-stamp authority over HTTP.  Its calls block, so they are made in a thread.  Thread-safe.

    `roots` are the roots that the authority's certificates may lead to, at most `ROOTS_MAX`.  `policy` is the object
    identifier of the requested policy, or `None` for the default of the authority.
    """

    def __init__(
        self,
        url: str,
        roots: Sequence[x509.Certificate],
        timeout_seconds: float,
        policy: str | None = None,
    ) -> None:
        self._url = url
        self._roots = tuple(roots)
        self._timeout_seconds = timeout_seconds
        self._policy = policy
        self._outgoing = Authorities("time_stamps").of(url)

    def token(self, signature_value: bytes) -> bytes:
        """Return a time-stamp token over the signature; the token has its canonical form.  Refuses with `TimeStampUnavailable`.

        The token is checked here exactly as a verifier checks it (RFC 3161, section 2.2), because a seal that was made with a
        bad token cannot be withdrawn.
        """
        nonce = secrets.randbits(NONCE_BITS) | 1 << NONCE_BITS - 1
        request = {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": hashlib.sha256(signature_value).digest(),
            },
            "nonce": nonce,
            "cert_req": True,
        }
        if self._policy is not None:
            request["req_policy"] = self._policy
        try:
            answer = exchange(
                self._url,
                self._outgoing,
                timeout_seconds=self._timeout_seconds,
                bytes_max=ANSWER_BYTES_MAX,
                body=tsp.TimeStampReq(request).dump(),
                headers={"Content-Type": "application/timestamp-query"},
            )
            token = taken_in(_granted(answer), self._roots)
            checked = check(token, signature_value, root_digests(self._roots))
        except (Unreached, TokenRefused) as cause:
            raise TimeStampUnavailable(str(cause)) from cause
        if checked.nonce != nonce:
            raise TimeStampUnavailable("the token answers another request")
        if self._policy not in (None, checked.policy):
            raise TimeStampUnavailable(f"the token was made under the policy {checked.policy}")
        return token


def _granted(answer: bytes) -> bytes:
    """Return the token in an answer (RFC 3161, section 2.4.2); refuses with `TokenRefused`."""
    try:
        parts = der.members(answer, der.only(answer, der.SEQUENCE, 0, len(answer)))
        status = tsp.PKIStatusInfo.load(answer[parts[0].at : parts[0].stop], strict=True)
        word = status["status"].native
    # asn1crypto parses lazily and raises many kinds of exception.
    except Exception as cause:
        raise TokenRefused("the answer cannot be read") from cause
    if word not in _GRANTED or len(parts) != 2:
        raise TokenRefused(f"the authority says {word}")
    return answer[parts[1].at : parts[1].stop]


class RevocationAuthorities:
    """Client of the authorities that state whether certificates were revoked.

    It caches answers.  Its calls block.  Thread-safe.
    """

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._authorities = Authorities("revocation")
        self._proofs: dict[bytes, Proof] = {}
        self._changing = Lock()

    def evidence(
        self, chains: Sequence[Sequence[x509.Certificate]], at: datetime
    ) -> RevocationEvidence:
        """Return evidence for every certificate of the chains except their roots.

        Each chain runs from its leaf to its root.  Refuses with `RevocationUnavailable` if no authority can be reached or
        no answer is valid proof, and with `IssuerUnusable` if a certificate was revoked.
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
        words = "; ".join(reasons) or "the certificate names no responder or list"
        raise RevocationUnavailable(f"was {subject} revoked? {words}")

    def _ways(self, certificate: x509.Certificate) -> Iterator[tuple[str, "_Ask"]]:
        # OCSP is tried first, since its answer is smaller and newer than a list.
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
        return Proof("ocsp", canonical_ocsp(answer, authority, at), until)

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
        return Proof("crl", canonical_crl(answer), until)


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
        # A distribution point with another issuer, or for some reasons only, proves too little (RFC 5280, 4.2.1.13).
        if point.crl_issuer is None and point.reasons is None
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    ]


class LongTermValidation:
    """Source of time-stamps and revocation evidence for seals (`ProofSource`).  Its calls block.  Thread-safe."""

    def __init__(
        self,
        authority: TimeStampAuthority,
        time_stamp_roots: Sequence[x509.Certificate],
        revocations: RevocationAuthorities | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        # An exchange may take its time-out twice: once to connect, and once for the answer.
        self.seconds_max = EXCHANGES_MAX * 2 * timeout_seconds
        self._authority = authority
        self.time_stamp_roots = tuple(time_stamp_roots)
        self._revocations = revocations

    def token(self, signature_value: bytes) -> bytes:
        """Return a time-stamp over a signature; refuses with `TimeStampUnavailable`."""
        return self._authority.token(signature_value)

    def evidence(
        self, signed_data: bytes, chain: Sequence[x509.Certificate], at: datetime
    ) -> RevocationEvidence | None:
        """Return evidence for the certificates of the signer and of the time-stamp; `None` if evidence is not configured.

        Refuses with `RevocationUnavailable`, or `IssuerUnusable` for a revoked certificate.
        """
        if self._revocations is None:
            return None
        read = cms.read(signed_data)
        assert read.time_stamp is not None
        stamped = check(read.time_stamp, read.signature, root_digests(self.time_stamp_roots))
        return self._revocations.evidence([chain, stamped.chain], at)


def load_long_term_validation(directory: Path) -> LongTermValidation:
    """Read the configuration in `proofs.toml` of the directory.  Refuses with `IssuerUnusable`."""
    try:
        found = read_toml(read_settings_file(directory / LONG_TERM_FILE))
        roots = x509.load_pem_x509_certificates(
            read_key_file(directory / str(found["time_stamp_roots"]))
        )
        if len(roots) > ROOTS_MAX:
            raise ValueError(f"{len(roots)} roots of time-stamps, at most {ROOTS_MAX}")
        timeout = float(found.get("timeout_seconds", TIMEOUT_SECONDS))
        policy = found.get("time_stamp_policy")
        authority = TimeStampAuthority(
            str(found["time_stamp_url"]), roots, timeout, str(policy) if policy else None
        )
        is_long_term = bool(found.get("long_term", False))
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise IssuerUnusable(f"{LONG_TERM_FILE} cannot be used") from cause
    revocations = RevocationAuthorities(timeout) if is_long_term else None
    return LongTermValidation(authority, roots, revocations, timeout_seconds=timeout)
