"""Pictures of the stamped pages of a sealed revision, with the stamps framed.

They travel within the page of the verdict: the document is not kept, so nobody could ask for them
later.  What follows the sealed revision is never drawn: whoever appended it chooses what is seen.
"""

import asyncio
from base64 import b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from meterai import sealing
from meterai.kit.refusal import Refusal
from meterai.sealing import PICTURE_WIDTH, STAMPS_MAX, ExaminationBusy, PageTooSlow, Rectangle

SECONDS_MAX = 4.0  # for all of one document, turns included: a tenth of that draws three pages
PAGES_MAX = 3  # pictured of one document, 60 KB each; a letter has its stamps on one


@dataclass(frozen=True, slots=True)
class MarkedPage:
    """The picture of a page (from 1) in WebP, and how many stamps are framed on it."""

    number: int
    pages: int
    stamps: int
    webp: bytes = field(repr=False)

    @property
    def address(self) -> str:
        """The picture itself as an address (RFC 2397)."""
        return f"data:image/webp;base64,{b64encode(self.webp).decode('ascii')}"


class NotDrawn(StrEnum):
    """Why a verdict has no picture, or not all it would have."""

    BUSY = "busy"  # as many pictures wait as may
    TOO_SLOW = "too_slow"  # not within its time: a machine under load, or a page that takes long
    UNDRAWABLE = "undrawable"  # nothing can draw it
    UNPLACED = "unplaced"  # none of the stamps is on a page


class VerdictPictures(NamedTuple):
    """The pictures of a verdict, and why there are no more of them."""

    pages: Sequence[MarkedPage] = ()
    why: NotDrawn | None = None


class Pictures:
    """Draws pages in processes of its own, so that no verdict waits for a picture."""

    def __init__(self) -> None:
        self._pool = sealing.Pool(processes=1)
        self._slots = sealing.Slots(1)

    async def of(self, sealed: bytes, serials: Collection[str], client: str) -> VerdictPictures:
        """The pages with the stamps of these serials, `PAGES_MAX` at the most, drawn within `SECONDS_MAX`.

        The verdict stands without them.
        """
        found: list[MarkedPage] = []
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await self._pool.finish(_drawing(sealed, serials, found), client, self._slots)
        except ExaminationBusy:
            why = NotDrawn.BUSY
        except (PageTooSlow, TimeoutError):
            why = NotDrawn.TOO_SLOW
        except Refusal:
            why = NotDrawn.UNDRAWABLE
        else:
            return VerdictPictures(found, None if found else NotDrawn.UNPLACED)
        return VerdictPictures(tuple(found), why)  # a step that is still in its thread may add one


def _drawing(
    sealed: bytes, serials: Collection[str], found: list[MarkedPage]
) -> sealing.Work[None]:
    marks: dict[int, list[Rectangle]] = {}
    for stamp in (yield from sealing.locating(sealed, serials)):
        marks.setdefault(stamp.page, []).append(stamp.rectangle)
    for page, framed in list(marks.items())[:PAGES_MAX]:
        drawn = yield from sealing.picturing(sealed, page, PICTURE_WIDTH, marks=framed[:STAMPS_MAX])
        found.append(MarkedPage(page, drawn.pages, len(framed), drawn.webp))
