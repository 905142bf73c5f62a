"""Events that cases tell to other rooms."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class ComplaintSent(Event, frozen=True, kw_only=True):
    """Somebody who is not signed in complains; written by `CaseService.send`.

    Under the key of the address (`address_account`), as its case: whether the address has an account, and the order is of
    it, is found out later, so that the answer of the page and its time say nothing about it.
    """

    case: UUID
    email: str
    language: str
    matter: str
    about: str
    words: str
