"""Timelines as tests read them: found by a search text, collected from every room, in words."""

from collections.abc import Sequence

from meterai.apps.rooms import offers_of
from meterai.kit.subjects import Happening, Subject
from meterai.room.timelines import found, line, timeline
from tests.support.shop import Shop

OFFERS = offers_of()


def search(shop: Shop, text: str, limit: int = 10) -> list[Subject]:
    """The subjects that a text of the search box names."""

    async def look() -> list[Subject]:
        async with shop.container.database.reading() as tx:
            return await found(tx, OFFERS, text, limit)

    return shop.do(look())


def timeline_of(shop: Shop, subject: Subject) -> list[Happening]:
    """All happenings that the rooms have about a subject, oldest first."""

    async def look() -> list[Happening]:
        async with shop.container.database.reading() as tx:
            return await timeline(tx, OFFERS, subject)

    return shop.do(look())


def words(told: Sequence[Happening], *, for_staff: bool = False) -> list[str]:
    """The words of happenings that a person sees, or staff too."""
    return [one.word for one in told if for_staff or not one.for_staff]


def sentences(told: Sequence[Happening], language: str = "en") -> list[str]:
    """The sentences of happenings with their values filled in."""
    read = [line(one, language).sentence for one in told]
    assert not [one for one in read if "{" in one or "happening." in one], read
    return read
