"""Live numbers by which a recovery moves from step to step, each read from the tables of its room."""

from datetime import datetime
from typing import Self

import msgspec

from meterai import accounts, orders, payments, stamping, stamps, waiting_room
from meterai.payments.events import PaymentCaptured
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.work import jobs
from meterai.plumbing.work.events import name_of_event
from meterai.recovery.model import LiveNumbers, Recovery, seconds_since
from meterai.waiting_room import GuardedAct, LineBefore


class Before(msgspec.Struct, frozen=True):
    """State of buying, checking and sign-up before a recovery began, to be restored when the recovery ends."""

    buying: LineBefore
    checking: LineBefore | None
    was_sign_up_open: bool

    @property
    def is_closed(self) -> bool:
        """True if staff had closed sign-up, or the waiting line for buying or checking, before the recovery. What was closed
        then is closed again when the recovery ends.
        """
        lines = (self.buying, self.checking)
        return not self.was_sign_up_open or any(one.is_paused for one in lines if one)

    def kept(self) -> dict[str, object]:
        """Return the state in its stored form (JSON)."""
        found: dict[str, object] = msgspec.to_builtins(self)
        return found

    @classmethod
    def of(cls, recovery: Recovery) -> Self:
        """Return the state that is stored with a recovery."""
        return msgspec.convert(recovery.before, cls)


async def numbers(tx: ReadTx, now: datetime) -> LiveNumbers:
    """Return the live numbers that the steps of a recovery use; takes some ten SQL statements, each with a partial index."""
    buying = await waiting_room.guarding(tx, GuardedAct.BUY)
    checking = await waiting_room.guarding(tx, GuardedAct.CHECK)
    load = await waiting_room.load_now(tx)
    stamped, paid = await stamping.under_way(tx), await orders.in_flight(tx)
    back = await payments.refunds_open_now(tx)
    return LiveNumbers(
        buying_open=int(buying is None or not buying.is_closed),
        sign_up_open=int(await accounts.sign_up_closed_at(tx) is None),
        checking_closed=int(checking is not None and checking.is_closed),
        issuing_stopped=int(not (await stamps.issuing(tx)).is_open),
        stampings=stamped.stampings,
        interrupted=stamped.interrupted,
        stamping_seconds=seconds_since(stamped.oldest_at, now),
        captured=await jobs.waiting(tx, name_of_event(PaymentCaptured)),
        orders=paid.orders,
        order_rupiah=paid.rupiah,
        order_seconds=seconds_since(paid.oldest_at, now),
        past_due=paid.past_due,
        past_due_rupiah=paid.past_due_rupiah,
        refunds=back.refunds,
        refund_rupiah=back.rupiah,
        refunds_past_due=back.past_due,
        waiting=buying.waiting if buying else 0,
        wait_seconds=buying.wait_seconds if buying else 0,
        rate=round(buying.rate, 2) if buying else 0.0,
        pressure=round(load.pressure, 3),
        refused=round(load.refused, 3),
        job_seconds=round(load.job_age, 1),
    )


async def before(tx: ReadTx, buying: LineBefore) -> Before:
    """Return the state to restore when a new recovery ends; `buying` is the state of the waiting line for buying before the
    recovery closed the line.
    """
    return Before(
        buying=buying,
        checking=await waiting_room.before(tx, GuardedAct.CHECK),
        was_sign_up_open=await accounts.sign_up_closed_at(tx) is None,
    )
