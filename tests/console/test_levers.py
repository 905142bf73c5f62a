"""Pages of levers and approvals: only the shown forecast is executed, above a threshold by two people."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape

import psycopg
import pytest

from meterai.approvals import ApprovalState
from meterai.kit.clock import SystemClock
from meterai.plumbing.messages import translate
from tests.console.conftest import Floor
from tests.support.desk import Desk
from tests.support.walk_in import fields

THERE, STOP = "/console/levers/desk.issuing", {"argument-state": "stopped", "reason": "A test."}
MUCH = {"argument-rupiah": "1000000"}


def is_open(floor: Floor) -> bool:
    return bool(floor.rows("SELECT is_open FROM issuing")[0][0])


def sees(floor: Floor, **more: str) -> dict[str, str]:
    """Show the forecast; return the form that pulls the lever."""
    typed = floor.form(THERE, "argument-rupiah") | STOP | more
    shown = floor.post(THERE, typed | {"do": "forecast"})
    assert shown.status_code == 200, shown.text
    return fields(shown.text, THERE, "shown") | {"do": "pull"}


def asks(floor: Floor) -> tuple[Desk, str]:
    """Request a lever over the threshold; return the requester and the page of the request."""
    desk = floor.seat("operations")
    asked = floor.post(THERE, sees(floor, **MUCH))
    assert asked.status_code == 303
    there = asked.headers["location"]
    assert there.startswith("/console/approvals/apr_")
    return desk, there


def state(floor: Floor) -> str:
    return str(floor.rows("SELECT state FROM approvals")[0][0])


def test_lever_page_shows_the_forecast_before_the_act(floor: Floor) -> None:
    floor.seat("operations")
    assert "desk issuing" in floor.walk_in.get("/console/levers")
    pull = sees(floor)
    assert is_open(floor), "a forecast changes nothing"
    done = floor.post(THERE, pull)
    assert done.headers["location"] == "/console/levers?done=desk+issuing"
    assert not is_open(floor)
    assert translate("page.levers.done", "en", lever="desk issuing") in floor.walk_in.get(
        done.headers["location"]
    )
    [(subject, _, facts)] = floor.trail("lever_pulled")
    assert (subject, facts["reason"]) == ("desk issuing", "A test.")


def test_lever_pulled_twice_acts_once_and_shows_the_new_forecast(floor: Floor) -> None:
    floor.seat("operations")
    pull = sees(floor)
    floor.post(THERE, pull)
    again = floor.post(THERE, pull)
    assert again.status_code == 409
    assert translate("refusal.forecast_changed", "en") in again.text
    assert len(floor.trail("lever_pulled")) == 1
    assert fields(again.text, THERE, "shown")["shown"] != pull["shown"]


def test_pull_without_the_shown_forecast_does_nothing(floor: Floor) -> None:
    floor.seat("operations")
    pull = sees(floor)
    for shown in ("", "0" * 64):
        floor.post(THERE, pull | {"shown": shown})
        assert is_open(floor), shown
    floor.post(THERE, pull | {"argument-rupiah": "5"})
    assert is_open(floor), "other arguments than those that were shown"


def test_lever_without_reason_is_refused(floor: Floor) -> None:
    floor.seat("operations")
    typed = floor.form(THERE, "argument-rupiah") | STOP | {"reason": " ", "do": "forecast"}
    refused = floor.post(THERE, typed)
    assert refused.status_code == 422
    assert translate("refusal.reason_missing", "en", length_max=500) in refused.text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"argument-state": ""}, "argument-state"),
        ({"argument-state": "broken"}, "argument-state"),
        ({"argument-rupiah": "many"}, "argument-rupiah"),
        ({"argument-since": "tomorrow"}, "argument-since"),
        ({"argument-since": "0001-01-01T00:00"}, "argument-since"),
        ({"argument-since": "0001-01-01T00:00Z"}, "argument-since"),
        ({"argument-since": "9999-12-31T23:59"}, "argument-since"),
        ({"argument-since": "9999-12-31T23:59-12:00"}, "argument-since"),
    ],
)
def test_malformed_argument_is_shown_at_its_field(
    floor: Floor, typed: dict[str, str], field: str
) -> None:
    floor.seat("operations")
    form = floor.form(THERE, "argument-rupiah") | STOP | typed | {"do": "forecast"}
    refused = floor.post(THERE, form)
    assert refused.status_code == 422
    assert f'id="{field}-error"' in refused.text
    assert f'href="#{field}"' in refused.text


def test_typed_moment_is_in_wib(floor: Floor) -> None:
    floor.seat("operations")
    day = f"{SystemClock().now() + timedelta(days=1):%Y-%m-%d}"
    pull = sees(floor, **MUCH, **{"argument-since": f"{day}T08:00"})
    assert pull["argument-since"] == f"{day}T08:00"
    floor.post(THERE, pull)
    [(arguments,)] = floor.rows("SELECT arguments FROM approvals")
    assert arguments["since"] == f"{day}T08:00:00+07:00"


def test_ended_role_is_refused_from_the_next_request_on(floor: Floor) -> None:
    floor.seat("operations")
    assert floor.get("/console/levers").status_code == 200
    with psycopg.connect(floor.url) as owner:
        owner.execute("UPDATE staff_roles SET ended_at = now()")
    assert floor.get("/console/levers").status_code == 403


def test_lever_pulled_concurrently_acts_once(floor: Floor) -> None:
    floor.seat("operations")
    pull = sees(floor)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: floor.post(THERE, pull).status_code, range(4)))
    assert sorted(found) == [303, 409, 409, 409]
    assert len(floor.trail("lever_pulled")) == 1


def test_staff_without_permission_neither_see_nor_pull_a_lever(floor: Floor) -> None:
    for role in ("support", "regulator"):
        desk = floor.seat(role)
        assert "desk issuing" not in floor.walk_in.get("/console/levers")
        assert floor.get(THERE).status_code == 403
        form = STOP | {"form_token": desk.form_token, "do": "forecast"}
        assert floor.post(THERE, form).status_code == 403
    assert is_open(floor)


def test_form_of_another_session_pulls_nothing(floor: Floor) -> None:
    floor.seat("operations")
    pull = sees(floor)
    floor.seat("operations")
    assert floor.post(THERE, pull).status_code == 403
    assert is_open(floor)


def test_stale_proof_redirects_to_a_fresh_proof(floor: Floor) -> None:
    desk = floor.seat("operations")
    with psycopg.connect(floor.url) as connection:
        connection.execute("UPDATE sessions SET created_at = created_at - interval '11 minutes'")
    pull = STOP | {"form_token": desk.form_token, "do": "pull", "shown": "0" * 64}
    for answer in (floor.get(THERE), floor.post(THERE, pull)):
        assert answer.status_code == 303
        assert (
            answer.headers["location"] == "/sign-in/again?next=%2Fconsole%2Flevers%2Fdesk.issuing"
        )
    assert is_open(floor)


def test_lever_above_a_threshold_waits_for_another_person(floor: Floor) -> None:
    desk = floor.seat("operations")
    typed = floor.form(THERE, "argument-rupiah") | STOP | MUCH | {"do": "forecast"}
    shown = floor.post(THERE, typed).text
    assert translate("page.lever.why.rupiah", "en") in unescape(shown)
    assert translate("page.console.moves", "en", amount="Rp1.000.000") in shown
    mine, there = asks(floor)
    assert is_open(floor)
    assert translate("page.approval.another", "en") in floor.walk_in.get(there)
    floor.turn_to(desk)
    assert translate("page.approval.same", "en") in floor.walk_in.get(there)
    assert mine.shown in floor.walk_in.get(there)
    decided = floor.post(there, floor.form(there) | {"note": "Yes.", "do": "approve"})
    assert decided.headers["location"] == there
    assert not is_open(floor)
    assert state(floor) == ApprovalState.EXECUTED
    again = floor.post(there, {"form_token": desk.form_token, "note": "", "do": "approve"})
    assert again.status_code == 409
    assert len(floor.trail("lever_pulled")) == 1


def test_own_request_cannot_be_decided(floor: Floor) -> None:
    desk, there = asks(floor)
    refused = floor.post(there, {"form_token": desk.form_token, "do": "approve"})
    assert refused.status_code == 403
    assert translate("refusal.own_request", "en") in refused.text
    assert is_open(floor)
    withdrawn = floor.post(f"{there}/withdraw", floor.form(f"{there}/withdraw", there=there))
    assert withdrawn.status_code == 303
    assert state(floor) == ApprovalState.WITHDRAWN


def test_changed_stored_forecast_is_not_shown(floor: Floor) -> None:
    _, there = asks(floor)
    with psycopg.connect(floor.url) as owner:
        owner.execute(
            "UPDATE approvals SET kept_sha256 = NULL, forecast = jsonb_set(forecast, '{effects,0,word}', '\"forged\"')"
        )
    floor.seat("supervisor")
    shown = floor.walk_in.get(there)
    assert translate("refusal.not_as_asked", "en") in shown
    assert "forged" not in shown
    assert translate("page.approval.same", "en") not in shown


def test_approval_with_changed_forecast_does_nothing_and_shows_the_difference(
    floor: Floor,
) -> None:
    _, there = asks(floor)
    other = floor.seat("supervisor")
    floor.post(THERE, sees(floor))
    assert not is_open(floor)
    shown = floor.walk_in.get(there)
    assert translate("page.approval.changed", "en") in shown
    form = {"form_token": other.form_token, "note": "", "do": "approve"}
    assert floor.post(there, form).status_code == 303
    assert state(floor) == ApprovalState.OVERTAKEN
    overtaken = floor.walk_in.get(there)
    assert translate("page.approval.state.overtaken", "en") in overtaken
    assert translate("page.approval.found", "en") in overtaken
