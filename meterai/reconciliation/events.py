"""Events of reconciliation, for the rooms above."""

from datetime import datetime

from meterai.plumbing.work.events import Event


class DutyLeft(Event, frozen=True, kw_only=True):
    """The statement of the operator's own account has a line that pays the treasury.

    Written by `reconciliation.service.tell_paid_out`.

    `account` is the nil account.  `amount` is in rupiah, `line` is the day and the number of the line, and `receipt` is the
    number of the state's receipt (NTPN); None if the line does not have it.
    """

    billing_code: str
    amount: int
    line: str
    moved_at: datetime
    receipt: str | None
