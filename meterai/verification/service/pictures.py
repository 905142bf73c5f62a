"""Pictures of the stamped pages of a sealed revision, with the stamps framed.

They are embedded in the page of the verdict, because the document is not stored for a later request.  Bytes behind the
sealed revision are not used for drawing, since their author could change the picture.
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

SECONDS_MAX = 4.0  # for the pages of a document, waiting included; three pages take a tenth
PAGES_MAX = 3  # of one document, 60 KB each; most have stamps on one page only


@dataclass(frozen=True, slots=True)
class MarkedPage:
    """Picture of a page (from 1) in WebP, and the number of stamps framed on it."""

    number: int
    pages: int
    stamps: int
    webp: bytes = field(repr=False)

    @property
    def address(self) -> str:
        """The picture as a data URL (RFC 2397)."""
        return f"data:image/webp;base64,{b64encode(self.webp).decode('ascii')}"


class NotDrawn(StrEnum):
    """Reason why pictures of a verdict are missing or incomplete."""

    BUSY = "busy"  # the limit of waiting pictures is reached
    TOO_SLOW = "too_slow"  # not drawn in time, as on a busy machine
    UNDRAWABLE = "undrawable"  # the renderer cannot draw a page
    UNPLACED = "unplaced"  # none of the stamps is on a page


class VerdictPictures(NamedTuple):
    """Pictures of a verdict; `why` is the reason if pictures are missing, else None."""

    pages: Sequence[MarkedPage] = ()
    why: NotDrawn | None = None


class Pictures:
    """Draws pages in a separate pool, so that no check of a document waits for a picture."""

    def __init__(self) -> None:
        self._pool = sealing.Pool(processes=1)
        self._slots = sealing.Slots(1)

    async def of(self, sealed: bytes, serials: Collection[str], client: str) -> VerdictPictures:
        """Draw the pages with the stamps of these serials, at most `PAGES_MAX`, within `SECONDS_MAX`.

        The verdict does not depend on the pictures.
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
        return VerdictPictures(tuple(found), why)  # a step still in its thread may add one


def _drawing(
    sealed: bytes, serials: Collection[str], found: list[MarkedPage]
) -> sealing.Work[None]:
    marks: dict[int, list[Rectangle]] = {}
    for stamp in (yield from sealing.locating(sealed, serials)):
        marks.setdefault(stamp.page, []).append(stamp.rectangle)
    for page, framed in list(marks.items())[:PAGES_MAX]:
        drawn = yield from sealing.picturing(sealed, page, PICTURE_WIDTH, marks=framed[:STAMPS_MAX])
        found.append(MarkedPage(page, drawn.pages, len(framed), drawn.webp))
