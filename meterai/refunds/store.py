"""SQL of refunds, one function per question."""

from datetime import datetime
from uuid import UUID

from meterai.plumbing.database import Tx
from meterai.plumbing.rows import RowMapper
from meterai.refunds.model import AskedRefund

NOT_EXECUTED = "SELECT order_return_unexecuted(%s, %s, %s, %s, %s) AS state"
UNUSED = "SELECT order_return_unused(%s, %s, %s, %s, %s, %s, %s)"
ASK = "SELECT given, id, request FROM refund_ask(%s, %s, %s, %s, %s, %s, %s)"
SURPLUS = "SELECT order_return_surplus(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_ASKED_REFUNDS = RowMapper(AskedRefund)


async def not_executed(
    tx: Tx, account: UUID, order: UUID, refund: UUID, number: str, due_at: datetime
) -> None:
    """Set the money of an order aside to go back, unless it was executed by now."""
    await tx.run(NOT_EXECUTED, account, order, refund, number, due_at)


async def surplus(
    tx: Tx,
    account: UUID,
    refund_id: UUID,
    *,
    cause_key: str,
    cause: str,
    order: UUID,
    attempt: UUID,
    payment: str,
    amount: int,
    number: str,
    due_at: datetime,
) -> int:
    """Set money aside to go back, as much as is left of it; answers how much, perhaps nothing."""
    found = await tx.value(
        SURPLUS,
        account,
        refund_id,
        cause_key,
        cause,
        order,
        attempt,
        payment,
        amount,
        number,
        due_at,
    )
    assert isinstance(found, int)
    return found


async def ask(
    tx: Tx,
    account: UUID,
    order: UUID,
    refund: UUID,
    *,
    number: str,
    due_at: datetime,
    key: str | None,
    request: bytes,
) -> AskedRefund | None:
    """Ask unused stamps back; see sql/functions/refund_ask.sql."""
    return await tx.one_as(
        _ASKED_REFUNDS, ASK, account, order, refund, number, due_at, key, request
    )


async def unused(
    tx: Tx,
    account: UUID,
    order: UUID,
    refund_id: UUID,
    *,
    cause_key: str,
    cause: str,
    number: str,
    due_at: datetime,
) -> int:
    """Give back the unused stamps of an order with their money; answers how many."""
    found = await tx.value(UNUSED, account, order, refund_id, cause_key, cause, number, due_at)
    assert isinstance(found, int)
    return found
