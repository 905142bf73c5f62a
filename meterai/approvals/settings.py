"""Settings of approvals: thresholds above which a lever needs a second person."""

import msgspec

from meterai.plumbing.config import Positive, Seconds


class ApprovalSettings(msgspec.Struct, frozen=True):
    """Thresholds from which the pull of a lever needs a second person; some levers always do (`is_always_approved`)."""

    approval_rupiah_from: Positive = 1_000_000  # rupiah moved by one pull
    approval_rows_from: Positive = 100  # rows changed by one pull
    # Names of levers that always need approval, separated by commas: "issuing stop, line end".
    approval_always: str = ""
    # Time after which a request expires: longer than a weekend.
    approval_lives_seconds: Seconds = 3 * 86_400.0

    @property
    def always(self) -> frozenset[str]:
        """Names of the levers in `approval_always`."""
        return frozenset(
            " ".join(name.split()) for name in self.approval_always.split(",") if name.strip()
        )
