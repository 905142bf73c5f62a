"""SQL of transfers, one function for each statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from meterai.kit.money import Rupiah
from meterai.payments.transfers.model import (
    FloatBalance,
    FloatNeed,
    Floats,
    Left,
    ToPlan,
    Transfer,
    TransferLimits,
    TransferState,
    WaitingRupiah,
)
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper

# Names of the periodic tasks.
PLANNING, TRANSFERRING, FOLLOWING, WEIGHING = (
    "plan_transfers",
    "send_transfers",
    "follow_transfers",
    "weigh_floats",
)
NEED_DAYS = 7  # the daily need is the mean of so many days
_TRANSFERS = RowMapper(Transfer)
_TO_PLAN = RowMapper(ToPlan)
_BALANCES = RowMapper(FloatBalance)
_LEFT_OF = RowMapper(Left)
_WAITING_OF = RowMapper(WaitingRupiah)
_NEED = RowMapper(FloatNeed)
_COLUMNS = (
    "t.account_id AS account, t.transfer_id AS id, t.provider, t.transfer_no AS number, t.amount, t.state, t.tries,"
    " p.bank_code, p.account_no, p.holder, t.provider_transfer_no AS provider_number, t.planned_at, t.settled_at,"
    " t.last_answer"
)
# SQL condition on refunds `r`: no open transfer carries the refund.  The first test is a shortcut, since most waiting refunds
# were never in a transfer.
_NOT_CARRIED = "(r.transfer_id IS NULL OR NOT transfer_is_open(r.account_id, r.transfer_id))"
PLAN_DUE = """
SELECT 1 FROM refunds WHERE way = 'transfer' AND state = 'requested'
"""
# Money for buyers that is in no transfer: refunds, and compensations of buyers without an open refund.  A small sum of refunds
# waits for more refunds of the buyer, but never past a due time.  Only buyers of whose money a bank can send a part.
TO_PLAN = f"""
SELECT account, bank_code, sum(rupiah)::bigint AS rupiah, min(least)::bigint AS least FROM (
    SELECT r.account_id AS account, p.bank_code, sum(r.amount) AS rupiah, min(r.amount) AS least,
        CASE WHEN sum(r.amount) < %s THEN min(least(r.due_at,
            greatest(r.requested_at, p.named_at) + make_interval(secs => %s))) ELSE min(r.requested_at) END AS due
    FROM refunds r JOIN payees p ON p.account_id = r.account_id AND p.ended_at IS NULL
    WHERE r.way = 'transfer' AND r.state = 'requested' AND {_NOT_CARRIED}
    GROUP BY 1, 2
    UNION ALL
    SELECT c.account_id, p.bank_code, sum(c.amount), min(c.amount), min(c.begun_at) FROM (
        SELECT account_id, amount, begun_at FROM compensations WHERE transfer_id IS NULL
        UNION ALL
        SELECT k.account_id, k.amount, k.begun_at FROM transfers t
        JOIN compensations k ON k.account_id = t.account_id AND k.transfer_id = t.transfer_id
        WHERE t.state = ANY ('{{refused,returned,void}}')) c
    JOIN payees p ON p.account_id = c.account_id AND p.ended_at IS NULL
    WHERE NOT EXISTS (SELECT 1 FROM refunds r WHERE r.account_id = c.account_id AND refund_is_open(r.state))
    GROUP BY 1, 2) waiting
WHERE due <= now() AND least <= %s GROUP BY 1, 2 ORDER BY min(due) LIMIT %s
"""  # noqa: S608 - a constant
# SQL: the reason (`TransferWait`) why a refund that exceeds what any bank can send is in no transfer.
_WHY = """CASE WHEN %s THEN 'bank_away' WHEN amount > %s THEN 'transfer_limit' WHEN amount > %s THEN 'transfer_day_limit'
        ELSE 'float_low' END AS reason"""
_UNSENT = f"way = 'transfer' AND state = 'requested' AND amount > %s AND {_NOT_CARRIED}"
_WAITS = f"""
UPDATE refunds SET last_answer = w.reason FROM (
    SELECT * FROM (SELECT account_id, refund_id, last_answer, {_WHY} FROM refunds r WHERE {_UNSENT}) u
    WHERE last_answer IS DISTINCT FROM reason LIMIT %s) w
