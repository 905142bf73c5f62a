"""Each night our books are compared with the bank's own record, once, whatever lies in it."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meterai.apps.audit_bank import Compared, compare
from meterai.apps.bank_night import DAYS_MAX, TASK, nightly
from meterai.apps.worker import periodic_tasks
from meterai.audit import NightResult, Nights
from meterai.audit.metrics import COMPARED, DIFFERENCES
from meterai.kit.clock import WIB, SystemClock
from meterai.payments import PaymentService
from meterai.plumbing.database import Row
from standins.clock import now_ms, snap_time
from tests.support.shop import PRICE
from tests.support.till import Till
from tests.support.within import within

HOUR = 3


@dataclass
class At:
    """A clock that stands."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def tonight(days: int = 0) -> datetime:
    """Three o'clock in WIB after now, and so many days later: what happened by now is not fresh."""
    local = SystemClock().now().astimezone(WIB)
    return local.replace(hour=HOUR, minute=5) + timedelta(days=1 + days)


@pytest.fixture(autouse=True)
def no_night_before(till: Till) -> None:
    till.shop.arrange("DELETE FROM bank_nights")
    till.shop.arrange("DELETE FROM audit_events WHERE starts_with(subject, 'night_')")
    says(till)  # the bank has payments of earlier tests, our books have not


def says(till: Till, *lines: object, **away: object) -> None:
    """The whole record of the bank from now on."""

    async def clear() -> None:
        async with till.bank.http.delete(f"{till.bank.url}/standin/answers"):
            pass

    till.do(clear())
    till.answers("history-list", {"merge": {"detailData": lines}, "times": -1, **away})


def look(till: Till, at: datetime, workers: int = 1) -> None:
    """What workers do each minute, at this moment."""
    container = replace(till.shop.container, clock=At(at))

    async def all_of_them() -> None:
        await asyncio.gather(*(nightly(container)() for _ in range(workers)))

    till.do(all_of_them())


def nights(till: Till) -> list[Row]:
    return till.rows("SELECT * FROM bank_nights ORDER BY night")


def trail(till: Till) -> list[Row]:
    return till.rows(
        "SELECT actor, action, subject, facts FROM audit_events WHERE starts_with(subject, 'night_')"
        " ORDER BY subject, action"
    )


def result(till: Till) -> NightResult:
    found = till.do(till.shop.container.of(Nights).last())
    assert found is not None
    return found


def executed(till: Till) -> tuple[str, str]:
    """An executed order: reference of its attempt, number of its payment."""
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    return till.reference(attempt), number


def compared(till: Till) -> Compared:
    container, now = till.shop.container, SystemClock().now() + timedelta(hours=1)
    payments = container.of(PaymentService)
    return till.do(compare(container.database, payments, now - timedelta(days=1), now))


def line(reference: str, number: str) -> dict[str, Any]:
    return {
        "type": "PAYMENT",
        "dateTime": snap_time(now_ms()),
        "status": "SUCCESS",
        "amount": {"value": f"{PRICE}.00", "currency": "IDR"},
        "additionalInfo": {"originalPartnerReferenceNo": reference, "rrn": number},
    }


# -- one odd line ------------------------------------------------------------------------------


def test_odd_line_is_a_complaint_and_all_others_are_compared(till: Till) -> None:
    reference, number = executed(till)
    other, second = executed(till)
    known = [row["payment"] for row in till.rows("SELECT payment FROM captures")]
    assert {number, second} <= set(known)
    odd = line(reference, number) | {"amount": {"value": "ten", "currency": "IDR"}}
    lines = [odd, line(other, second), line("EM-unknown", "P-of-nobody")]
    says(till, *lines)
    found = compared(till)
    assert (found.lines, found.unreadable) == (3, 1)
    first, *rest = found.finding.evidence
    assert first["is"] == "odd: no readable sum of rupiah"
    assert f"originalPartnerReferenceNo={reference}" in first["line"]
    complaints = {row["number"]: row["is"] for row in rest}
    assert complaints[number] == "not at the bank"
    assert complaints["P-of-nobody"] == "not in our books"
    assert second not in complaints


