"""Verdicts on documents, as a page receives them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from meterai.verification import (
    CheckView,
    EarlierView,
    LaterSignatureView,
    SealedView,
    VerificationView,
)
from meterai.verification.model import GOOD, FinalVerdict

NOW = datetime(2026, 11, 24, 8, 4, tzinfo=UTC)
SERIAL = "1QQJXXBQNX00N0WZXZP2FV"


def verdict_view(
    verdict: str,
    *,
    summary: str = "s",
    serials: Sequence[str] = (SERIAL,),
    checks: Sequence[CheckView] = (),
    is_specimen: bool = True,
    later: Sequence[LaterSignatureView] = (),
    earlier: Sequence[EarlierView] = (),
) -> VerificationView:
    """A verdict on a file of 100,000 bytes. If something follows the seal, 90,000 of them are sealed."""
    is_extended = verdict == FinalVerdict.GENUINE_THEN_EXTENDED
    sealed = SealedView(
        bytes=90_000 if is_extended else 100_000,
        sha256="5e" * 32,
        sealed_at=NOW,
        serials=list(serials),
    )
    return VerificationView(
        verdict=verdict,
        summary=summary,
        is_specimen=is_specimen,
        checked_at=NOW,
        checked_by="https://meterai.example",
        sha256="a1" * 32,
        size_bytes=100_000,
        serials=list(serials),
        sealed_at=NOW,
        sha256_original="0c" * 32,
        checks=list(checks),
        sealed=sealed if verdict in GOOD else None,
        later_bytes=100_000 - sealed.bytes if verdict in GOOD else None,
        later_signatures=list(later),
        earlier=list(earlier),
    )
