"""Pictures of the pages of a checked document that have stamps on them, with the stamps framed.

They travel within the page of the verdict: the document is not kept, so nobody could ask for them
later.
"""

import asyncio
from base64 import b64encode
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from meterai import sealing
from meterai.kit.refusal import Refusal
from meterai.sealing import PICTURE_WIDTH, STAMPS_MAX, Rectangle
from meterai.verification.service.views import PlaceView, VerificationView

SECONDS_MAX = 4.0  # for all of one document, turns included: a tenth of that draws three pages
PAGES_MAX = 3  # pictured of one document, 60 KB each; a letter has its stamps on one


@dataclass(frozen=True, slots=True)
class MarkedPage:
    """The picture of a page (from 1) in WebP, and how many stamps are framed on it.

    `is_as_sealed`: of the page as it was stamped, before somebody signed it.
    """

    number: int
    pages: int
    stamps: int
    webp: bytes = field(repr=False)
    is_as_sealed: bool = False

    @property
    def address(self) -> str:
        """The picture itself as an address (RFC 2397)."""
        return f"data:image/webp;base64,{b64encode(self.webp).decode('ascii')}"


class Pictures:
    """Draws pages in processes of its own, so that no verdict waits for a picture."""

    def __init__(self) -> None:
        self._pool = sealing.Pool(processes=1)
        self._slots = sealing.Slots(1)

    async def of(
        self, document: bytes, serials: Collection[str], places: Iterable[PlaceView], client: str
    ) -> list[MarkedPage]:
        """The pages with the stamps of these serials, `PAGES_MAX` at the most; `places` are framed too,
        and come first.

        Empty where there is no stamp, and where none of them can be drawn in `SECONDS_MAX`.
        """
        work = _drawing(document, serials, places)
        try:
            async with asyncio.timeout(SECONDS_MAX):
                return await self._pool.finish(work, client, self._slots)
        except (Refusal, TimeoutError):
            return []  # the verdict stands without it

    async def as_sealed(
        self, document: bytes, found: VerificationView, client: str
    ) -> list[MarkedPage]:
        """The pages that later signatures are on, as they were stamped; empty as above."""
        signed = sorted({one.page for one in found.later_signatures if one.page})[:PAGES_MAX]
        if found.sealed_bytes is None or not signed:
            return []
        work = _drawing_plain(document[: found.sealed_bytes], signed)
        try:
            async with asyncio.timeout(SECONDS_MAX):
                return await self._pool.finish(work, client, self._slots)
        except (Refusal, TimeoutError):
            return []


def _drawing_plain(document: bytes, pages: Iterable[int]) -> sealing.Work[list[MarkedPage]]:
    found = []
    for page in pages:
        drawn = yield from sealing.picturing(document, page, PICTURE_WIDTH)
        found.append(MarkedPage(page, drawn.pages, 0, drawn.webp, is_as_sealed=True))
    return found


def _drawing(
    document: bytes, serials: Collection[str], places: Iterable[PlaceView]
) -> sealing.Work[list[MarkedPage]]:
    marks: dict[int, list[Rectangle]] = {}
    for one in places:
        marks.setdefault(one.page, []).append(Rectangle(one.x, one.y, one.width, one.height))
    stamps = yield from sealing.locating(document, serials)
    for stamp in stamps:
        marks.setdefault(stamp.page, []).append(stamp.rectangle)
    found = []
    for page, framed in list(marks.items())[:PAGES_MAX]:
        drawn = yield from sealing.picturing(
            document, page, PICTURE_WIDTH, marks=framed[:STAMPS_MAX]
        )
        count = sum(stamp.page == page for stamp in stamps)
        found.append(MarkedPage(page, drawn.pages, count, drawn.webp))
    return found
