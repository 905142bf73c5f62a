"""Pictures of pages are kept for a while, within a bound, and of one pool."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from meterai.drafts import pictures as module
from meterai.drafts.model import DraftFile, FileNotReady, FileState
from meterai.drafts.pictures import PagePictures
from meterai.kit.ids import new_id
from meterai.sealing import THUMBNAIL_WIDTH, ExaminationBusy, PageOutOfRange
from tests.drafts.test_positions import file
from tests.support.pdf import pdf


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 26, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Store:
    """Bytes of files, and how often they were asked for: as often as something was drawn."""

    def __init__(self) -> None:
        self.asked = 0

    async def content(self, _: DraftFile) -> bytes:
        self.asked += 1
        return pdf(words="Surat")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def drawing(store, watch) -> PagePictures:
    return PagePictures(store.content, watch)


def test_a_page_is_drawn_once_and_its_survey_comes_with_it(drawing, store):
    async def twice():
        one = file(1)
        first = await drawing.picture("a", one, 1)
        assert await drawing.picture("b", one, 1) is first
        assert first.survey is not None
        small = await drawing.picture("a", one, 1, THUMBNAIL_WIDTH)
        assert len(small.webp) < len(first.webp)
        assert small.survey is None

    asyncio.run(twice())
    assert store.asked == 2


def test_a_picture_is_forgotten_after_a_while(drawing, store, watch):
    async def later():
        one = file(1)
        await drawing.picture("a", one, 1, THUMBNAIL_WIDTH)
        watch.time += module.KEPT_FOR + timedelta(seconds=1)
        await drawing.picture("a", one, 1, THUMBNAIL_WIDTH)

    asyncio.run(later())
    assert store.asked == 2


def test_what_is_kept_is_bounded_and_the_oldest_goes_first(drawing, store, monkeypatch):
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


def test_a_file_of_the_same_name_is_another(drawing, store):
    async def two():
        one = file(1)
        await drawing.picture("a", one, 1, THUMBNAIL_WIDTH)
        await drawing.picture("a", replace(one, content=new_id()), 1, THUMBNAIL_WIDTH)

    asyncio.run(two())
    assert store.asked == 2


def test_one_network_leaves_room_for_another(drawing):
    async def flood():
        many = [
            drawing.picture("crowd", file(1), 1, THUMBNAIL_WIDTH)
            for _ in range(module.PER_CLIENT_MAX + 2)
        ]
        found = await asyncio.gather(
            *many, drawing.picture("other", file(1), 1, THUMBNAIL_WIDTH), return_exceptions=True
        )
        refused = [one for one in found if isinstance(one, ExaminationBusy)]
        assert len(refused) == 2
        assert not isinstance(found[-1], BaseException)

    asyncio.run(flood())


def test_refused_is_what_is_no_page_and_what_is_not_here(drawing):
    waiting = replace(file(1), content=None, state=FileState.EXAMINING)
    with pytest.raises(FileNotReady):
        asyncio.run(drawing.picture("a", waiting, 1))
    with pytest.raises(PageOutOfRange):
        asyncio.run(drawing.picture("a", file(1), 2))


def test_the_size_of_a_page_is_found_without_a_picture(drawing):
    found = asyncio.run(drawing.size("a", file(1), 1))
    assert (found.width, found.height) == pytest.approx((595, 842), abs=1)