def test_payment_that_the_record_has_of_another_reference_is_named(till: Till) -> None:
    _, number = executed(till)
    says(till, line("EM-of-another", number))
    complaints = {row["number"]: row["is"] for row in compared(till).finding.evidence}
    assert complaints[number] == "of EM-of-another at the bank"


# -- each night --------------------------------------------------------------------------------


def test_worker_looks_each_minute(till: Till) -> None:
    [task] = [one for one in periodic_tasks(till.shop.container) if one.name == TASK]
    assert task.rest_seconds == 60


def test_of_several_workers_one_compares_and_all_agree(till: Till) -> None:
    says(till, line(*executed(till)))
    look(till, tonight(), workers=4)
    [night] = nights(till)
    assert abs(night["compared_at"] - tonight()) < timedelta(minutes=1)
    assert (night["tries"], night["differences"], night["unreadable"]) == (1, 0, 0)
    assert night["payments"] > 0
    [told] = trail(till)
    assert (told["actor"], told["action"]) == (f"job:{TASK}", "bank_compared")
    assert told["subject"] == f"night_{night['night']}"
    assert told["facts"]["differences"] == 0
    look(till, tonight() + timedelta(hours=5))
    assert len(nights(till)) == 1
    assert result(till).said(tonight()) == f"{night['night']} agrees"
    till.assert_books_hold()


def test_very_first_night_begins_at_its_hour(till: Till) -> None:
    look(till, tonight() - timedelta(hours=1))
    look(till, tonight() + timedelta(hours=1))
    assert nights(till) == []
    look(till, tonight())
    assert len(nights(till)) == 1


def test_night_without_the_bank_is_named_and_done_again(till: Till) -> None:
    look(till, tonight(-1))
    paid = line(*executed(till))
    says(till, status=500)
    look(till, tonight())
    look(till, tonight())  # its lease has not run out
    held, missed = nights(till)
    assert (missed["compared_at"], missed["tries"]) == (None, 1)
    day = str(missed["night"] - timedelta(days=1))
    code = "provider_outcome_unknown"
    said = f"{missed['night']} not compared ({code}), days missing: {day}"
    assert result(till).said(tonight()) == said
    [_, told] = trail(till)
    assert told["action"] == "bank_not_compared"
    assert told["facts"] == {"fault": code, "days_missing": [day]}
    says(till, paid)
    look(till, tonight(1))
    *_, next_one = nights(till)
    assert (next_one["differences"], next_one["payments"]) == (0, 1)
    assert next_one["begins"] <= held["compared_at"]
    assert result(till).days_missing(tonight(1)) == []


def test_night_that_failed_is_tried_again_once_its_lease_is_over(till: Till) -> None:
    says(till, status=500)
    look(till, tonight())
    says(till)
    till.shop.arrange("UPDATE bank_nights SET leased_until = now()")
    look(till, tonight())
    [night] = nights(till)
    assert (night["tries"], night["fault"]) == (2, None)
    assert night["compared_at"] is not None


def test_difference_is_seen_each_night_until_it_is_explained(till: Till) -> None:
    look(till, tonight(-1))
    reference, number = executed(till)
    [held] = nights(till)
    says(till, line(reference, number), "odd")
    look(till, tonight())
    look(till, tonight(6))
    _, first, later = nights(till)
    assert (first["differences"], first["unreadable"]) == (1, 1)
    assert later["differences"] == 1
    assert later["begins"] < held["compared_at"]
    assert later["begins"] >= tonight(6) - timedelta(days=DAYS_MAX)
    assert result(till).said(tonight(6)) == f"{later['night']} differs"
    assert result(till).said(tonight(12)).startswith(f"{later['night']} differs, days missing: ")
    assert DIFFERENCES.made._value.get() == 1
    assert COMPARED.made._value.get() == pytest.approx(0, abs=5)


def test_readiness_tells_of_the_night_and_stays(till: Till, tmp_path: Path) -> None:
    says(till, "odd")
    look(till, tonight())

    async def story() -> None:
        async with within(till.shop.container.settings) as web:
            given = await web.get("/readyz")
            told = json.loads(given.body)
            assert given.status == 200
            assert told["bank"].split()[1] == "differs"

    asyncio.run(story())
