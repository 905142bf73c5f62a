"""The record of the bank contains a payment and a refund."""

from meterai import payments, trail
from meterai.accounts import NOBODY
from meterai.plumbing.db.database import Tx
from tests.support.history import History
from tests.support.shop import TESTER

AFTER = ("refunds",)


def happen(history: History) -> None:
    shop = history.shop
    [row] = shop.rows(
        "SELECT refund_no FROM refunds WHERE refund_id = %s", history["returned.refund"]
    )

    async def confirm(tx: Tx) -> None:
        action = "record_compared"
        await trail.record(tx, NOBODY, actor=TESTER, action=action, subject="bank")
        paid = [str(history.names["quota.payment"])]
        await payments.confirm_by_record(tx, paid, [row["refund_no"]])

    shop.arrange(
        "INSERT INTO record_days (provider, day, state, source, reading, leased_until, begun_at, ended_at, lines, matched)"
        " VALUES ('bank', (now() AT TIME ZONE 'Asia/Jakarta')::date - 2, 'final', 'history', 1, now(),"
        " now() - interval '1 hour', now() + interval '5 minutes', 1, 1)"
    )
    shop.arrange(
        "INSERT INTO record_lines (provider, day, reading, position, source, kind, moved_at, payment, amount, line)"
        " SELECT 'bank', day, 1, 1, '', 'payment', now(), %s, 10000, 'x' FROM record_days",
        history.names["quota.payment"],
    )
    shop.do(shop.container.database.run(confirm))
