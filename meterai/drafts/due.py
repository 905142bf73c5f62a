"""Due rows of drafts, wrapped for the runner of periodic tasks; they may belong to no account."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from meterai.accounts import NOBODY

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class DueDraft(Generic[Thing]):
    """A due row (`thing`), and the name by which logs identify it."""

    name: str
    thing: Thing

    @property
    def account(self) -> UUID:
        """Always `NOBODY`: a draft may have no account."""
        return NOBODY