WHERE refunds.account_id = w.account_id AND refunds.refund_id = w.refund_id AND state = 'requested'
"""  # noqa: S608
_WAITING = f"""
SELECT reason, sum(amount)::bigint AS rupiah FROM (SELECT amount, {_WHY} FROM refunds r WHERE {_UNSENT}) w GROUP BY 1
"""  # noqa: S608
# A balance does not include transfers that were sent, or may have been sent, after it was queried.
BALANCES = """
SELECT f.provider, f.rupiah, f.asked_at, coalesce((SELECT sum(amount) FROM transfers t WHERE t.provider = f.provider
        AND t.state = ANY ('{planned,sent,accepted}')), 0)::bigint
    + coalesce((SELECT sum(amount) FROM transfers t WHERE t.provider = f.provider
        AND t.settled_at >= f.asked_at), 0)::bigint AS sent_since
FROM float_balances f ORDER BY f.provider
"""
_LEFT = """
SELECT n.provider, f.rupiah - o.rupiah - coalesce((SELECT sum(amount) FROM transfers t WHERE t.provider = n.provider
        AND t.settled_at >= f.asked_at), 0)::bigint AS free,
    o.rupiah + coalesce((SELECT sum(amount) FROM transfers t WHERE t.provider = n.provider
        AND t.settled_at >= %s), 0)::bigint AS of_day
FROM unnest(%s::text[]) AS n (provider) LEFT JOIN float_balances f USING (provider)
CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0)::bigint AS rupiah FROM transfers t WHERE t.provider = n.provider
    AND t.state = ANY ('{planned,sent,accepted}')) o
"""
# Compensations count as needed for transfers, whether or not their buyer has named an account.
NEED = f"""
SELECT coalesce(sum(rupiah) FILTER (WHERE way = 'transfer'), 0)::bigint AS by_transfer,
    coalesce(sum(rupiah) FILTER (WHERE way = 'claim'), 0)::bigint AS by_claim,
    coalesce((SELECT sum(amount) FROM transfers WHERE settled_at > now() - make_interval(days => %s)), 0)::bigint AS settled,
    %s AS days
FROM (
    SELECT way, sum(amount) AS rupiah FROM refunds r
    WHERE way <> 'provider' AND state = 'requested' AND {_NOT_CARRIED} GROUP BY way
    UNION ALL
    SELECT 'transfer', sum(amount) FROM compensations WHERE transfer_id IS NULL) open
"""  # noqa: S608
_WEIGHED = """
INSERT INTO float_balances (provider, rupiah, asked_at) VALUES (%s, %s, %s)
ON CONFLICT ON CONSTRAINT float_balances_pkey DO UPDATE SET rupiah = excluded.rupiah, asked_at = excluded.asked_at
WHERE float_balances.asked_at < excluded.asked_at
"""
_FORGOTTEN = "DELETE FROM float_balances WHERE provider <> ALL (%s)"
# Transfers that no call was begun for, at banks that cannot send now.
_STUCK = """
SELECT transfer_void(account_id, transfer_id) FROM transfers WHERE state = 'planned' AND provider = ANY (%s) LIMIT %s
"""
LOOK_DUE = """
SELECT 1 FROM transfers WHERE look_at <= now() ORDER BY look_at
"""
TO_LOOK = f"""
WITH first AS MATERIALIZED (
    SELECT account_id, transfer_id FROM transfers WHERE look_at <= now() ORDER BY look_at LIMIT %s
    FOR UPDATE SKIP LOCKED)
UPDATE transfers t SET look_at = now() + make_interval(secs => %s) FROM payees p
WHERE p.account_id = t.account_id AND p.payee_id = t.payee_id AND (t.account_id, t.transfer_id) IN (TABLE first)
RETURNING {_COLUMNS}
"""  # noqa: S608 - columns are a constant
# Lookups become ever less frequent, as those of refunds in the record of their provider.
_LOOKED = """
UPDATE transfers SET unheard_since = NULL, look_at = CASE
    WHEN state = ANY ('{refused,settled}') AND coalesce(settled_at, tried_at) > now() - make_interval(secs => %s)
    THEN now() + least(greatest(now() - coalesce(settled_at, tried_at), interval '1 hour'), interval '1 day') END
