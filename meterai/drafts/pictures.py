"""Pictures of the pages of drafts, drawn by separate processes and cached.

The cache is in memory, not in the object store, so that a reader of the store finds no pictures.  Pictures of a deleted file
are not requested any more, and soon leave the cache.  A failed drawing is cached too, since it takes longer than any successful
one.  The routes check at each request that the visitor may see the file.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeVar
from uuid import UUID

from meterai import sealing
from meterai.drafts.model import DraftFile, FileNotReady
from meterai.drafts.shared_loads import SharedLoads
from meterai.kit.clock import Clock
from meterai.plumbing.observe.stations import Station, Stations
from meterai.sealing import PageNotDrawn, PagePicture, PageSize, Placement

DRAWN_AT_ONCE = 1  # processes; a drawing uses a processor for two seconds at most
WAITING_MAX = 128  # pictures; at about 30 ms each, a wait of four seconds
WAIT_SECONDS_MAX = 2.0  # mean wait for a picture; a longer wait is a sign of overload
KEPT_BYTES_MAX = 24 * 1024 * 1024  # of one process; a picture with its survey has about 50 KB
KEPT_FOR = timedelta(minutes=15)  # of a picture; placing a stamp takes less
UNDRAWN_FOR = timedelta(
    minutes=5
)  # of a failure; shorter, since load of the machine may have caused it
OVERHEAD_BYTES = 1_000  # of a cache entry, beside picture and survey
Found = TypeVar("Found")
WIDTHS = (sealing.THUMBNAIL_WIDTH, sealing.PICTURE_WIDTH)


class _Key(NamedTuple):
    file: UUID
    page: int
    width: int


class _KeptPicture(NamedTuple):
    picture: PagePicture | type[PageNotDrawn]  # or the reason why none can be drawn
    until: datetime
    bytes: int


class PagePictures:
    """Draws and caches pictures of pages.

    A file is loaded only when a process is free to draw it, so that waiting requests hold no file in memory.  The processes
    draw pictures only, so that drawing does not delay uploads, checks or payments.
    """

    def __init__(self, loads: SharedLoads, clock: Clock, stations: Stations) -> None:
        self._loads = loads
        self._clock = clock
        self._slots = sealing.Slots(1)
        self._pool = sealing.Pool(
            DRAWN_AT_ONCE,
            WAITING_MAX,
            stations.add(Station("pictures", WAIT_SECONDS_MAX)),
            sealing.NICE_OF_BUYERS,
            sealing.Pool(DRAWN_AT_ONCE),
        )
        self._kept: OrderedDict[_Key, _KeptPicture] = OrderedDict()
        self._kept_bytes = 0

    async def picture(
        self, client: str, file: DraftFile, page: int, width: int = sealing.PICTURE_WIDTH
    ) -> PagePicture:
        """Return the picture of a page; a picture of full width includes the survey of ink.

        `client` identifies the requester in the fair queue for free processes; `width` is in pixels.  Refuses `FileNotReady`,
        `PageOutOfRange`, `PageNotDrawn`, `ExaminationBusy`, `DocumentUnavailable`.
        """
        assert width in WIDTHS, width
        if not file.is_usable:
            raise FileNotReady(f"the file is {file.state}")
        key = _Key(file.id, page, width)
        kept = self._found(key)
        if kept is None:
            kept = self._keep(key, await self._drawn(client, file, page, width))
        if not isinstance(kept.picture, PagePicture):
            raise kept.picture("no picture of this page can be made")
        # A copy of the survey for each caller: a search for a free place stores half a megabyte of sums in the
        # survey, which would otherwise stay in the cache with the picture.
        survey = kept.picture.survey
        return replace(kept.picture, survey=survey and replace(survey))

    async def size(self, client: str, file: DraftFile, page: int) -> PageSize:
        """Return the visible size of a page, in points, even if the page cannot be drawn.

        Refuses with the refusals of `sealing`, for example `PlacementOutsidePage` for a page smaller than any stamp.
        """
        for one in file.sizes:
            if one.page == page:
                return one
        probe = Placement(page, 0.0, 0.0, sealing.WIDTH_MIN)
        accept = partial(sealing.accepting, placements=[probe])
        prepared = await self._finished(client, file, accept)
        return prepared.inspection.sizes[0]

    async def _drawn(
        self, client: str, file: DraftFile, page: int, width: int
    ) -> PagePicture | type[PageNotDrawn]:
        with_survey = width == sealing.PICTURE_WIDTH
        draw = partial(sealing.picturing, page=page, width=width, with_survey=with_survey)
        try:
            return await self._finished(client, file, draw)
        except PageNotDrawn as why:
            return type(why)

    async def _finished(
        self, client: str, file: DraftFile, work_on: Callable[[bytes], sealing.Work[Found]]
    ) -> Found:
        with self._loads.shared(file) as load:

            async def begin() -> sealing.Work[Found]:
                return work_on(await load())

            return await self._pool.finish_in_turn(begin, client, self._slots)

    def _found(self, key: _Key) -> _KeptPicture | None:
        kept = self._kept.get(key)
        if kept is None or kept.until < self._clock.now():
            return None
        self._kept.move_to_end(key)
        return kept

    def _keep(self, key: _Key, picture: PagePicture | type[PageNotDrawn]) -> _KeptPicture:
        self._drop(key)
        size = OVERHEAD_BYTES
        lasts = UNDRAWN_FOR
        if isinstance(picture, PagePicture):
            lasts = KEPT_FOR
            size += len(picture.webp)
            if picture.survey is not None:
                size += len(picture.survey.ink)
        until = self._clock.now() + lasts
        kept = self._kept[key] = _KeptPicture(picture, until, size)
        self._kept_bytes += size
        while self._kept_bytes > KEPT_BYTES_MAX:
            self._drop(next(iter(self._kept)))
        return kept

    def _drop(self, key: _Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._kept_bytes -= kept.bytes
