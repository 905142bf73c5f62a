"""Page of a subject: timeline, head, and offered levers."""

import re
from datetime import UTC, datetime

import psycopg
import pytest

from meterai.accounts import StaffRole
from meterai.kit.money import Rupiah
from meterai.kit.subjects import Happening
from meterai.orders import OrderSettings
from meterai.plumbing.messages import LANGUAGES, catalogue, translate
from meterai.room.timelines import line
from tests.console.conftest import Floor
from tests.console.desk_room import HAPPENINGS, MANY


def test_page_of_an_order_begins_with_its_state_and_its_money(floor: Floor) -> None:
    desk = floor.seat("support")
    buying = floor.form("/buy", "quantity")
    order = floor.walk_in.goes("/buy", buying | {"quantity": "3"}).rpartition("/")[2]
    shown = floor.walk_in.get(f"/console/subjects/order/{order}")
    assert translate("state.order.placed", "en") in shown
    sale = floor.walk_in.container.settings.of(OrderSettings)
    total = Rupiah(3 * (sale.stamp_price + sale.service_fee))
    assert translate("page.subject.order", "en", quantity=3, total=total) in shown
    assert re.findall(r'<tr class="(\w+)">', shown) == [
        "captured",
        "executed",
        "refunded",
        "in_flight",
    ]
    assert f'href="/console/subjects/account/{desk.shown}"' in shown


def test_timeline_is_paged_oldest_first(floor: Floor) -> None:
    floor.seat("regulator")
    there = f"/console/subjects/line/{MANY}"
    seen: list[int] = []
    for number in (1, 2, 3):
        shown = floor.walk_in.get(f"{there}?page={number}")
        seen += [int(one) for one in re.findall(r"happening\.told_(\d+)", shown)]
        assert translate("page.subject.page", "en", number=number, last=3) in shown
    assert seen == list(range(HAPPENINGS))
    assert "told_449" in floor.walk_in.get(f"{there}?page=99")
    assert "told_0" in floor.walk_in.get(f"{there}?page=-1")


def test_timeline_line_has_time_in_wib_actor_and_subject(floor: Floor) -> None:
    desk = floor.seat("regulator")
    shown = floor.walk_in.get(f"/console/subjects/account/{desk.shown}")
    assert "30 Nov 2025 08:00 WIB" in shown
    assert "job:execute" in shown
    assert 'href="/console/cases/cas_1"' in shown


def test_page_of_an_account_that_used_a_key_is_shown(floor: Floor) -> None:
    desk = floor.seat("support")
    with psycopg.connect(floor.url) as connection:
        connection.execute(
            "INSERT INTO api_keys (account_id, key_id, name, secret_hash, last_used_at)"
            " VALUES (%s, gen_random_uuid(), 'ours', sha256(''), now())",
            [desk.account],
        )
    shown = floor.walk_in.get(f"/console/subjects/account/{desk.shown}")
    assert "ours (key_" in shown


@pytest.mark.parametrize("word", [one for one in catalogue() if one.startswith("happening.")])
def test_timeline_line_accepts_facts_of_any_name(word: str) -> None:
    texts = catalogue()[word]
    named = set(re.findall(r"\{(\w+)", "".join(texts.values()))) | {"key", "language", "facts"}
    at = datetime(2026, 11, 30, tzinfo=UTC)
    told = Happening(at, word.partition(".")[2], dict.fromkeys(named, "7"))
    for language in LANGUAGES:
        assert "{" not in line(told, language).sentence


@pytest.mark.parametrize("edge", ["0001-01-01", "9999-12-31", "9999-12", "0001-01"])
def test_page_of_a_day_or_month_beyond_the_calendar_is_not_found(floor: Floor, edge: str) -> None:
    floor.seat(*StaffRole)
    dated = {
        re.sub(r"\{(month|day|of):str\}", edge, one.path)
        for one in floor.walk_in.client.app.routes
        if re.search(r"\{(month|day|of):str\}", one.path)
    }
    assert len(dated) >= 10
    for path in dated:
        found = floor.get(re.sub(r"\{\w+:str\}", "x", path))
        assert found.status_code < 500, path


def test_opened_page_is_in_the_trail_of_the_account(floor: Floor) -> None:
    desk = floor.seat("support")
    floor.walk_in.get(f"/console/subjects/account/{desk.shown}")
    [(subject, actor, facts)] = floor.trail("console_opened")
    assert (subject, actor, facts) == (desk.shown, f"staff:{desk.shown}", {"kind": "account"})
    accounts = floor.rows("SELECT account_id FROM audit_events WHERE action = 'console_opened'")
    assert accounts == [(desk.account,)]


def test_lever_is_offered_to_those_who_may_pull_it(floor: Floor) -> None:
    for role, is_offered in (("operations", True), ("support", False), ("regulator", False)):
        desk = floor.seat(role)
        shown = floor.walk_in.get(f"/console/subjects/account/{desk.shown}")
        assert ('href="/console/levers/desk.issuing?state=stopped"' in shown) == is_offered, role


def test_page_of_a_person_has_no_lever_of_organizations(floor: Floor) -> None:
    desk = floor.seat(*StaffRole)
    shown = floor.walk_in.get(f"/console/subjects/account/{desk.shown}")
    offered = set(re.findall(r'href="/console/levers/([\w.-]+)', shown))
    assert "sessions.end" in offered
    assert {one.partition(".")[0] for one in offered} & {
        *("collectors", "distributors", "deposits", "organizations")
    } == set()


def test_unknown_subject_is_not_found_and_leaves_no_trail(floor: Floor) -> None:
    floor.seat("support")
    for path in ("line/lin_none", "nothing/x", "account/acc_x", "order/" + "x" * 300, "line/%00"):
        assert floor.get(f"/console/subjects/{path}").status_code == 404, path
    assert floor.trail("console_opened") == []
