"""Pictures of pages: their cache, its limit, and their pool."""

import asyncio
import io
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest

from meterai.drafts import pictures as module
from meterai.drafts import shared_loads
from meterai.drafts.model import DraftFile, FileNotReady, FileState
from meterai.drafts.pictures import PagePictures
from meterai.drafts.shared_loads import SharedLoads
from meterai.plumbing.observe.stations import Stations
from meterai.sealing import THUMBNAIL_WIDTH, ExaminationBusy, PageNotDrawn, PageOutOfRange
from tests.drafts.test_positions import file
from tests.support.pdf import pdf


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 26, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Store:
    """Bytes of files, with the number of loads."""

    def __init__(self) -> None:
        self.bytes = pdf(words="Surat", pages=5)
        self.asked = 0
        self.is_open = asyncio.Event()
        self.is_open.set()

    async def content(self, _: DraftFile) -> bytes:
        self.asked += 1
        await self.is_open.wait()
        return self.bytes


def cropped_beside_itself() -> bytes:
    """A document whose page is undrawable: its crop box is outside its media box."""
    with pikepdf.open(io.BytesIO(pdf())) as document:
        document.pages[0].obj.CropBox = pikepdf.Array([1000, 1000, 1200, 1200])
        out = io.BytesIO()
        document.save(out)
    return out.getvalue()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def drawing(store, watch) -> PagePictures:
    return PagePictures(SharedLoads(store.content), watch, Stations())


def test_page_is_drawn_once_with_its_survey(drawing, store):
    async def twice():
        one = file(1)
        first = await drawing.picture("a", one, 1)
        assert await drawing.picture("b", one, 1) == first
        assert first.survey is not None
        small = await drawing.picture("a", one, 1, THUMBNAIL_WIDTH)
        assert len(small.webp) < len(first.webp)
        assert small.survey is None

    asyncio.run(twice())
    assert store.asked == 2


def test_failure_to_draw_is_cached_and_expires(drawing, store, watch):
    store.bytes = cropped_beside_itself()

    async def again_and_again():
        one = file(1)
        for _ in range(3):
            with pytest.raises(PageNotDrawn):
                await drawing.picture("a", one, 1)
        assert store.asked == 1
        watch.time += module.UNDRAWN_FOR + timedelta(seconds=1)
        with pytest.raises(PageNotDrawn):
            await drawing.picture("a", one, 1)

    asyncio.run(again_and_again())
    assert store.asked == 2


def test_full_cache_evicts_oldest_picture(drawing, store, monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES_MAX", 3 * module.OVERHEAD_BYTES)

    async def many():
        files = [file(1) for _ in range(4)]
        for one in files:
            await drawing.picture("a", one, 1, THUMBNAIL_WIDTH)
        await drawing.picture("a", files[3], 1, THUMBNAIL_WIDTH)
        assert store.asked == 4
        await drawing.picture("a", files[0], 1, THUMBNAIL_WIDTH)

    asyncio.run(many())
    assert store.asked == 5
    assert drawing._kept_bytes <= 3 * module.OVERHEAD_BYTES
    assert len(drawing._kept) <= 2


def test_one_network_leaves_room_for_another(drawing):
    async def flood():
        many = [
            drawing.picture("crowd", file(1), 1, THUMBNAIL_WIDTH)
            for _ in range(module.DRAWN_AT_ONCE + module.WAITING_MAX)
        ]
        found = await asyncio.gather(
            *many, drawing.picture("other", file(1), 1, THUMBNAIL_WIDTH), return_exceptions=True
        )
        refused = [one for one in found if isinstance(one, ExaminationBusy)]
        assert len(refused) == 1, "the place that the other needed"
        assert not isinstance(found[-1], BaseException)

    asyncio.run(flood())


def test_missing_page_and_missing_file_are_refused(drawing):
    waiting = replace(file(1), state=FileState.EXAMINING)
    with pytest.raises(FileNotReady):
        asyncio.run(drawing.picture("a", waiting, 1))
    with pytest.raises(PageOutOfRange):
        asyncio.run(drawing.picture("a", file(1), 6))


def test_file_awaited_by_several_is_loaded_once_and_then_released(drawing, store):
    async def pages():
        one = file(5)
        await asyncio.gather(
            *(drawing.picture("a", one, page, THUMBNAIL_WIDTH) for page in range(1, 6)),
            drawing.size("b", replace(one, sizes=()), 3),
        )

    asyncio.run(pages())
    assert store.asked == 1
    assert drawing._loads._kept_bytes == 0
    assert not drawing._loads._kept


def test_bytes_kept_for_waiting_clients_are_bounded(drawing, store, monkeypatch):
    monkeypatch.setattr(shared_loads, "KEPT_BYTES_MAX", 250)
    held: list[int] = []

    async def loaded():
        kept = SharedLoads(store.content)
        files = [replace(file(1), size=100) for _ in range(4)]
        files.append(replace(file(1), size=251))
        with ExitStack() as waiting:
            loads = [waiting.enter_context(kept.shared(one)) for one in files]
            for load in loads:
                await load()
                held.append(kept._kept_bytes)
            await loads[3]()
            assert store.asked == 5, "it is here"
            await loads[0]()
            assert store.asked == 6, "it was pushed out"
        assert kept._kept_bytes == 0

    asyncio.run(loaded())
    assert held == [100, 200, 200, 200, 200]
