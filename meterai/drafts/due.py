"""Due rows of drafts, in the form that the runner of periodic tasks expects, although some belong to no account."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from meterai.accounts import NOBODY

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class DueDraft(Generic[Thing]):
    """A row (`thing`) that a periodic task has to process, and the name by which logs identify it."""

    name: str
    thing: Thing

    @property
    def account(self) -> UUID:
        """Always `NOBODY`: a draft may have no account."""
        return NOBODY
