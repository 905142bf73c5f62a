"""What is due of drafts, as rows of a periodic task: of no account, as far as their tables go."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from meterai.accounts import NOBODY

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class DueDraft(Generic[Thing]):
    """One thing, and how it is named."""

    name: str
    thing: Thing

    @property
    def account(self) -> UUID:
        """Nobody: a draft may have no account."""
        return NOBODY
