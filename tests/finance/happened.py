"""Two days that finance closed, and payouts in each state.

The books of a closed day are tested in `tests/finance`.
"""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from meterai.finance import closing, payouts
from meterai.finance import store as finance_store
from meterai.finance.model import Close, Payout, PayoutState, PeriodBalance
from meterai.kit.ids import new_id
from meterai.plumbing.db.database import Tx
from tests.support.history import History
from tests.support.shop import TESTER

AFTER = ("regulator",)


def end(history: History) -> None:
    shop, first = history.shop, date(2025, 3, 30)
    settings, month = shop.container.settings, date(2025, 3, 1)
    one = Close(
        first,
        0,
        bytes(32),
        [PeriodBalance("bank_clearing", 0, 10_000, 0), PeriodBalance("buyer_funds", 0, 0, 10_000)],
    )
    two = [
        PeriodBalance("bank_clearing", -10_000, 0, 0),
        PeriodBalance("buyer_funds", 10_000, 10_000, 0),
        PeriodBalance("duty_payable", 0, 0, 10_000),
    ]

    async def close_both(tx: Tx) -> None:
        await closing.close(tx, one, settings, TESTER)
        last = await finance_store.last_close(tx)
        assert last is not None
        second = Close(
            first + timedelta(days=1), 0, bytes(32), two, before=closing.digest(last.manifest)
        )
        await closing.close(tx, second, settings, TESTER)

    shop.do(shop.container.database.run(close_both))
    for name in PayoutState:
        now = shop.container.clock.now()
        found = Payout(
            new_id(), 10_000, month, "411411-902", PayoutState.APPROVED, now, str(TESTER)
        )
        history.names[f"{name}.payout"] = found.id
        steps = [partial(payouts.propose, found=found, actor=TESTER)]
        if name in (PayoutState.SENT, PayoutState.CONFIRMED):
            steps.append(partial(payouts.send, found=found, code="820251234567890", actor=TESTER))
        for step in steps:
            shop.do(shop.container.database.run(step))
        found = replace(found, state=PayoutState.SENT)
        if name == PayoutState.CONFIRMED:
            shop.do(shop.container.database.run(partial(_confirmed, found=found)))
        if name == PayoutState.FAILED:
            failing = partial(payouts.fail, found=found, why="the bank closed", actor=TESTER)
            shop.do(shop.container.database.run(failing))


async def _confirmed(tx: Tx, found: Payout) -> None:
    at = await finance_store.now(tx)
    await payouts.confirm(tx, found, "2025-04-10/7", at, "0A1B2C3D4E5F6G7H", TESTER)
