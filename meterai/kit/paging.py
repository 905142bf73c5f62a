"""Pages of a list, newest first.

Ids are ordered by time, so the next page begins at the last id of a page: rows added meanwhile move nothing, and every
page costs the same however old it is.
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
    """Requested part of a list: at most `limit`, older than `before`."""

    limit: int = PAGE_MAX
    before: UUID = _BEYOND

    @property
    def wanted(self) -> int:
        """Number of rows to read: one more than shown, to detect another page."""
        return self.limit + 1

    def cut(self, found: Sequence[One]) -> tuple[list[One], bool]:
        """Return the rows of this page, and True if there are more."""
        return list(found[: self.limit]), len(found) > self.limit


WHOLE = ListPage()