WHERE account_id = %s AND transfer_id = %s
"""
_LOOK_LATER = """
UPDATE transfers SET look_at = now() + make_interval(secs => %s), unheard_since = coalesce(unheard_since, now())
WHERE account_id = %s AND transfer_id = %s AND look_at IS NOT NULL
"""
_BY_RECORD = """
WITH known AS (
    UPDATE transfers SET recorded_at = now() WHERE transfer_no = ANY (%s) AND recorded_at IS NULL AND state = 'settled'
    RETURNING account_id, transfer_id)
UPDATE refunds r SET recorded_at = now() FROM known
WHERE r.account_id = known.account_id AND r.transfer_id = known.transfer_id AND r.state = 'settled' AND r.recorded_at IS NULL
"""
SEND_DUE = """
SELECT 1 FROM transfers WHERE state = ANY ('{planned,sent,accepted}') AND try_at <= now() ORDER BY try_at
"""
# Records the intent of a call, in the transfer and its refunds, before the call is made.
TO_SEND = f"""
WITH first AS MATERIALIZED (
    SELECT account_id, transfer_id FROM transfers WHERE state = ANY ('{{planned,sent,accepted}}')
        AND try_at <= now() AND (leased_until IS NULL OR leased_until <= now())
        AND (state <> 'planned' OR provider <> ALL (%s))
    ORDER BY try_at LIMIT %s FOR UPDATE SKIP LOCKED),
due AS (
    UPDATE transfers t SET state = 'sent', tries = tries + 1, tried_at = now(),
        leased_until = now() + make_interval(secs => %s), try_at = now() + make_interval(secs => %s)
    FROM payees p
    WHERE p.account_id = t.account_id AND p.payee_id = t.payee_id AND (t.account_id, t.transfer_id) IN (TABLE first)
    RETURNING {_COLUMNS}),
carried AS (
    UPDATE refunds r SET state = 'sent', tries = r.tries + 1, tried_at = now() FROM due
    WHERE r.account_id = due.account AND r.transfer_id = due.id AND refund_is_open(r.state))
SELECT * FROM due
"""  # noqa: S608 - columns are a constant
# Records a try that ended without a final answer; a try in which no call was begun is not counted.
_ANSWERED = """
WITH told AS (
    UPDATE transfers SET state = %s, last_answer = %s, leased_until = NULL, tries = tries - %s,
        try_at = now() + make_interval(secs => %s)
    WHERE account_id = %s AND transfer_id = %s AND state = 'sent' RETURNING account_id, transfer_id, state, last_answer)
UPDATE refunds r SET last_answer = told.last_answer, tries = greatest(r.tries - %s, 0),
    state = CASE told.state WHEN 'planned' THEN 'requested' ELSE told.state END
