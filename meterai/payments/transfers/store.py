"""SQL of transfers, one function per question."""

from collections.abc import Sequence
from uuid import UUID

from meterai.kit.money import Rupiah
from meterai.payments.transfers.model import (
    FloatBalance,
    FloatNeed,
    ToPlan,
    Transfer,
    TransferState,
)
from meterai.plumbing.database import ReadTx, Tx
from meterai.plumbing.rows import RowMapper

# Names of the periodic tasks.
PLANNING, TRANSFERRING, FOLLOWING, WEIGHING = (
    "plan_transfers",
    "send_transfers",
    "follow_transfers",
    "weigh_floats",
)
NEED_DAYS = 7  # whose mean is the need of a day
_TRANSFERS = RowMapper(Transfer)
_TO_PLAN = RowMapper(ToPlan)
_BALANCES = RowMapper(FloatBalance)
_NEED = RowMapper(FloatNeed)
_COLUMNS = (
    "t.account_id AS account, t.transfer_id AS id, t.provider, t.transfer_no AS number, t.amount, t.state, t.tries,"
    " p.bank_code, p.account_no, p.holder, t.provider_transfer_no AS provider_number, t.planned_at, t.settled_at,"
    " t.last_answer"
)
# What a buyer is to get and no transfer carries; small ones wait for more, never past their due time.
TO_PLAN = """
SELECT r.account_id AS account, p.bank_code FROM refunds r
JOIN payees p ON p.account_id = r.account_id AND p.ended_at IS NULL
WHERE r.way <> 'provider' AND r.state = 'requested' AND NOT transfer_is_open(r.account_id, r.transfer_id)
GROUP BY 1, 2 HAVING min(least(r.due_at, greatest(r.requested_at, p.named_at) + make_interval(secs => %s))) <= now()
UNION
SELECT c.account_id, p.bank_code FROM compensations c
JOIN payees p ON p.account_id = c.account_id AND p.ended_at IS NULL
WHERE NOT transfer_is_open(c.account_id, c.transfer_id)
    AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.account_id = c.account_id AND refund_is_open(r.state))
LIMIT %s
"""
SEND_DUE = """
SELECT 1 FROM transfers WHERE state = ANY ('{planned,sent,accepted}') AND try_at <= now() ORDER BY try_at
"""
# The intent of a call, committed before it is made, in the refunds too.
TO_SEND = f"""
WITH due AS (
    UPDATE transfers t SET state = 'sent', tries = tries + 1, tried_at = now(),
        leased_until = now() + make_interval(secs => %s), try_at = now() + make_interval(secs => %s)
    FROM payees p
    WHERE p.account_id = t.account_id AND p.payee_id = t.payee_id AND (t.account_id, t.transfer_id) IN (
        SELECT account_id, transfer_id FROM transfers WHERE state = ANY ('{{planned,sent,accepted}}')
            AND try_at <= now() AND (leased_until IS NULL OR leased_until <= now())
            AND (state <> 'planned' OR provider <> ALL (%s))
        ORDER BY try_at LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING {_COLUMNS}),
carried AS (
    UPDATE refunds r SET state = 'sent', tries = r.tries + 1, tried_at = now() FROM due
    WHERE r.account_id = due.account AND r.transfer_id = due.id AND refund_is_open(r.state))
SELECT * FROM due
"""  # noqa: S608 - columns are a constant
# A try ended without a word of an end; of one that was not begun the count goes back.
_ANSWERED = """
WITH told AS (
    UPDATE transfers SET state = %s, last_answer = %s, leased_until = NULL, tries = tries - %s,
        try_at = now() + make_interval(secs => %s)
    WHERE account_id = %s AND transfer_id = %s AND state = 'sent' RETURNING account_id, transfer_id, state, last_answer)
UPDATE refunds r SET last_answer = told.last_answer, tries = greatest(r.tries - %s, 0),
    state = CASE told.state WHEN 'planned' THEN 'requested' ELSE told.state END
FROM told WHERE r.account_id = told.account_id AND r.transfer_id = told.transfer_id AND refund_is_open(r.state)
"""


async def to_plan(tx: ReadTx, pools_seconds: float, limit: int) -> list[ToPlan]:
    """Buyers for whom a transfer is to be made now."""
    return await tx.all_as(_TO_PLAN, TO_PLAN, pools_seconds, limit)


async def plan(tx: Tx, account: UUID, transfer: UUID, number: str, provider: str) -> Rupiah:
    """Put all that goes to the account of a buyer into one transfer; answers its rupiah."""
    found = await tx.value(
        "SELECT transfer_plan(%s, %s, %s, %s)", account, transfer, number, provider
    )
    assert isinstance(found, int)
    return Rupiah(found)


async def lease_to_send(
    tx: Tx, lease_seconds: float, without: Sequence[str], limit: int
) -> list[Transfer]:
    """Transfers that are due to be sent, each leased and its try counted; of `without` no new one."""
    return await tx.all_as(_TRANSFERS, TO_SEND, lease_seconds, lease_seconds, list(without), limit)


async def answered(
    tx: Tx,
    transfer: Transfer,
    answer: str,
    state: TransferState,
    seconds: float,
    *,
    is_begun: bool = True,
) -> None:
    """A try ended and the money is not known to be there; the next one is after so many seconds."""
    back = 0 if is_begun else 1
    key = (transfer.account, transfer.id)
    await tx.run(_ANSWERED, state, answer, back, seconds, *key, back)


async def settle(tx: Tx, account: UUID, transfer: UUID, provider_number: str) -> TransferState:
    """The bank sent the money; answers the state."""
    found = await tx.value("SELECT transfer_settle(%s, %s, %s)", account, transfer, provider_number)
    return TransferState(found)


async def refuse(tx: Tx, account: UUID, transfer: UUID, answer: str) -> TransferState:
    """The bank will not send it, or it came back; answers the state."""
    found = await tx.value("SELECT transfer_refuse(%s, %s, %s)", account, transfer, answer)
    return TransferState(found)
