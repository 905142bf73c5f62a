"""Page of a subject: timeline, head, and offered levers."""

import re

from meterai.kit.money import Rupiah
from meterai.orders import OrderSettings
from meterai.plumbing.messages import translate
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


def test_unknown_subject_is_not_found_and_leaves_no_trail(floor: Floor) -> None:
    floor.seat("support")
    for path in ("line/lin_none", "nothing/x", "account/acc_x", "order/" + "x" * 300, "line/%00"):
        assert floor.get(f"/console/subjects/{path}").status_code == 404, path
    assert floor.trail("console_opened") == []
