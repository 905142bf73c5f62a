"""A shop with a past of some weeks, and its statements."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from meterai.kit.days import Month, day_of
from meterai.regulator.extracts import file_name
from meterai.regulator.model import DutyStatement
from meterai.regulator.service import StatementService
from meterai.regulator.store import Extract
from tests.support.shop import Shop


@dataclass
class Office:
    """The supervisor's view of a shop."""

    shop: Shop

    @property
    def service(self) -> StatementService:
        return self.shop.container.of(StatementService)

    def today(self) -> date:
        return day_of(datetime.now(UTC))

    def ago(self, days: int) -> None:
        """Move every entry of today `days` days into the past."""
        self.shop.arrange(
            "UPDATE entries SET posted_at = posted_at - make_interval(days => %s)"
            " WHERE posted_at > now() - interval '12 hours'",
            days,
        )

    def make_all(self) -> int:
        """Make every extract that is due."""
        made = 0
        while self.shop.do(self.service.make_due()):
            made += 1
        return made

    def extracts(self) -> list[Extract]:
        first = self.today() - timedelta(days=400)
        return self.shop.do(self.service.extracts(first, self.today()))

    def statement(self, month: Month) -> DutyStatement:
        return self.shop.do(self.service.statement(month))

    def month(self, back: int = 0) -> Month:
        """This month, or the month `back` months before it."""
        month = Month.of(self.today())
        for _ in range(back):
            month = Month.of(month.first - timedelta(days=1))
        return month

    def days_back_to(self, month: Month, day: int = 15) -> int:
        """Number of days since that day of a month."""
        return (self.today() - month.first.replace(day=day)).days

    def write(self, folder: Path) -> Path:
        """Write every extract as files, with the key."""
        folder.mkdir(parents=True, exist_ok=True)
        for one in self.extracts():
            (folder / f"{one.day}.json").write_text(one.manifest)
            (folder / file_name(one.day)).write_bytes(self.shop.do(self._file(one.day)))
        key = folder / "key.pem"
        key.write_bytes(self.service.signer.public_pem())
        return key

    async def _file(self, day: date) -> bytes:
        return b"".join([one async for one in self.service.pieces(day)])

    def lives(self) -> None:
        """Sell, affix, refund and charge back some stamps."""
        shop = self.shop
        quota = shop.place(5)
        shop.pay(quota)
        shop.work()
        stamping = shop.reserve(2)
        assert stamping is not None
        shop.deliver(stamping)
        shop.ask_back(quota)
        refund = shop.refunds()[-1]
        shop.send(refund)
        shop.settle(refund)
        taken = shop.place(3)
        paid = shop.pay(taken)
        shop.work()
        shop.charge_back(paid)
        shop.work()
        documents = shop.place_documents([1, 2])
        shop.pay(documents)
        shop.work()
        for one in shop.stampings[-2:]:
            shop.deliver(one)
        failing = shop.place_documents([1])
        shop.pay(failing)
        shop.work()
        shop.fail(shop.stampings[-1])
        shop.work()


@pytest.fixture
def office(shop: Shop) -> Office:
    return Office(shop)
