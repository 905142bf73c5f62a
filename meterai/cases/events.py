"""Events of cases."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class ComplaintSent(Event, frozen=True, kw_only=True):
    """A complaint without sign-in; written by `CaseService.send`.

    Its account is the key of the address (`address_account`).  Whether the address has an account, and the order is
    of it, is determined later, so that neither the page nor its time reveals it.
    """

    case: UUID
    email: str
    language: str
    matter: str
    about: str
    words: str
