"""Events of cases."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class ComplaintSent(Event, frozen=True, kw_only=True):
    """A complaint without sign-in; written by `CaseService.send`.

    `account` is the key derived from the address (`address_account`).  The event handler determines whether the address
    has an account and whether that account owns the order, so that neither the page nor its response time reveals this.
    """

    case: UUID
    email: str
    language: str
    matter: str
    about: str
    words: str
