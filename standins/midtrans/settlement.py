"""The settlement file of a day (in WIB): one line for each movement of money.

Midtrans does not publish the columns: these were chosen here, with the names of its fields. Sums are signed (incoming above
zero) and have two decimals. The fee for QRIS is 0.7 percent, rounded down, and for a virtual account Rp4.000; the tax is
eleven percent of the fee.
"""

import csv
import io
from datetime import date, datetime, timedelta

from standins import clock
from standins.midtrans.model import Kind, Movement, Transaction
from standins.midtrans.saying import written_money, written_time
from standins.midtrans.store import Store
from standins.refusal import NotUnderstood

FILE_NAME = "midtrans.csv"
HEADER = (
    "order_id,transaction_id,transaction_time,settlement_time,payment_type,channel,line_type,"
    "refund_key,refund_id,amount,fee,tax,net_amount,currency,merchant_id"
)


def file_of(store: Store, day: str, merchant_id: str) -> str:
    """Return the file of a day, `YYYY-MM-DD`. Refuses `NotUnderstood`."""
    try:
        begins = datetime.combine(date.fromisoformat(day), datetime.min.time(), clock.WIB)
    except ValueError:
        raise NotUnderstood("a day is YYYY-MM-DD") from None
    first, last = (round((begins + timedelta(days)).timestamp() * 1000) for days in (0, 1))
    lines = [
        (moved.moved_at, charge, moved)
        for charge in reversed(store.charges())
        for moved in charge.movements
        if first <= moved.moved_at < last
    ]
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(HEADER.split(","))
    for _, charge, moved in sorted(lines, key=lambda line: line[0]):
        table.writerow(_line(charge, moved, merchant_id))
    return out.getvalue()


def _line(charge: Transaction, moved: Movement, merchant_id: str) -> tuple[str, ...]:
    fee = 0
    if moved.kind is Kind.SETTLEMENT:
        fee = moved.amount * 7 // 1000 if charge.payment_type == "qris" else 4000
    tax = fee * 11 // 100
    amount = moved.amount if moved.kind.is_in else -moved.amount
    sums = map(written_money, (amount, fee, tax, amount - fee - tax))
    times = (written_time(charge.created_at), written_time(moved.moved_at))
    kinds = (charge.payment_type, charge.channel, moved.kind, moved.key, moved.uuid)
    return (charge.order_id, charge.transaction_id, *times, *kinds, *sums, "IDR", merchant_id)
