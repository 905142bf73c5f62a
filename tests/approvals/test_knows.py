"""Requests in the console: search by number, timeline, work list."""

from collections.abc import Sequence
from typing import Any

import pytest

from meterai.approvals.knows import KNOWS, WORK
from meterai.approvals.model import APPROVAL_SUBJECT
from meterai.kit.subjects import Happening, Subject, SubjectKind
from meterai.plumbing.messages import localize, translate
from tests.support.lines import BUYING
from tests.support.pulling import Member, member
from tests.support.shop import Shop

ALWAYS = {"approval_always": "line resume"}


def look(shop: Shop, query: Any, *given: object) -> Any:
    async def read() -> Any:
        async with shop.container.database.reading() as tx:
            return await query(tx, *given)

    return shop.do(read())


def listed(shop: Shop) -> Sequence[Any]:
    found: Sequence[Any] = look(
        shop, WORK[0].waiting, shop.container.settings, shop.container.clock.now(), 10
    )
    return found


@pytest.fixture
def two(shop: Shop) -> tuple[Member, Member]:
    return (
        member(shop, "operations", settings=ALWAYS),
        member(shop, "supervisor", settings=ALWAYS),
    )


def said(one: Happening, language: str) -> str:
    return translate(f"happening.{one.word}", language, **localize(one.facts, language))


@pytest.mark.parametrize("approve", [True, False])
def test_timeline_of_a_request_is_complete(
    shop: Shop, two: tuple[Member, Member], approve: bool
) -> None:
    asker, approver = two
    pulled = asker.pull("line resume", "the bank is back", name=BUYING)
    [item] = listed(shop)
    assert item.about == Subject(APPROVAL_SUBJECT.kind, pulled.shown)
    assert look(shop, KNOWS.find, pulled.shown, 5) == [item.about]
    approver.decide(pulled, "seen", approve=approve)
    assert listed(shop) == []
    told = look(shop, KNOWS.tell, item.about)
    word = "approval_executed" if approve else "approval_declined"
    assert [one.word for one in told] == ["approval_requested", word]
    assert [one.actor for one in told] == [
        f"staff:{asker.desk.shown}",
        f"staff:{approver.desk.shown}",
    ]
    for language in ("id", "en"):
        assert "the bank is back" in said(told[0], language)
        assert "seen" in said(told[1], language)
        assert not any("{" in said(one, language) for one in told)


def test_other_text_finds_no_request(shop: Shop) -> None:
    for text in ("apr_1", "ord_1", "budi", ""):
        assert look(shop, KNOWS.find, text, 5) == ()
    assert look(shop, KNOWS.tell, Subject(SubjectKind.ORDER, "ord_1")) == ()
