"""Recovery over a database: step by step, by hand and automatically, and back."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from meterai import incidents
from meterai.incidents import IncidentChange, IncidentHeld, IncidentState, IncidentText
from meterai.kit.ids import show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.subjects import Subject, SubjectKind
from meterai.orders import OrderService
from meterai.plumbing.db.database import Tx
from meterai.recovery import steps
from meterai.recovery.knows import KNOWS, WORK
from meterai.recovery.model import (
    RECOVERY_SUBJECT,
    STEPS,
    OrderNotUnserved,
    Recovery,
    RecoveryStep,
    RecoveryUnderWay,
    StepEvent,
)
from meterai.refunds import NothingToRefund
from tests.incidents.records import NOW, updated
from tests.recovery.conftest import Night
from tests.support.pulling import member
from tests.support.shop import FEE, PRICE, TESTER

TO_THE_END = ("stampings", "paid", "checking", "buying", "sign_up", "done")


def test_manual_recovery_closes_and_opens_in_order(night: Night) -> None:
    before = night.buying()
    night.pull("start")
    assert (night.step(), night.is_sign_up_open()) == ("closing", False)
    held = night.buying()
    assert (held["name"], held["is_engaged"], held["is_paused"]) == ("buying", True, True)
    assert "You keep your number" in held["reason_en"]
    for state in TO_THE_END:
        night.pull("next")
        assert night.step() == state
        assert night.buying()["is_paused"] == (state in ("stampings", "paid", "checking"))
        assert night.is_sign_up_open() == (state in ("sign_up", "done"))
    after = night.buying()
    names = ("is_automatic", "is_paused", "policy")
    assert [after[one] for one in names] == [before[one] for one in names]
    told = night.said()
    assert len(told) == 1 + len(STEPS) + 1
    assert "keep your place" in told[1]
    night.shop.assert_books_hold()
    updated(night.shop, night.incident, IncidentState.RESOLVED, at=NOW + timedelta(hours=1))


def test_concurrent_starts_make_one_recovery(night: Night) -> None:
    database = night.shop.container.database

    async def both() -> list[object]:
        begin = partial(steps.start, incident=night.incident, at=NOW, actor=TESTER)
        runs = (database.run(begin) for _ in range(2))
        return await asyncio.gather(*runs, return_exceptions=True)

    found = night.shop.do(both())
    refused = [one for one in found if isinstance(one, Exception)]
    assert [type(one) for one in refused] == [RecoveryUnderWay]
    assert len(night.shop.rows("SELECT 1 FROM recoveries")) == 1


def test_incident_is_not_resolved_while_a_step_runs(night: Night) -> None:
    night.pull("start")
    told = IncidentText(text_id="Selesai.", text_en="It is over.")

    async def resolve() -> None:
        change = IncidentChange(state=IncidentState.RESOLVED)
        await night.shop.container.database.run(
            lambda tx: incidents.update(tx, night.incident.id, change, told, at=NOW, actor=TESTER)
        )

    with pytest.raises(IncidentHeld):
        night.shop.do(resolve())
    night.pull("abandon")
    night.shop.do(resolve())


def test_automatic_recovery_continues_on_good_numbers_and_announces_steps(night: Night) -> None:
    night.pull("start")
    assert night.looks(60) == "closing"  # only by hand
    night.pull("go")
    seen = [night.look() for _ in range(70)]
    assert list(dict.fromkeys(seen)) == ["closing", *TO_THE_END]
    actors = night.shop.rows("SELECT DISTINCT actor FROM recovery_steps WHERE number > 1")
    assert [row["actor"] for row in actors] == ["job:advance_recovery"]


def test_step_waits_while_a_paid_order_is_not_executed(night: Night) -> None:
    night.pull("start")
    for _ in range(2):
        night.pull("next")
    order = night.shop.place(1)
    night.shop.pay(order)  # captured, and not posted by a worker yet
    night.pull("go")
    assert night.looks(60) == "paid"
    assert night.status().numbers.captured == 1
    night.shop.work()
    assert night.shop.state(order) == "executed"
    assert night.looks(14) == "checking"


def test_worsening_numbers_move_back_one_step_and_are_announced(night: Night) -> None:
    night.pull("start")
    for _ in range(4):
        night.pull("next")
    assert night.step() == "buying"
    assert not night.buying()["is_paused"]
    night.pull("go")
    loaded = (
        "INSERT INTO waiting_room_loads (process, told_at, refused, arrivals, pressure, is_crowded)"
        " VALUES ('web-1', now() + interval '1 hour', 0, 0, 2.0, false)"
    )
    night.shop.arrange(loaded)
    assert night.looks(14) == "buying"
    assert night.looks(6) == "checking"
    assert night.buying()["is_paused"]
    assert "went back one step" in night.said()[-1]
    night.shop.arrange("DELETE FROM waiting_room_loads")
    assert night.looks(16) == "checking"  # twice as long as the first time
    assert night.looks(8) == "buying"


def test_stopped_issuing_opens_only_by_hand_with_second_person(
    night: Night,
) -> None:
    night.staff.pull("issuing stop", "the disk was full")
    orders = [night.shop.place(40) for _ in range(3)]
    for order in orders:
        night.shop.pay(order)
    night.shop.work()
    night.pull("start")
    night.pull("next")
    night.pull("go")
    assert night.looks(30) == "stampings"
    told = night.staff.forecast("recover next", step="paid")
    assert told.rupiah >= 3 * 40 * 10_000
    asked = night.staff.pull("recover next", step="paid")
    assert not asked.is_done
    other = member(night.shop, "operations")
    assert other.decide(asked).state == "executed"
    night.shop.do(night.shop.container.of(OrderService).execute_paid())
    assert {night.shop.state(order) for order in orders} == {"executed"}
    night.pull("back")
    assert night.is_issuing_open()
    night.pull("abandon")
    assert night.is_issuing_open()


def test_recovery_continues_when_incident_refuses_updates(night: Night) -> None:
    night.pull("start")
    [found] = night.shop.rows("SELECT state FROM incidents")
    night.shop.arrange(
        "UPDATE incidents SET held_by = '', state = 'resolved', resolved_at = updated_at"
    )
    said = len(night.said())
    night.pull("next")
    night.pull("go")
    assert night.looks(8) == "paid"
    night.pull("abandon")
    assert (night.step(), night.is_sign_up_open(), len(night.said())) == ("abandoned", True, said)
    untold = night.shop.rows(
        "SELECT facts->>'untold' AS why FROM audit_events WHERE action IN ('recovery_next', 'recovery_abandoned')"
    )
    assert [row["why"] for row in untold] == ["not_allowed_now"] * 3
    night.shop.arrange("UPDATE incidents SET state = %s, resolved_at = NULL", found["state"])


def test_step_is_refused_after_automatic_move_since_forecast(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.pull("start")
    night.pull("go")
    night.looks(4)
    real = steps.locked

    async def after_the_worker(tx: Tx) -> Recovery:
        night.clock.ahead += timedelta(seconds=4)
        await night.service.advance()
        return await real(tx)

    monkeypatch.setattr(steps, "locked", after_the_worker)
    with pytest.raises(NotAllowedNow):
        night.staff.pull("recover next", step="stampings")
    assert night.step() == "stampings"  # by the worker


def test_abandoned_recovery_restores_everything(night: Night) -> None:
    night.lines.operate("stand", "buying", "always")
    night.lines.operate("set_rate", "buying", rate=7.0, rate_max=9.0)
    before = night.buying()
    night.pull("start")
    night.pull("next")
    night.pull("abandon")
    after = night.buying()
    for name in ("is_engaged", "is_automatic", "is_paused", "policy", "rate", "reason_en"):
        assert after[name] == before[name], name
    assert night.is_sign_up_open()
    assert night.step() == RecoveryStep.ABANDONED


def test_closed_state_before_recovery_is_restored_at_its_end(night: Night) -> None:
    reason = {"reason_id": "Ganti harga.", "reason_en": "Prices change."}
    night.lines.operate("pause", "buying", **reason)
    night.staff.pull("sign-up close", "bots")
    night.pull("start")
    for _ in TO_THE_END[:-1]:
        night.pull("next")
    assert (night.buying()["is_paused"], night.is_sign_up_open()) == (False, True)
    told = [one.word for one in night.staff.forecast("recover next", step="done").effects]
    assert "recovery_closes_again" in told
    night.pull("next")
    left = night.buying()
    assert (left["is_paused"], left["reason_en"]) == (True, "Prices change.")
    assert not night.is_sign_up_open()
    assert "that were closed before it" in night.said()[-1]


def test_number_taken_before_is_called_after_buying_opens(night: Night) -> None:
    lines = night.lines
    lines.operate("stand", "buying", "always")
    room = lines.room()
    mine = lines.take(room)
    night.pull("start")
    lines.take(room)  # a new person gets a later number
    for state in ("stampings", "paid", "checking"):
        night.pull("next")
        assert night.step() == state
        lines.advance()
        assert night.buying()["serving"] < mine.number
    night.pull("next")
    lines.advance()
    assert night.buying()["serving"] >= mine.number
    assert lines.see(room).places_to(mine.number) <= 0


def test_crash_in_a_step_undoes_it_and_a_repeat_completes_it(night: Night) -> None:
    night.pull("start")
    for _ in range(3):
        night.pull("next")
    database, said = night.shop.container.database, len(night.said())

    async def die(tx: Tx) -> None:
        await steps.move(tx, await steps.locked(tx), StepEvent.NEXT, at=NOW, actor=TESTER)
        raise ConnectionError("the process is gone")

    with pytest.raises(ConnectionError):
        night.shop.do(database.run(die))
    assert (night.step(), night.buying()["is_paused"], len(night.said())) == (
        "checking",
        True,
        said,
    )
    night.shop.assert_books_hold()
    night.pull("next")
    assert (night.step(), night.buying()["is_paused"]) == ("buying", False)


def test_refunds_of_unserved_orders_need_two_people(night: Night) -> None:
    shop = night.shop
    night.staff.pull("issuing stop", "the disk was full")
    unwanted, late, kept = (shop.place(quantity) for quantity in (1, 2, 3))
    for order in (unwanted, late, kept):
        shop.pay(order)
    shop.work()
    shop.arrange("UPDATE orders SET due_at = paid_at WHERE order_id = %s", late)
    night.pull("start")
    one, other = member(shop, "finance"), member(shop, "finance")
    named = {"orders": show("ord", unwanted)}
    told = one.forecast("recover refund", **named)
    assert (told.rows, told.rupiah) == (2, 3 * (PRICE + FEE))
    asked = one.pull("recover refund", **named)
    assert not asked.is_done
    assert other.decide(asked).state == "executed"
    states = [shop.state(order) for order in (unwanted, late, kept)]
    assert states == ["returning", "returning", "paid"]
    assert len(shop.refunds()) == 2
    with pytest.raises(OrderNotUnserved):
        one.forecast("recover refund", **named)
    with pytest.raises(NothingToRefund):
        one.forecast("recover refund")
    night.pull("abandon")


def test_long_waiting_step_is_in_work_list_and_timeline(night: Night) -> None:
    night.pull("start")
    recovery = night.status().recovery
    assert recovery is not None
    about = Subject(RECOVERY_SUBJECT.kind, recovery.shown)
    [work], now = WORK, datetime.now(UTC)

    async def ask() -> tuple[int, int, list[str], list[str]]:
        async with night.shop.container.database.reading() as tx:
            settings = night.shop.container.settings
            soon = await work.waiting(tx, settings, now, 10)
            later = await work.waiting(tx, settings, now + timedelta(minutes=16), 10)
            told = await KNOWS.tell(tx, about)
            incident = Subject(SubjectKind.INCIDENT, night.incident.shown)
            of_incident = await KNOWS.tell(tx, incident)
            assert await KNOWS.find(tx, recovery.shown, 5) == (about,)
            return len(soon), len(later), [one.word for one in told], [o.word for o in of_incident]

    found = night.shop.do(ask())
    assert found == (0, 1, ["recovery_started"], ["recovery_started"])
