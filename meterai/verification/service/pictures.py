"""Pictures of the stamped pages of a sealed revision, with the stamps framed.

They travel within the page of the verdict: the document is not kept, so nobody could ask for them
later.  What follows the sealed revision is never drawn: whoever appended it chooses what is seen.
"""

import asyncio
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass, field

from meterai import sealing
from meterai.kit.refusal import Refusal
from meterai.sealing import PICTURE_WIDTH, STAMPS_MAX, Rectangle

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


class Pictures:
    """Draws pages in processes of its own, so that no verdict waits for a picture."""

    def __init__(self) -> None:
        self._pool = sealing.Pool(processes=1)
        self._slots = sealing.Slots(1)

    async def of(self, sealed: bytes, serials: Collection[str], client: str) -> list[MarkedPage]:
        """The pages with the stamps of these serials, `PAGES_MAX` at the most.

        Empty where there is no stamp, and where none of them can be drawn in `SECONDS_MAX`.
        """
        try:
            async with asyncio.timeout(SECONDS_MAX):
                return await self._pool.finish(_drawing(sealed, serials), client, self._slots)
        except (Refusal, TimeoutError):
            return []  # the verdict stands without it


def _drawing(sealed: bytes, serials: Collection[str]) -> sealing.Work[list[MarkedPage]]:
    marks: dict[int, list[Rectangle]] = {}
    for stamp in (yield from sealing.locating(sealed, serials)):
        marks.setdefault(stamp.page, []).append(stamp.rectangle)
    found = []
    for page, framed in list(marks.items())[:PAGES_MAX]:
        drawn = yield from sealing.picturing(sealed, page, PICTURE_WIDTH, marks=framed[:STAMPS_MAX])
        found.append(MarkedPage(page, drawn.pages, len(framed), drawn.webp))
    return found
