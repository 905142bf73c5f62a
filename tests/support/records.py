"""Records of days: the bank's record of a day in which a test pays, and the result of reconciling it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import WIB, SystemClock
from meterai.payments import PaymentService
from meterai.plumbing.config import Settings
from meterai.reconciliation import Reconciliation, RecordDay
from standins.clock import now_ms, snap_time
from tests.support.shop import PRICE
from tests.support.till import Till

TESTER = Actor(ActorKind.OPERATOR, "tester")
HOUR = 3


@dataclass
class At:
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def night(days: int = 0) -> datetime:
    """Shortly after 03:00 WIB of tomorrow, or `days` days later."""
    local = SystemClock().now().astimezone(WIB)
    return local.replace(hour=HOUR, minute=5) + timedelta(days=1 + days)


def today() -> date:
    return SystemClock().now().astimezone(WIB).date()


def says(till: Till, *lines: object, **away: object) -> None:
    """The whole record of the bank from now on."""

    async def clear() -> None:
        async with till.bank.http.delete(f"{till.bank.url}/standin/answers"):
            pass

    till.do(clear())
    till.answers("history-list", {"merge": {"detailData": lines}, "times": -1, **away})


def line(reference: str, number: str, amount: int = PRICE, **more: object) -> dict[str, object]:
    """A line of the bank's history."""
    additional: dict[str, object] = {"originalPartnerReferenceNo": reference, "rrn": number}
    return {
        "type": "PAYMENT",
        "dateTime": snap_time(now_ms()),
        "status": "SUCCESS",
        "amount": {"value": f"{amount}.00", "currency": "IDR"},
        "additionalInfo": additional | dict(more.pop("additionalInfo", {})),  # type: ignore[call-overload]
        **more,
    }


def executed(till: Till) -> tuple[str, str]:
    """An executed order: reference of its attempt, number of its payment."""
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    return till.reference(attempt), number


def service(till: Till, at: datetime, settings: Settings | None = None) -> Reconciliation:
    """The reconciliation service at a moment."""
    container = till.shop.container
    paying = container.of(PaymentService)
    return Reconciliation(
        container.database, paying, container.objects, settings or container.settings, At(at)
    )


def reconcile(
    till: Till, at: datetime | None = None, files: Sequence[Path] = (), provider: str = "bank"
) -> RecordDay:
    """Reconcile today, as an operator does in the following night."""
    found = service(till, at or night())
    return till.do(found.reconcile(provider, today(), files, TESTER))


def fetched(till: Till, path: Path, kind: str) -> Path:
    """Download a file of the stand-in bank about today."""

    async def get() -> bytes:
        async with till.bank.http.get(f"{till.bank.url}/standin/files/{today()}/{kind}") as answer:
            assert answer.status == 200
            return await answer.read()

    path.write_bytes(till.do(get()))
    return path


def look(till: Till, at: datetime, workers: int = 1, settings: Settings | None = None) -> None:
    """Run the periodic check of the workers at this moment."""

    async def all_of_them() -> None:
        every = [service(till, at, settings) for _ in range(workers)]
        await asyncio.gather(*(one.reconcile_due() for one in every))

    till.do(all_of_them())


def breaks(till: Till) -> list[tuple[str, int | None, int, int | None]]:
    """(kind, amount, booked, difference) of each open item."""
    found = till.rows(
        "SELECT reason, amount, booked, difference FROM suspense_items WHERE state = 'open' ORDER BY reason, amount"
    )
    return [(row["reason"], row["amount"], row["booked"], row["difference"]) for row in found]
