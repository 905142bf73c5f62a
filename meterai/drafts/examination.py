"""Examination of a visitor's document before payment, to find out whether it can be stamped.

The examination has separate slots and processes, so that it takes no slot or process from visitors who have paid.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from meterai import sealing
from meterai.drafts.model import DraftExaminationResult, FileEmpty, PagesTooSmall
from meterai.drafts.shared_loads import Load
from meterai.kit.clock import Clock
from meterai.plumbing.observe.stations import Station, Stations
from meterai.sealing import (
    LAST_PAGE,
    STAMPS_MAX,
    Issuers,
    PageSize,
    Placement,
    PreparedDocument,
    Verdict,
)

PROBED = (LAST_PAGE, 1, 2, 3)  # at least one of these pages must be as large as a stamp
READ_AT_ONCE = 2  # documents, in threads of this process
EXAMINED_AT_ONCE = 1  # broken and signed documents, in a separate process
# The visitor's page waits for the check that stamps fit, which takes milliseconds for nearly every document.
CHECKED_AT_ONCE = 2  # each check has one document in memory; waiting checks have none
CHECKS_WAITING_MAX = 64
WAIT_SECONDS_MAX = 2.0  # mean wait of a visitor; a longer wait is a sign of overload


@dataclass(frozen=True, slots=True)
class ExaminedDocument:
    """A document that can be stamped, repaired if it was broken.

    `sizes` are the sizes of the first `STAMPS_MAX` pages and of the last page.  If one of these pages is smaller than a stamp,
    `sizes` has only one size: that of a page on which a stamp fits.
    """

    document: bytes
    sha256: bytes
    pages: int
    sizes: tuple[PageSize, ...]
    is_repaired: bool
    is_stamped: bool

    @property
    def found(self) -> DraftExaminationResult:
        """Result of the examination, as the row of the file stores it."""
        return DraftExaminationResult(
            len(self.document),
            self.sha256,
            self.pages,
            self.sizes,
            self.is_repaired,
            self.is_stamped,
            sealing.RULES,
        )


def _probe(page: int) -> Placement:
    """Return the smallest placement on a page; examining it yields the size of the page."""
    return Placement(page, 0.0, 0.0, sealing.WIDTH_MIN)


class DraftExamination:
    """Examines documents of visitors who have not paid, a few documents at the same time."""

    def __init__(self, issuers: Issuers, bytes_max: int, clock: Clock, stations: Stations) -> None:
        self._issuers = issuers
        self._bytes_max = bytes_max
        self._clock = clock
        examining = stations.add(Station("examination", WAIT_SECONDS_MAX))
        placing = stations.add(Station("placing", WAIT_SECONDS_MAX))
        self._reading = sealing.Slots(READ_AT_ONCE, station=examining)
        slow = sealing.Pool(EXAMINED_AT_ONCE)
        self._pool = sealing.Pool(
            EXAMINED_AT_ONCE, station=examining, nice=sealing.NICE_OF_BUYERS, slow=slow
        )
        self._checking = sealing.Pool(
            CHECKED_AT_ONCE, CHECKS_WAITING_MAX, placing, sealing.NICE_OF_BUYERS, slow
        )

    async def examine(self, client: str, document: bytes) -> ExaminedDocument:
        """Examine a document, and repair it if it is broken.  `client` is the key of the fair queue.

        Refuses `FileEmpty`, `PagesTooSmall`, and whatever `sealing` refuses about a document.
        """
        if not document:
            raise FileEmpty("no bytes")
        if len(document) > self._bytes_max:
            raise sealing.DocumentTooLarge(size_bytes=len(document), limit_bytes=self._bytes_max)
        return await self._pool.finish(self._examining(document), client, self._reading)

    async def check(self, client: str, load: Load, placements: Sequence[Placement]) -> None:
        """Check that these stamps fit on a document, which is loaded once a slot is free.

        `client` is the key of the fair queue.  Refuses whatever `sealing` refuses about placements.
        """

        async def begin() -> sealing.Work[PreparedDocument]:
            return sealing.accepting(await load(), placements)

        await self._checking.finish_in_turn(begin, client, self._reading)

    def _seen(self, document: bytes) -> sealing.Work[tuple[PreparedDocument, Verdict]]:
        """Examine a document with a test placement, on the first page of `PROBED` on which a stamp fits."""
        at = self._clock.now()
        for page in PROBED:
            try:
                return (yield from sealing.examining(document, [_probe(page)], self._issuers, at))
            except (sealing.PlacementOutsidePage, sealing.PageOutOfRange):
                continue
        raise PagesTooSmall("no page is large enough for a stamp")

    def _examining(self, document: bytes) -> sealing.Work[ExaminedDocument]:
        prepared, verdict = yield from self._seen(document)
        found = prepared.inspection
        first = range(1, min(found.pages - 1, STAMPS_MAX) + 1)
        sizes = found.sizes
        if first:
            try:
                more = yield from sealing.accepting(
                    prepared.document, [_probe(page) for page in first]
                )
                last = [one for one in sizes if one.page == found.pages]
                sizes = (*more.inspection.sizes, *last)
            except sealing.PlacementOutsidePage:
                pass  # one of these pages is smaller than a stamp; a placement on it is refused
        return ExaminedDocument(
            prepared.document,
            hashlib.sha256(prepared.document).digest(),
            found.pages,
            sizes,
            prepared.is_repaired,
            verdict.is_good,
        )
