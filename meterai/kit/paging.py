"""Paging of a list, newest first.

Ids are ordered by time, and the next page begins after the last id of a page. So rows added meanwhile shift nothing,
and every page costs the same, however old its rows are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

PAGE_MAX = 200  # rows of one page
_BEYOND = UUID(int=(1 << 128) - 1)  # greater than every id

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class ListPage:
    """A requested page of a list: at most `limit` rows, older than the id `before`."""

    limit: int = PAGE_MAX
    before: UUID = _BEYOND

    @property
    def wanted(self) -> int:
        """Number of rows to read: `limit` and one more, which shows whether there is another page."""
        return self.limit + 1

    def cut(self, found: Sequence[One]) -> tuple[list[One], bool]:
        """Return the rows of this page, and True if there is another page."""
        return list(found[: self.limit]), len(found) > self.limit


WHOLE = ListPage()
