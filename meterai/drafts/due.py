"""Due rows of drafts for a periodic task; their tables need no account."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from meterai.accounts import NOBODY

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class DueDraft(Generic[Thing]):
    """One due thing, and its name."""

    name: str
    thing: Thing

    @property
    def account(self) -> UUID:
        """Nobody: a draft may have no account."""
        return NOBODY
