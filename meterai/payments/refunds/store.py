"""SQL of refunds of payments, one function for each statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from meterai.kit.ids import earliest_id
from meterai.kit.money import Rupiah
from meterai.payments.refunds.model import (
    Compensation,
    KnownOf,
    LateRefund,
    OpenRefunds,
    PayeeOfRefund,
    PaymentGivenBack,
    Refund,
    RefundFigures,
    RefundPastDue,
    RefundPayee,
    RefundsMark,
    RefundState,
    Way,
)
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.periodic import not_paused

REFUNDS_PER_SUBJECT_MAX = 100  # refunds of one order on a page
_COLUMNS = (
    "account_id AS account, refund_id AS id, order_id AS subject, attempt_id AS attempt, payment,"
    " cause, amount, stamps, state, refund_no AS number, provider_refund_no AS provider_number,"
    " requested_at, due_at, settled_at, tries, last_answer, reversed, tried_at, way, transfer_id AS transfer,"
    " first_id AS first, wanted_at, waited_seconds, recorded_at, reroute_at"
)
_REFUNDS = RowMapper(Refund)
_REFUNDS_MARKS = RowMapper(RefundsMark)
_REFUNDS_PAST_DUE = RowMapper(RefundPastDue)
_PAYMENTS_GIVEN_BACK = RowMapper(PaymentGivenBack)
# Names of the periodic tasks.
SENDING, LOOKING = "send_refunds", "look_up_given_back"
SUSPENDING = "suspend_overdue_refunds"
WATCHING = "watch_refunds"
# `TO_TRY` records the intent of a call before the call is made.  Its lease covers the whole call: no process sends the refund
# again before the lease or the call has ended.  The outcome of the call sets the pause until the next try.
TRY_DUE = """
SELECT 1 FROM refunds WHERE refund_is_open(state) AND try_at <= now()
    AND (leased_until IS NULL OR leased_until <= now())
