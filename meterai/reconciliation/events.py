"""Events of reconciliation, for the rooms above."""

from datetime import datetime

from meterai.plumbing.work.events import Event


class DutyLeft(Event, frozen=True, kw_only=True):
    """A line of the operator's own account pays the treasury; written by `reconciliation.service.tell_paid_out`.

    It has no account.

    `receipt`: the number of the state's receipt (NTPN), if the line has it.
    """

    billing_code: str
    amount: int
    line: str
    moved_at: datetime
    receipt: str | None
