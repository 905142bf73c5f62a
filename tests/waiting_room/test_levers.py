"""Levers of lines compared with their forecasts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.refusal import Malformed
from meterai.waiting_room.model import LineUnknown
from tests.support.lines import BUYING
from tests.support.pulling import Member, member
from tests.support.shop import Shop


@pytest.fixture
def one(shop: Shop) -> Member:
    return member(shop, "operations")


def line(shop: Shop, name: str = BUYING) -> dict[str, Any]:
    [found] = shop.rows(
        "SELECT * FROM waiting_room_lines WHERE name = %s ORDER BY created_at DESC LIMIT 1", name
    )
    return found


_DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
FAR, PAST = (_DAY + timedelta(days=30)).isoformat(), (_DAY - timedelta(days=30)).isoformat()
ACTS: tuple[tuple[str, dict[str, str], str, dict[str, object]], ...] = (
    ("line rate", {"rate": "3"}, "line_rate_fixed", {"policy": "fixed", "rate": 3.0}),
    (
        "line rate",
        {"at_most": "50"},
        "line_rate_measured",
        {"policy": "measured", "rate_max": 50.0},
    ),
    (
        "line pause",
        {"reason_id": "bank", "reason_en": "the bank"},
        "line_pauses",
        {"is_paused": True, "reason_en": "the bank"},
    ),
    ("line resume", {}, "line_resumes", {"is_paused": False}),
    ("line stand", {"how": "always"}, "line_stands_always", {"is_engaged": True}),
    ("line stand", {"how": "never"}, "line_stands_never", {"is_engaged": False}),
    ("line stand", {"how": "automatic"}, "line_stands_automatic", {"is_automatic": True}),
    ("line close", {}, "line_takes_without_end", {"closes_at": None}),
    ("line end", {}, "line_ends", {"state": "ended"}),
)


@pytest.mark.parametrize(("name", "more", "word", "then"), ACTS, ids=lambda value: str(value)[:40])
def test_act_on_a_line_equals_its_forecast(
    shop: Shop, one: Member, name: str, more: dict[str, str], word: str, then: dict[str, object]
) -> None:
    before = line(shop)
    told = one.forecast(name, name=BUYING, **more)
    assert [effect.word for effect in told.effects] == [word, "line_waiting"]
    assert line(shop) == before
    assert one.pull(name, name=BUYING, **more).is_done
    assert {field: line(shop)[field] for field in then} == then


def test_line_closes_at_its_moment_or_soon(shop: Shop, one: Member) -> None:
    words = {}
    for at in (FAR, PAST):
        words[at] = one.forecast("line close", name=BUYING, at=at).effects[0].word
        assert one.pull("line close", name=BUYING, at=at).is_done
    assert list(words.values()) == ["line_takes_until", "line_takes_no_more"]
    assert line(shop)["closes_at"] > _DAY, "every process has to know of it first"


def test_forecast_refuses_what_the_act_refuses(shop: Shop, one: Member) -> None:
    with pytest.raises(LineUnknown):
        one.forecast("line resume", name="nothing")
    for act, more in (
        ("line pause", {"reason_id": "x" * 300, "reason_en": "x"}),
        ("line pause", {"reason_id": " ", "reason_en": "x"}),
        ("line rate", {"rate": "0"}),
        ("line stand", {"how": "sometimes"}),
    ):
        with pytest.raises(Malformed):
            one.forecast(act, name=BUYING, **more)
    shop.arrange("UPDATE waiting_room_lines SET state = 'closing'")
    with pytest.raises(NotAllowedNow):
        one.forecast("line close", name=BUYING, at=FAR)