ORDER BY try_at
"""
TO_TRY = f"""
WITH due AS MATERIALIZED (
    SELECT account_id, refund_id FROM refunds
    WHERE refund_is_open(state) AND try_at <= now()
        AND (leased_until IS NULL OR leased_until <= now())
    ORDER BY try_at LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE refunds SET state = 'sent', tries = tries + 1, tried_at = now(),
    leased_until = now() + make_interval(secs => %s),
    try_at = now() + make_interval(secs => %s)
WHERE (account_id, refund_id) IN (TABLE due)
RETURNING {_COLUMNS}
"""  # noqa: S608 - columns are a constant
OF_ACCOUNT = f"""
SELECT {_COLUMNS} FROM refunds WHERE account_id = %s AND refund_id < %s
ORDER BY refund_id DESC LIMIT %s
"""  # noqa: S608
# Searches over all accounts; their indexes are refunds_by_id and refunds_by_provider_number.
BY_ID = f"SELECT {_COLUMNS} FROM refunds WHERE refund_id = %s LIMIT 2"  # noqa: S608
BY_PROVIDER_NUMBER = f"""
SELECT {_COLUMNS} FROM refunds WHERE provider_refund_no = %s LIMIT %s
"""  # noqa: S608
OPEN = f"""
SELECT {_COLUMNS} FROM refunds WHERE refund_is_open(state) ORDER BY due_at LIMIT %s
"""  # noqa: S608
# Each subquery uses an index of its own; the id of a refund contains the time at which the refund began.
FIGURES = """
SELECT (SELECT count(*) FROM refunds WHERE refund_id >= %s AND requested_at > %s AND requested_at <= %s)::integer AS begun,
    (SELECT count(*) FROM refunds WHERE settled_at > %s AND settled_at <= %s)::integer AS settled,
    (SELECT count(*) FROM refunds WHERE refund_is_open(state))::integer AS open
"""
_OPEN_NOW = """
SELECT count(*)::integer AS refunds, coalesce(sum(amount), 0)::bigint AS rupiah, min(requested_at) AS oldest_at,
    count(*) FILTER (WHERE due_at <= now())::integer AS past_due
FROM refunds WHERE refund_is_open(state)
"""
_OPEN = RowMapper(OpenRefunds)
_FIGURES = RowMapper(RefundFigures)
SETTLE = "SELECT refund_settle(%s, %s, %s) AS state"
# If news came during the call (`ASK_NOW`), the next try is due at once.
ANSWERED = """
UPDATE refunds SET state = %s, last_answer = %s,
    try_at = CASE WHEN try_at < leased_until THEN try_at
                  ELSE now() + make_interval(secs => %s) END,
    look_at = CASE WHEN tries > 1 THEN now() ELSE look_at END,  -- the record may contain a part of the refund
    leased_until = NULL
WHERE account_id = %s AND refund_id = %s AND state = 'sent'
"""
# The call was not begun, so that it does not count as a try.
PUT_OFF = """
UPDATE refunds SET tries = tries - 1, state = CASE WHEN tries > 1 THEN state ELSE 'requested' END,
    last_answer = nullif(%s, ''), leased_until = NULL, try_at = now() + make_interval(secs => %s)
WHERE account_id = %s AND refund_id = %s AND state = 'sent'
"""
# Open refunds are queried as soon as no call about them is under way.
ASK_NOW = """
UPDATE refunds SET try_at = least(try_at, now())
WHERE account_id = %s AND attempt_id = %s AND payment = %s AND way = 'provider'
    AND refund_is_open(state)
"""
NOT_BOOKED = "SELECT refund_not_booked(%s, %s, %s, %s) AS rupiah"
MARKS = """
SELECT r.account_id AS account, r.order_id AS subject, md5(string_agg(
    ROW(r.refund_id, r.state, r.amount, r.due_at, r.due_at < now(), r.settled_at,
        r.provider_refund_no, r.way, r.transfer_id, r.recorded_at)::text, ' ' ORDER BY r.refund_id)) AS mark
FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (account_id, order_id)
JOIN refunds r ON r.account_id = wanted.account_id AND r.order_id = wanted.order_id
GROUP BY r.account_id, r.order_id
"""
GIVEN_BACK_TOLD = "SELECT payment_given_back_told(%s, %s, %s, %s)"
GIVEN_BACK = "SELECT refund_given_back(%s, %s, %s, %s, %s)"
# Books rupiah of a captured payment that news reports as given back, and that the books do not have yet.
GIVEN_BACK_AS_TOLD = """
SELECT refund_given_back(c.account_id, c.attempt_id, c.payment,
    coalesce(b.returned, 0) + n.rupiah, '{}')
FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
LEFT JOIN chargebacks b USING (account_id, attempt_id, payment)
CROSS JOIN LATERAL (
    SELECT refund_not_booked(c.account_id, c.attempt_id, c.payment, %s) AS rupiah) n
WHERE c.payment = %s AND a.reference = %s AND c.learned_by <> 'denial' AND n.rupiah > 0
"""
NOT_BOOKED_OF = """
SELECT coalesce(sum(refund_not_booked(c.account_id, c.attempt_id, c.payment, %s)), 0)::bigint
FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
WHERE c.payment = %s AND a.reference = %s AND c.learned_by <> 'denial'
"""
LOOK_UP_DUE = """
SELECT 1 FROM chargebacks WHERE look_at <= now() AND look_at < 'infinity' ORDER BY look_at
"""
TO_LOOK_UP = """
WITH due AS MATERIALIZED (
    SELECT account_id, attempt_id, payment FROM chargebacks
    WHERE look_at <= now() AND look_at < 'infinity' ORDER BY look_at LIMIT %s
    FOR UPDATE SKIP LOCKED)
UPDATE chargebacks SET look_at = now() + make_interval(secs => %s)
WHERE (account_id, attempt_id, payment) IN (TABLE due)
RETURNING account_id AS account, attempt_id AS attempt, payment, returned_told AS told
"""
LOOK_LATER = """
UPDATE chargebacks SET look_at = now() + make_interval(secs => %s),
    unheard_since = CASE WHEN %s THEN NULL ELSE coalesce(unheard_since, now()) END
WHERE account_id = %s AND attempt_id = %s AND payment = %s
"""
LOOKED_UP = """
UPDATE chargebacks SET look_at = 'infinity', unheard_since = NULL
WHERE account_id = %s AND attempt_id = %s AND payment = %s
"""
WATCH_DUE = """
SELECT 1 FROM refunds WHERE look_at <= now() ORDER BY look_at
"""
TO_WATCH = f"""
WITH due AS MATERIALIZED (
    SELECT account_id, refund_id FROM refunds WHERE look_at <= now() ORDER BY look_at LIMIT %s
    FOR UPDATE SKIP LOCKED)
UPDATE refunds SET look_at = now() + make_interval(secs => %s)
WHERE (account_id, refund_id) IN (TABLE due)
RETURNING {_COLUMNS}
"""  # noqa: S608
# A settled refund is looked up ever less often, until the window of its provider ends: the pause is the time since it
# settled, an hour at least and a week at most.
WATCHED = """
UPDATE refunds SET unheard_since = NULL, look_at = CASE WHEN state IN ('settled', 'rerouted')
        AND coalesce(settled_at, tried_at) > now() - make_interval(secs => %s)
    THEN now() + least(greatest(now() - coalesce(settled_at, tried_at), interval '1 hour'), interval '7 days') END
WHERE account_id = %s AND refund_id = %s
"""
WATCH_LATER = """
UPDATE refunds SET look_at = now() + make_interval(secs => %s), unheard_since = coalesce(unheard_since, now())
WHERE account_id = %s AND refund_id = %s
"""
# Open refunds past their due time that have no item in suspense.
PAST_DUE = f"""
SELECT account_id AS account, refund_id AS refund FROM refunds o
WHERE refund_is_open(state) AND due_at <= now()
    AND NOT suspense_knows('refund_overdue:' || refund_no)
    AND {not_paused(SUSPENDING, "refund_id")}
ORDER BY due_at LIMIT %s
"""  # noqa: S608
STILL_PAST_DUE = f"""
SELECT {_COLUMNS} FROM refunds
WHERE account_id = %s AND refund_id = %s AND refund_is_open(state)
    AND due_at <= now() AND NOT suspense_knows('refund_overdue:' || refund_no)
FOR UPDATE
"""  # noqa: S608
OF_ATTEMPT = f"""
SELECT {_COLUMNS} FROM refunds WHERE account_id = %s AND attempt_id = %s AND payment = %s
"""  # noqa: S608
PAYMENTS_OF_ATTEMPT = """
SELECT count(*) AS number FROM captures
WHERE account_id = %s AND attempt_id = %s AND learned_by <> 'denial'
"""
_KNOWN = RowMapper(KnownOf)
_PAYEES = RowMapper(RefundPayee)
_KNOWN_OF = """
SELECT a.provider, a.method, c.captured_at
FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
WHERE c.account_id = %s AND c.attempt_id = %s AND c.payment = %s
"""
_PAYEE = """
SELECT bank_code, account_no, holder, payee_id AS id, named_at FROM payees
WHERE account_id = %s AND ended_at IS NULL
"""
_PAYEES_OF = RowMapper(PayeeOfRefund)
# The account of the refund's transfer; if no transfer carries the refund, or its transfer failed, the current account.
_PAYEES_OF_REFUNDS = """
SELECT r.refund_id AS refund, p.bank_code, p.account_no FROM refunds r
LEFT JOIN transfers t ON t.account_id = r.account_id AND t.transfer_id = r.transfer_id
    AND t.state = ANY ('{planned,sent,accepted,settled,returned}')
JOIN payees p ON p.account_id = r.account_id
    AND CASE WHEN t.transfer_id IS NULL THEN p.ended_at IS NULL ELSE p.payee_id = t.payee_id END
WHERE r.account_id = %s AND r.refund_id = ANY (%s) AND r.way = 'transfer'
"""
_PAYEE_REFUSED = """
SELECT bank_code, account_no, holder, id, named_at FROM (
    SELECT bank_code, account_no, holder, payee_id AS id, named_at, ended_at FROM payees
    WHERE account_id = %s ORDER BY named_at DESC, payee_id DESC LIMIT 1) newest
WHERE ended_at IS NOT NULL
"""
_BUYERS_OF_PAYEE = """
SELECT count(DISTINCT account_id) FROM payees
WHERE bank_code = %s AND account_no = %s AND named_at > now() - make_interval(secs => %s) AND account_id <> %s
"""
WAITING_FOR_ACCOUNT = f"""
SELECT {_COLUMNS} FROM refunds WHERE account_id = %s AND way = 'claim' AND state = 'requested' ORDER BY refund_id
"""  # noqa: S608
_COMPENSATION_OWED = """
SELECT coalesce(sum(amount), 0)::bigint FROM compensations
WHERE account_id = %s AND NOT transfer_is_open(account_id, transfer_id)
"""
_LATE = RowMapper(LateRefund)
# Open refunds past their due time, and refunds that settled late in the last 30 days, which may have days without
# compensation.
LATE = """
SELECT account_id AS account, refund_id AS refund, least(days, %s) AS days FROM (
    SELECT r.account_id, r.refund_id, r.first_id, r.due_at, floor((extract(epoch FROM coalesce(r.settled_at, now()) - r.due_at)
        - r.waited_seconds - CASE WHEN r.wanted_at IS NULL THEN 0
            ELSE extract(epoch FROM now() - greatest(r.wanted_at, r.due_at)) END) / 86400)::integer AS days
    FROM (SELECT * FROM refunds WHERE refund_is_open(state) AND due_at <= now() - interval '1 day'
        UNION ALL SELECT * FROM refunds WHERE settled_at > now() - interval '30 days' AND state = 'settled'
            AND settled_at >= due_at + interval '1 day') r
) o
WHERE days > 0 AND NOT EXISTS (SELECT 1 FROM compensations c WHERE c.account_id = o.account_id
    AND c.refund_id = coalesce(o.first_id, o.refund_id) AND c.day = least(o.days, %s))
ORDER BY due_at LIMIT %s
"""
_COMPENSATIONS = RowMapper(Compensation)
_COMPENSATIONS_OF = """
SELECT refund_id AS refund, sum(amount)::bigint AS amount FROM compensations
WHERE account_id = %s AND refund_id = ANY (%s) GROUP BY refund_id
"""
VOID = "SELECT refund_void(%s, %s) AS state"
REVERSED = "SELECT refund_reversed(%s, %s, %s)"


async def refund(tx: ReadTx, account: UUID, refund_id: UUID) -> Refund | None:
    """One refund of an account; None if the account has no such refund."""
    return await tx.one_as(
        _REFUNDS,
        f"SELECT {_COLUMNS} FROM refunds WHERE account_id = %s AND refund_id = %s",  # noqa: S608
        account,
        refund_id,
    )


async def refunds_by_id(tx: ReadTx, refund_id: UUID) -> list[Refund]:
    """A list with the refund of this id, of any account; empty if there is no such refund."""
    return await tx.all_as(_REFUNDS, BY_ID, refund_id)


async def refunds_by_provider_number(tx: ReadTx, number: str, limit: int) -> list[Refund]:
    """Refunds of all accounts with this number at a provider."""
    return await tx.all_as(_REFUNDS, BY_PROVIDER_NUMBER, number, limit)


async def open_refunds(tx: ReadTx, limit: int) -> list[Refund]:
    """Open refunds, by due time."""
    return await tx.all_as(_REFUNDS, OPEN, limit)


async def refunds_of_subject(tx: ReadTx, account: UUID, subject: UUID) -> list[Refund]:
    """Refunds of one subject (order), oldest first; at most the newest `REFUNDS_PER_SUBJECT_MAX`."""
    newest = await tx.all_as(
        _REFUNDS,
        f"SELECT {_COLUMNS} FROM refunds WHERE account_id = %s AND order_id = %s"  # noqa: S608
        " ORDER BY refund_id DESC LIMIT %s",
        account,
        subject,
        REFUNDS_PER_SUBJECT_MAX,
    )
    return newest[::-1]


async def refunds_of_subjects(tx: ReadTx, account: UUID, subjects: Sequence[UUID]) -> list[Refund]:
    """Refunds of these subjects (orders), oldest first; at most twice `REFUNDS_PER_SUBJECT_MAX`, which are the newest ones."""
    newest = await tx.all_as(
        _REFUNDS,
        f"SELECT {_COLUMNS} FROM refunds WHERE account_id = %s AND order_id = ANY (%s)"  # noqa: S608
        " ORDER BY refund_id DESC LIMIT %s",
        account,
        list(subjects),
        REFUNDS_PER_SUBJECT_MAX * 2,
    )
    return newest[::-1]


async def refunds_of_account(tx: ReadTx, account: UUID, before: UUID, limit: int) -> list[Refund]:
    """Refunds of an account that are older than the refund with the id `before`, newest first."""
    return await tx.all_as(_REFUNDS, OF_ACCOUNT, account, before, limit)


async def refunds_of_payment(tx: Tx, account: UUID, attempt: UUID, payment: str) -> list[Refund]:
    """Our refunds of one payment."""
    return await tx.all_as(_REFUNDS, OF_ATTEMPT, account, attempt, payment)


async def number_of_payments(tx: Tx, account: UUID, attempt: UUID) -> int:
    """The number of captured payments of an attempt."""
    found = await tx.value(PAYMENTS_OF_ATTEMPT, account, attempt)
    assert isinstance(found, int)
    return found


async def lease_to_send(tx: Tx, lease_seconds: float, limit: int) -> list[Refund]:
    """Lease refunds that are due to be sent, and count this try in each."""
    return await tx.all_as(_REFUNDS, TO_TRY, limit, lease_seconds, lease_seconds)


async def settle(tx: Tx, account: UUID, refund: UUID, provider_number: str) -> None:
    """Record that the provider made a refund, with the provider's number of it."""
    await tx.run(SETTLE, account, refund, provider_number)


async def void(tx: Tx, account: UUID, refund: UUID) -> RefundState | None:
    """Stop a refund if its payment has no money left for it; return the state of the refund, None if there is no such
    refund.
    """
    state = await tx.value(VOID, account, refund)
    return None if state is None else RefundState(state)


async def answered(tx: Tx, refund: Refund, answer: str, state: RefundState, seconds: float) -> None:
    """Record a try to send a refund that did not succeed; the next try is after `seconds`."""
    await tx.run(ANSWERED, state, answer, seconds, refund.account, refund.id)


async def put_off(tx: Tx, refund: Refund, answer: str, seconds: float) -> None:
    """Record that the call to the provider was not begun; the refund is tried again after `seconds`."""
    await tx.run(PUT_OFF, answer, seconds, refund.account, refund.id)


async def take_way(tx: Tx, account: UUID, refund: UUID, way: Way) -> bool:
    """Change the way (route back to the buyer) of a refund of which nothing was sent; for `Way.CLAIM` its buyer is asked for a
    bank account.

    False if the way of this refund cannot be changed.
    """
    return bool(await tx.value("SELECT refund_take_way(%s, %s, %s)", account, refund, way))


async def reroute(tx: Tx, account: UUID, refund: UUID, new: UUID, number: str) -> bool:
    """Begin the refund `new`, which waits until its buyer names a bank account, in place of a refund that its provider refused.

    False if the refund cannot be replaced.
    """
    given = (account, refund, new, number)
    return bool(await tx.value("SELECT refund_reroute(%s, %s, %s, %s)", *given))


async def reroute_later(tx: Tx, account: UUID, refund: UUID) -> bool:
    """Mark a refund whose outcome is unknown as to be rerouted later; False if the refund has another state."""
    return bool(await tx.value("SELECT refund_reroute_later(%s, %s)", account, refund))


async def retry(tx: Tx, account: UUID, refund: UUID) -> bool:
    """Make the next try of an open refund due at once; False if the refund is not open, or waits for the buyer's bank
    account.
    """
    return bool(await tx.value("SELECT refund_retry(%s, %s)", account, refund))


async def known_of(tx: ReadTx, refund: Refund) -> KnownOf:
    """Facts from which the way of a refund (its route back to the buyer) is chosen."""
    found = await tx.one_as(_KNOWN, _KNOWN_OF, refund.account, refund.attempt, refund.payment)
    assert found is not None, "a refund is of a capture"
    return found


async def name_payee(tx: Tx, account: UUID, payee: RefundPayee) -> list[Refund]:
    """Record a bank account as the current account of a buyer; return the waiting refunds, which go to this account now."""
    named = (payee.id, payee.bank_code, payee.account_no, payee.holder)
    return await tx.all_as(
        _REFUNDS,
        f"SELECT {_COLUMNS} FROM payee_name(%s, %s, %s, %s, %s) ORDER BY refund_id",  # noqa: S608
        account,
        *named,
    )


async def current_payee(tx: ReadTx, account: UUID) -> RefundPayee | None:
    """The current bank account of a buyer; None if the buyer has named none, or if the newest one was refused by its bank."""
    return await tx.one_as(_PAYEES, _PAYEE, account)


async def payees_of(tx: ReadTx, account: UUID, refunds: Sequence[UUID]) -> list[PayeeOfRefund]:
    """The bank accounts of these refunds; a refund that does not go by transfer is left out."""
    return await tx.all_as(_PAYEES_OF, _PAYEES_OF_REFUNDS, account, list(refunds))


async def refused_payee(tx: ReadTx, account: UUID) -> RefundPayee | None:
    """The bank account that a buyer named last, if its bank refused it; else None."""
    return await tx.one_as(_PAYEES, _PAYEE_REFUSED, account)


async def other_buyers_of(
    tx: ReadTx, account: UUID, bank_code: str, account_no: str, seconds: float
) -> int:
    """The number of buyers other than `account` who named this bank account within the last `seconds`."""
    found = await tx.value(_BUYERS_OF_PAYEE, bank_code, account_no, seconds, account)
    assert isinstance(found, int)
    return found


async def waiting_for_account(tx: ReadTx, account: UUID) -> list[Refund]:
    """Refunds of a buyer that wait until the buyer names a bank account, oldest first."""
    return await tx.all_as(_REFUNDS, WAITING_FOR_ACCOUNT, account)


async def compensation_owed(tx: ReadTx, account: UUID) -> int:
    """Rupiah of a buyer's compensations that are not yet part of a transfer."""
    found = await tx.value(_COMPENSATION_OWED, account)
    assert isinstance(found, int)
    return found


async def late_refunds(tx: ReadTx, days_max: int, limit: int) -> list[LateRefund]:
    """Late refunds with a day of lateness that is not compensated yet, by due time.  Only the first `days_max` days of lateness
    of a refund are compensated.

    Time in which a refund waited until the buyer named a bank account does not count as lateness.
    """
    return await tx.all_as(_LATE, LATE, days_max, days_max, limit)


async def compensations_of(
    tx: ReadTx, account: UUID, refunds: Sequence[UUID]
) -> list[Compensation]:
    """The compensation so far of each of these refunds, given by the ids of `Refund.began_as`; a refund without compensation is
    left out.
    """
    return await tx.all_as(_COMPENSATIONS, _COMPENSATIONS_OF, account, list(refunds))


async def compensate(tx: Tx, account: UUID, refund: UUID, day: int, rupiah: Rupiah) -> bool:
    """Record the compensation for a whole day (counted from 1) of lateness, once; True if it is new."""
    return bool(
        await tx.value(
            "SELECT refund_compensate(%s, %s, %s, %s)", account, refund, day, rupiah.value
        )
    )


async def past_due(tx: ReadTx, limit: int) -> list[RefundPastDue]:
    """Open refunds past their due time that are not yet in suspense."""
    return await tx.all_as(_REFUNDS_PAST_DUE, PAST_DUE, limit)


async def lock_past_due(tx: Tx, account: UUID, refund: UUID) -> Refund | None:
    """Lock an open refund past its due time and return it; None if it has ended or is in suspense by now."""
    return await tx.one_as(_REFUNDS, STILL_PAST_DUE, account, refund)


async def lease_to_look_up(tx: Tx, seconds: float, limit: int) -> list[PaymentGivenBack]:
    """Lease, for `seconds`, payments that the provider reports as given back and whose record is due to be read."""
    return await tx.all_as(_PAYMENTS_GIVEN_BACK, TO_LOOK_UP, limit, seconds)


async def look_later(
    tx: Tx, account: UUID, attempt: UUID, payment: str, seconds: float, *, is_read: bool = False
) -> None:
    """Have the provider's record of a payment read again after `seconds`.

    is_read  True if the record could be read now, but lacks the reported sum
    """
    await tx.run(LOOK_LATER, seconds, is_read, account, attempt, payment)


async def looked_up(tx: Tx, account: UUID, attempt: UUID, payment: str) -> None:
    """Record that the books of a payment agree with the provider's record, which need not be read again."""
    await tx.run(LOOKED_UP, account, attempt, payment)


async def lease_to_watch(tx: Tx, seconds: float, limit: int) -> list[Refund]:
    """Lease for `seconds` refunds that are due to be looked up in the record of their provider."""
    return await tx.all_as(_REFUNDS, TO_WATCH, limit, seconds)


async def watched(tx: Tx, refund: Refund, window_seconds: float) -> None:
    """Record that a refund was looked up; the next lookup is later, or never if the refund settled, or was last tried, more
    than `window_seconds` ago.
    """
    await tx.run(WATCHED, window_seconds, refund.account, refund.id)


async def watch_later(tx: Tx, refund: Refund, seconds: float) -> None:
    """Have a refund looked up again after `seconds`, since the record was unreadable."""
    await tx.run(WATCH_LATER, seconds, refund.account, refund.id)


async def not_booked(tx: Tx, account: UUID, attempt: UUID, payment: str, told: int) -> int:
    """Rupiah that the provider reports as given back from a payment (`told`), less the rupiah that the books already have as
    given back.
    """
    found = await tx.value(NOT_BOOKED, account, attempt, payment, told)
    assert isinstance(found, int)
    return found


async def given_back(
    tx: Tx, account: UUID, attempt: UUID, payment: str, amount: int, ours: Sequence[str]
) -> None:
    """Book that the provider gave back `amount` rupiah of a payment without us.

    ours  numbers of our refunds that the record has as well
    """
    await tx.run(GIVEN_BACK, account, attempt, payment, amount, list(ours))


async def given_back_told(
    tx: Tx, account: UUID, attempt: UUID, payment: str, told: int | None
) -> None:
    """Record that the provider reports `told` rupiah (None: an unknown sum) of a payment as given back; the provider's
    record is read soon.
    """
    await tx.run(GIVEN_BACK_TOLD, account, attempt, payment, told)


async def ask_now(tx: Tx, account: UUID, attempt: UUID, payment: str) -> None:
    """Make open refunds of this payment due to be queried at once."""
    await tx.run(ASK_NOW, account, attempt, payment)


async def given_back_as_told(tx: Tx, reference: str, payment: str, told: int | None) -> None:
    """Book that `told` rupiah (None: the whole payment) of a payment with this reference of ours were given back."""
    await tx.run(GIVEN_BACK_AS_TOLD, told, payment, reference)


async def not_booked_of(tx: ReadTx, reference: str, payment: str, told: int | None) -> int:
    """Rupiah that the provider reports as given back from a payment (`told`; None: the whole payment), less the rupiah that the
    books already have as given back.

    Returns 0 if no payment has this reference and number.
    """
    found = await tx.value(NOT_BOOKED_OF, told, payment, reference)
    assert isinstance(found, int)
    return found


async def refund_marks(
    tx: ReadTx, accounts: Sequence[UUID], subjects: Sequence[UUID]
) -> list[RefundsMark]:
    """Version tags of the refunds of these subjects (orders); a subject without refunds is left out.

    `accounts` and `subjects` are parallel lists.
    """
    return await tx.all_as(_REFUNDS_MARKS, MARKS, list(accounts), list(subjects))


async def reversed_to(tx: Tx, account: UUID, refund: UUID, made: Rupiah) -> Rupiah:
    """Book that the buyer keeps only `made` rupiah of a settled refund, since the other rupiah of it came back to us.

    Returns the rupiah that came back and were not booked as such before.
    """
    found = await tx.value(REVERSED, account, refund, made.value)
    assert isinstance(found, int)
    return Rupiah(found)


async def refunds_within(tx: ReadTx, since: datetime, until: datetime) -> RefundFigures:
    """Counts of refunds that began and that settled after `since` and up to `until`, and of all open refunds."""
    first = earliest_id(since, margin_seconds=60)  # clocks of two machines
    found = await tx.one_as(_FIGURES, FIGURES, first, since, until, since, until)
    assert found is not None
    return found


async def refunds_open_now(tx: ReadTx) -> OpenRefunds:
    """Figures of all open refunds."""
    found = await tx.one_as(_OPEN, _OPEN_NOW)
    assert found is not None
    return found
