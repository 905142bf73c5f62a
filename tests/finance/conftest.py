"""Books of some days ago, and the acts of finance on them."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest

from meterai.finance import closing, store
from meterai.finance.model import Close, KeptClose
from meterai.kit.days import DAY, day_of, last_settled
from meterai.plumbing.db.database import ReadTx, Row, Tx
from meterai.plumbing.signed import DocumentSigner
from tests.regulator.conftest import Office
from tests.support.shop import TESTER, Shop

Answer = TypeVar("Answer")


@dataclass
class Books(Office):
    """A shop with a history of some days, and a controller."""

    def read(self, ask: Callable[[ReadTx], Coroutine[Any, Any, Answer]]) -> Answer:
        """Query in a read-only transaction."""

        async def look() -> Answer:
            async with self.shop.container.database.reading() as tx:
                return await ask(tx)

        return self.shop.do(look())

    def change(self, act: Callable[[Tx], Coroutine[Any, Any, Answer]]) -> Answer:
        """Act in a transaction."""
        return self.shop.do(self.shop.container.database.run(act))

    def day(self, back: int = 0) -> date:
        """Today in WIB, or the day `back` days ago."""
        return self.today() - timedelta(days=back)

    def compared(self, day: date) -> None:
        """Pretend that the bank's record was compared to the end of a day."""
        self.shop.arrange(
            "INSERT INTO record_days (provider, day, state, source, leased_until, ended_at)"
            " SELECT 'bank', %s::date - n, 'final', 'history', now(), now() FROM generate_series(0, 30) n"
            " ON CONFLICT DO NOTHING",
            day,
        )

    def close(self, day: date) -> Close:
        """Close a day."""

        async def act(tx: Tx) -> Close:
            found = await closing.check_closes(tx, day)
            await closing.close(tx, found, self.shop.container.settings, TESTER)
            return found

        return self.change(act)

    def closes(self) -> list[KeptClose]:
        """Every close, the newest first."""
        return self.read(lambda tx: store.closes(tx, date.min, date.max, None))

    def signer(self) -> DocumentSigner:
        return closing.signer_of(self.shop.container.keyring)

    def legs(self) -> list[Row]:
        """Every leg with its entry, from the tables."""
        return self.shop.rows(
            "SELECT e.*, l.book, l.unit, l.credit - l.debit AS amount FROM entries e JOIN legs l"
            " USING (account_id, entry_id) ORDER BY e.posted_at, e.account_id, e.entry_id, l.book"
        )


@pytest.fixture
def books(shop: Shop) -> Books:
    now = datetime.now(UTC)
    if last_settled(now) < day_of(now) - DAY:
        pytest.skip("yesterday cannot be closed in the first minutes of a day in WIB")
    return Books(shop)