FROM told WHERE r.account_id = told.account_id AND r.transfer_id = told.transfer_id AND refund_is_open(r.state)
"""


async def to_plan(
    tx: ReadTx, small_rupiah: int, pools_seconds: float, most: int, limit: int
) -> list[ToPlan]:
    """Buyers with money to transfer now, by due time.

    small_rupiah   a smaller sum waits, so that further refunds of its buyer go with it in one transfer
    pools_seconds  longest time that such a small sum waits
    most           greatest sum in rupiah that any bank can send; buyers whose smallest refund exceeds it are left out
    """
    return await tx.all_as(_TO_PLAN, TO_PLAN, small_rupiah, pools_seconds, most, limit)


async def plan(
    tx: Tx, account: UUID, transfer: UUID, number: str, provider: str, most: int
) -> Rupiah:
    """Plan one transfer of waiting money to the bank account of a buyer, of at most `most` rupiah, from the float account at
    `provider`; return its sum.
    """
    given = (account, transfer, number, provider, most)
    found = await tx.value("SELECT transfer_plan(%s, %s, %s, %s, %s)", *given)
    assert isinstance(found, int)
    return Rupiah(found)


async def void_planned(tx: Tx, providers: Sequence[str], limit: int) -> None:
    """Void transfers from these banks for which no call to the bank was begun, so that their refunds are planned again."""
    await tx.run(_STUCK, list(providers), limit)


async def record_wait_reasons(tx: Tx, limits: TransferLimits, limit: int) -> None:
    """Record in each refund without a planned transfer why it has none; updates only refunds whose reason changed, at most
    `limit`.
    """
    await tx.run(_WAITS, *limits, limit)


async def waiting(tx: ReadTx, limits: TransferLimits) -> list[WaitingRupiah]:
    """Rupiah of refunds without a planned transfer, by the reason for that."""
    return await tx.all_as(_WAITING_OF, _WAITING, *limits)


async def balances(tx: ReadTx) -> list[FloatBalance]:
    """The float accounts with their last balances, by name of the bank."""
    return await tx.all_as(_BALANCES, BALANCES)


async def left(tx: ReadTx, providers: Sequence[str], since: datetime) -> list[Left]:
    """For each of these banks, the free rupiah in its float account, and the rupiah of its transfers that are open or settled
    since `since`, the beginning of this day.
    """
    return await tx.all_as(_LEFT_OF, _LEFT, since, list(providers))


async def need(tx: ReadTx) -> FloatNeed:
    """The demand on all float accounts, with settled transfers of the last `NEED_DAYS` days."""
    found = await tx.one_as(_NEED, NEED, NEED_DAYS, NEED_DAYS)
    assert found is not None, "an aggregate has a row"
    return found


async def record_balance(tx: Tx, provider: str, rupiah: Rupiah, asked_at: datetime) -> None:
    """Record the balance of the float account at a bank that was queried at `asked_at`, unless a newer balance is recorded."""
    await tx.run(_WEIGHED, provider, rupiah.value, asked_at)


async def forget_others(tx: Tx, providers: Sequence[str]) -> None:
    """Delete the balances of all banks except these."""
    await tx.run(_FORGOTTEN, list(providers))


async def floats(tx: ReadTx) -> Floats:
    """All float accounts with their last balances, and the demand on them."""
    return Floats(await balances(tx), await need(tx))


async def lease_to_look(tx: Tx, seconds: float, limit: int) -> list[Transfer]:
    """Lease for `seconds` ended transfers that are due to be looked up at their bank."""
    return await tx.all_as(_TRANSFERS, TO_LOOK, limit, seconds)


async def looked(tx: Tx, transfer: Transfer, window_seconds: float) -> None:
    """Record that a transfer was looked up; the next lookup is later, or never if the transfer settled, or was last tried, more
    than `window_seconds` ago.
    """
    await tx.run(_LOOKED, window_seconds, transfer.account, transfer.id)


async def look_later(tx: Tx, transfer: Transfer, seconds: float) -> None:
    """Have a transfer looked up again after `seconds`, since its bank could not be queried."""
    await tx.run(_LOOK_LATER, seconds, transfer.account, transfer.id)


async def confirm_by_record(tx: Tx, numbers: Sequence[str]) -> None:
    """Mark settled transfers with these numbers of ours, and their refunds, as found in the record of the float account."""
    await tx.run(_BY_RECORD, list(numbers))


async def lease_to_send(
    tx: Tx, lease_seconds: float, without: Sequence[str], limit: int
) -> list[Transfer]:
    """Lease transfers that are due to be sent, and count this try in each.

    without  banks that may not be called: of these, only transfers are leased for which a call was begun before
    """
    return await tx.all_as(_TRANSFERS, TO_SEND, list(without), limit, lease_seconds, lease_seconds)


async def answered(
    tx: Tx,
    transfer: Transfer,
    answer: str,
    state: TransferState,
    seconds: float,
    *,
    is_begun: bool = True,
) -> None:
    """Record a try to send a transfer that did not succeed; the next try is after `seconds`.

    state     new state of the transfer
    is_begun  False if no call was begun, so that the try does not count
    """
    back = 0 if is_begun else 1
    key = (transfer.account, transfer.id)
    await tx.run(_ANSWERED, state, answer, back, seconds, *key, back)


async def settle(tx: Tx, account: UUID, transfer: UUID, provider_number: str) -> TransferState:
    """Record that the bank made a transfer, with the bank's number of it; return the new state."""
    found = await tx.value("SELECT transfer_settle(%s, %s, %s)", account, transfer, provider_number)
    return TransferState(found)


async def refuse(tx: Tx, account: UUID, transfer: UUID, answer: str) -> TransferState:
    """Record that the bank will not make a transfer, or that its money came back; return the new state."""
    found = await tx.value("SELECT transfer_refuse(%s, %s, %s)", account, transfer, answer)
    return TransferState(found)
