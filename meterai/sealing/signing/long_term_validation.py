"""Long-term validation: a time-stamp in the signature, and evidence of no revocation behind it.

With them a seal can be checked after its certificates have expired.  The time-stamp makes it PAdES
baseline B-T, both together B-LT (ETSI EN 319 142-1, section 6).  An issuer's directory says in
`proofs.toml` where they come from:

    time_stamp_url = "https://..."     an RFC 3161 authority
    time_stamp_roots = "tsa.pem"       the certificates its own may lead to
    time_stamp_policy = "1.2.3"        optional: the only policy to accept
    timeout_seconds = 5.0
    long_term = true                   ask whether certificates were revoked, and append the answers
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509

from meterai.plumbing.files import read_key_file, read_settings_file
from meterai.plumbing.toml import read_toml
from meterai.sealing.model import IssuerUnusable, RevocationEvidence
from meterai.sealing.signing import cms
from meterai.sealing.signing.issuer import LONG_TERM_FILE
from meterai.sealing.signing.revocation import RevocationAuthorities
from meterai.sealing.signing.time_stamp_authority import TimeStampAuthority
from meterai.sealing.signing.timestamps import ROOTS_MAX, check, root_digests

TIMEOUT_SECONDS = 5.0  # of one exchange; a seal waits for two or three
EXCHANGES_MAX = 3


class LongTermValidation:
    """Where time-stamps and evidence come from.  Blocks; safe to share between threads."""

    def __init__(
        self,
        authority: TimeStampAuthority,
        time_stamp_roots: Sequence[x509.Certificate],
        revocations: RevocationAuthorities | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        # Each exchange has its time-out once to connect and once to be answered.
        self.seconds_max = EXCHANGES_MAX * 2 * timeout_seconds
        self._authority = authority
        self.time_stamp_roots = tuple(time_stamp_roots)
        self._revocations = revocations

    def token(self, signature_value: bytes) -> bytes:
        """A time-stamp over a signature; refuses with `TimeStampUnavailable`."""
        return self._authority.token(signature_value)

    def evidence(
        self, signed_data: bytes, chain: Sequence[x509.Certificate], at: datetime
    ) -> RevocationEvidence | None:
        """Evidence about the signer's certificates and the time-stamp's; `None` if not wanted.

        Refuses with `RevocationUnavailable`, or `IssuerUnusable` for what was revoked.
        """
        if self._revocations is None:
            return None
        read = cms.read(signed_data)
        assert read.time_stamp is not None
        stamped = check(read.time_stamp, read.signature, root_digests(self.time_stamp_roots))
        return self._revocations.evidence([chain, stamped.chain], at)


def load_long_term_validation(directory: Path) -> LongTermValidation:
    """What the directory's `proofs.toml` says; refuses with `IssuerUnusable`."""
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
