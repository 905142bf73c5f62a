"""Pages of a list, newest first.

Ids are ordered by time, so the last id of a page is where the next one begins: what is added in
between moves nothing, and every page costs the same however old it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

PAGE_MAX = 200  # of one answer; the rest is on the next pages
_BEYOND = UUID(int=(1 << 128) - 1)  # no id is later

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class ListPage:
    """Which part of a list: at most `limit`, older than `before`."""

    limit: int = PAGE_MAX
    before: UUID = _BEYOND

    @property
    def wanted(self) -> int:
        """How many to read: one more than are shown tells whether there is another page."""
        return self.limit + 1

    def cut(self, found: Sequence[One]) -> tuple[list[One], bool]:
        """What belongs to this page of what was read, and whether there is more."""
        return list(found[: self.limit]), len(found) > self.limit


WHOLE = ListPage()
