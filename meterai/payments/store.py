"""SQL of payments, one function for each statement."""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from meterai.accounts import NOBODY
from meterai.kit.money import Rupiah
from meterai.payments.events import NotificationReceived
from meterai.payments.model import (
    AttemptRoute,
    AttemptState,
    AttemptTold,
    Captured,
    CapturedTold,
    Heard,
    InboxedNotification,
    Notification,
    OpenedAttempt,
    OwnMove,
    OwnReturn,
    PaymentAttempt,
    PaymentChannel,
    PaymentToRecord,
    RailOut,
    read_instructions,
)
from meterai.payments.silence import ALONE, ANSWERS, SILENT, Silent
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.observe.stations import APART_MIN, LATE_SECONDS, LATELY_SECONDS
from meterai.plumbing.work.events import emit

_COLUMNS = (
    "account_id AS account, attempt_id AS id, subject, provider, method, reference, amount, state,"
    " expires_at, provider_reference, instructions"
)


def _made(
    *, amount: Rupiah, state: AttemptState, provider: str, method: str, **more: Any
) -> PaymentAttempt:
    return PaymentAttempt(
        channel=PaymentChannel(provider, method), amount=amount, state=state, **more
    )


_ATTEMPTS = RowMapper(_made, instructions=read_instructions)
_CAPTURED = RowMapper(Captured)
_RAILS_OUT = RowMapper(RailOut)
_ATTEMPTS_TOLD = RowMapper(AttemptTold)
_CAPTURES_TOLD = RowMapper(CapturedTold)
_ROUTES = RowMapper(AttemptRoute)
_HEARD = RowMapper(Heard)
_INBOXED = RowMapper(InboxedNotification)
_TO_RECORD = RowMapper(PaymentToRecord)
_SILENT = RowMapper(Silent)
_OWN_RETURNS = RowMapper(OwnReturn)
_OWN_MOVES = RowMapper(OwnMove)
TOLD_MAX = 100  # most attempts, and most payments, on the timeline of one order
_CLOSED = "state IN ('lost', 'expired', 'cancelled', 'declined')"  # the same text as in the index, so that it is used

# For each subject the attempt that paid it, else one that can be paid now or soon, else the newest.  Instructions are
# selected only for an attempt that can be paid now.
SHOWN = """
SELECT DISTINCT ON (subject) account_id AS account, attempt_id AS id, subject, provider, method, reference,
    provider_reference, amount, state, expires_at,
    CASE WHEN state = 'waiting' AND expires_at > now() THEN instructions END AS instructions
FROM payment_attempts WHERE account_id = %s AND subject = ANY(%s)
ORDER BY subject, attempt_id = ANY(%s) DESC, (state = 'waiting' AND expires_at > now()) DESC,
    (state = 'opening' AND expires_at > now()) DESC, attempt_id DESC
"""
# The same rule as in `order_settle`: each payment counts alone, less its chargebacks and refunds.
COVERED = """SELECT EXISTS (
    SELECT 1 FROM payment_attempts a JOIN captures c USING (account_id, attempt_id)
        LEFT JOIN chargebacks b USING (account_id, attempt_id, payment, subject)
    WHERE a.account_id = %s AND subject = %s AND c.learned_by <> 'denial' AND b.is_whole IS NOT TRUE
        AND c.amount - coalesce(b.taken_back - b.won + b.returned, 0) >= a.amount)"""
HEARD = """
SELECT reference, state, opened_at, answered_at FROM payment_attempts
WHERE account_id = %s AND subject = %s ORDER BY attempt_id
"""
CAPTURED = """
SELECT c.payment AS number, c.amount, c.captured_at AS at
FROM payment_attempts a JOIN captures c USING (account_id, attempt_id)
WHERE a.account_id = %s AND a.subject = %s AND c.learned_by <> 'denial' ORDER BY c.captured_at, c.payment
"""
ATTEMPTS_TOLD = """
SELECT reference, amount, opened_at, expires_at, instructed_at, buyer_asked_at, answered_at, asked, last_answer,
    provider_reference
FROM payment_attempts WHERE account_id = %s AND subject = %s ORDER BY attempt_id LIMIT %s
"""
CAPTURES_TOLD = """
SELECT c.payment AS number, c.amount, a.amount AS wanted, a.method, c.learned_by, c.captured_at, c.confirmed_at
FROM payment_attempts a JOIN captures c USING (account_id, attempt_id)
WHERE a.account_id = %s AND a.subject = %s AND c.learned_by <> 'denial' ORDER BY c.captured_at, c.payment LIMIT %s
"""
_ROUTE = """
SELECT account_id AS account, attempt_id AS attempt, provider || ' ' || method AS route
FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (account_id, attempt_id)
JOIN payment_attempts USING (account_id, attempt_id)
"""
# The two parts use the indexes captures_by_payment and payment_attempts_by_provider_reference.
BY_ANY_NUMBER = """
SELECT a.account_id AS account, a.subject
FROM captures c JOIN payment_attempts a USING (account_id, attempt_id) WHERE c.payment = %s
UNION
SELECT account_id, subject FROM payment_attempts WHERE provider_reference = %s
LIMIT %s
"""
OUTCOME = """
UPDATE notification_inbox SET outcome = %s
WHERE provider = %s AND sent_on = %s AND external_id = %s
"""
BY_NUMBER = f"""
SELECT {_COLUMNS} FROM payment_attempts WHERE provider_reference = %s AND provider = %s LIMIT 2
"""  # noqa: S608 - of constants
NEWEST_BY_NUMBER = f"""
SELECT {_COLUMNS} FROM payment_attempts WHERE provider_reference = %s AND provider = %s
ORDER BY attempt_id DESC LIMIT 1
"""  # noqa: S608 - of constants
OPENING_DUE = """
SELECT 1 FROM payment_attempts WHERE state = 'opening' AND leased_until <= now() ORDER BY leased_until
"""
# An attempt has the state 'opening' from before the call to the bank until the bank answers.
LATE = f"""
SELECT 1 FROM payment_attempts WHERE state = 'opening' AND opened_at > now() - interval '{LATELY_SECONDS} seconds'
    AND opened_at < now() - interval '{LATE_SECONDS} seconds'
"""  # noqa: S608 - seconds are constants
MEAN_WAIT = f"""
SELECT avg(waited)::double precision AS seconds FROM (
    SELECT avg(CASE WHEN state = 'opening' THEN extract(epoch FROM now() - opened_at) ELSE 0 END) AS waited,
        bool_or(state = 'opening' AND opened_at < now() - interval '{LATE_SECONDS} seconds') AS is_late
    FROM payment_attempts WHERE opened_at > now() - interval '{LATELY_SECONDS} seconds'
    GROUP BY account_id) AS of_account
HAVING count(*) FILTER (WHERE is_late) >= {APART_MIN}
"""  # noqa: S608 - numbers are constants
TO_OPEN = f"""
WITH due AS MATERIALIZED (
    SELECT account_id, attempt_id FROM payment_attempts
    WHERE state = 'opening' AND leased_until <= now()
        AND (provider <> ALL(%s) OR expires_at <= now())
    ORDER BY leased_until LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE payment_attempts SET leased_until = now() + make_interval(secs => %s)
WHERE (account_id, attempt_id) IN (TABLE due)
RETURNING {_COLUMNS}, tries
"""  # noqa: S608
TO_OPEN_OF = f"""
UPDATE payment_attempts SET leased_until = now() + make_interval(secs => %s)
WHERE account_id = %s AND subject = %s AND state = 'opening' AND leased_until <= now()
RETURNING {_COLUMNS}, tries
"""  # noqa: S608
OPENED = """
UPDATE payment_attempts SET state = 'waiting', instructions = %s, provider_reference = %s,
    instructed_at = now(), ask_at = now() + make_interval(secs => %s)
WHERE account_id = %s AND attempt_id = %s AND state = 'opening' RETURNING attempt_id
"""
LATER = """
UPDATE payment_attempts SET tries = tries + 1, last_answer = %s,
    is_perhaps_made = is_perhaps_made OR %s,
    leased_until = now() + make_interval(secs => backoff_seconds(%s, tries, %s))
WHERE account_id = %s AND attempt_id = %s AND state = 'opening'
"""
# The call was not begun, so that it does not count as a try.
OPEN_PUT_OFF = """
UPDATE payment_attempts SET last_answer = %s, leased_until = now() + make_interval(secs => %s)
WHERE account_id = %s AND attempt_id = %s AND state = 'opening'
"""
# No buyer has seen the instructions of the attempt.  If the provider may have made them, they are cancelled and queried.
EXPIRE_OPENING = """
UPDATE payment_attempts SET state = CASE WHEN is_perhaps_made THEN 'lost' ELSE 'expired' END,
    ask_at = CASE WHEN is_perhaps_made THEN now() ELSE 'infinity' END, ask_rank = 1,
    cancel_at = CASE WHEN is_perhaps_made THEN cancel_at ELSE 'infinity' END
WHERE account_id = %s AND attempt_id = %s AND state = 'opening'
"""
REPLACE = "SELECT payment_replace_by(%s, %s, %s, %s, %s, %s, %s, %s) AS outcome"
OUT = "SELECT rail, reason, out_at FROM rails_out ORDER BY rail"
TAKE_OUT = """
INSERT INTO rails_out (rail, reason) VALUES (%s, %s)
ON CONFLICT ON CONSTRAINT rails_out_pkey DO UPDATE SET reason = excluded.reason, out_at = now()
"""
CLOSE = "SELECT payment_close(%s, %s)"
QUESTION_DUE = """
SELECT 1 FROM payment_attempts
WHERE ask_rank IN (0, 1) AND state <> 'opening' AND ask_at <= now() AND ask_at < 'infinity'
ORDER BY ask_rank, ask_at
"""
# `first` are attempts whose buyer may be waiting.  `late` are all others: they get a share of their own and the capacity that
# `first` leaves, and cannot delay `first`, however many they are.  The time set here is a lease; the answer sets the time of
# the next status query.
TO_ASK = f"""
WITH first AS (
    SELECT account_id, attempt_id FROM payment_attempts
    WHERE ask_rank = 0 AND state <> 'opening' AND ask_at <= now() AND ask_at < 'infinity'
        AND provider <> ALL(%s)
    ORDER BY ask_at LIMIT %s FOR UPDATE SKIP LOCKED),
late AS (
    SELECT account_id, attempt_id FROM payment_attempts
    WHERE ask_rank = 1 AND state <> 'opening' AND ask_at <= now() AND ask_at < 'infinity'
        AND provider <> ALL(%s)
    ORDER BY ask_at LIMIT (SELECT greatest(%s, %s - count(*)) FROM first) FOR UPDATE SKIP LOCKED)
UPDATE payment_attempts SET asked = asked + 1, ask_at = now() + make_interval(secs => %s)
WHERE (account_id, attempt_id) IN (SELECT * FROM first UNION ALL SELECT * FROM late)
RETURNING {_COLUMNS}, ask_at - make_interval(secs => %s) AS asked_at
"""  # noqa: S608
# `asked` already includes this query.  An attempt that may be paid now has the first rank (0).  An ended attempt is not
# queried any more once the provider confirms the cancellation, or says that it has no such instructions and no buyer has
# seen any.
ASKED = """
UPDATE payment_attempts SET
    answered_at = CASE WHEN %s THEN now() ELSE answered_at END,
    unheard_since = CASE WHEN %s THEN NULL ELSE coalesce(unheard_since, now()) END,
    ask_at = CASE WHEN (%s OR (%s AND instructions IS NULL))
            AND cancel_at = 'infinity' AND expires_at <= now() THEN 'infinity'
        ELSE payment_next_question(state, opened_at, asked - 1, %s, %s) END,
    ask_rank = CASE WHEN state = 'waiting' THEN 0 ELSE 1 END
WHERE account_id = %s AND attempt_id = %s AND ask_at < 'infinity'
"""
# The query was not begun, so that it does not count in `asked`.
ASK_PUT_OFF = """
UPDATE payment_attempts SET asked = asked - 1, ask_at = now() + make_interval(secs => %s),
    unheard_since = coalesce(unheard_since, now())
WHERE account_id = %s AND attempt_id = %s AND ask_at < 'infinity'
"""
ASK_NOW = """
UPDATE payment_attempts SET ask_at = now(), ask_rank = 0
WHERE account_id = %s AND attempt_id = %s AND state <> 'opening'
"""
# For a buyer who claims to have paid: the attempts of the subject that may be paid, if the buyer's last query is old enough.
TO_ASK_OF = f"""
UPDATE payment_attempts SET buyer_asked_at = now(), ask_at = now() + make_interval(secs => %s)
WHERE account_id = %s AND subject = %s AND state IN ('waiting', 'expired', 'lost', 'declined')
    AND ask_at < 'infinity'
    AND (buyer_asked_at IS NULL OR buyer_asked_at <= now() - make_interval(secs => %s))
RETURNING {_COLUMNS}, buyer_asked_at AS asked_at
"""  # noqa: S608
CANCEL_DUE = f"""
SELECT 1 FROM payment_attempts WHERE {_CLOSED} AND cancel_at <= now() AND cancel_at < 'infinity'
ORDER BY cancel_at
"""  # noqa: S608 - of constants
TO_CANCEL = f"""
WITH due AS MATERIALIZED (
    SELECT account_id, attempt_id FROM payment_attempts
    WHERE {_CLOSED} AND cancel_at <= now() AND cancel_at < 'infinity' AND provider <> ALL(%s)
    ORDER BY cancel_at LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE payment_attempts SET cancel_tries = cancel_tries + 1,
    cancel_at = now() + make_interval(secs => %s)
WHERE (account_id, attempt_id) IN (TABLE due)
RETURNING {_COLUMNS}, cancel_tries - 1 AS tries
"""  # noqa: S608
TO_CANCEL_OF = f"""
UPDATE payment_attempts SET cancel_tries = cancel_tries + 1,
    cancel_at = now() + make_interval(secs => %s)
WHERE account_id = %s AND subject = %s AND {_CLOSED} AND cancel_at <= now()
RETURNING {_COLUMNS}, cancel_tries - 1 AS tries
"""  # noqa: S608
CANCELLED = """
UPDATE payment_attempts SET cancel_at = 'infinity',
    state = CASE state WHEN 'lost' THEN 'cancelled' ELSE state END
WHERE account_id = %s AND attempt_id = %s AND state NOT IN ('opening', 'waiting')
"""
# No more tries once the attempt expired so long ago that it certainly accepts no money.
CANCEL_LATER = """
UPDATE payment_attempts SET cancel_at = CASE
    WHEN expires_at < now() - make_interval(secs => %s) THEN 'infinity'
    ELSE now() + make_interval(secs => backoff_seconds(%s, cancel_tries - 1, %s)) END
WHERE account_id = %s AND attempt_id = %s
"""
# The call was not begun, so that it does not count as a try.
CANCEL_PUT_OFF = """
UPDATE payment_attempts SET cancel_tries = cancel_tries - 1,
    cancel_at = now() + make_interval(secs => %s)
WHERE account_id = %s AND attempt_id = %s AND cancel_at < 'infinity'
"""
CANCEL_NO_MORE = """
UPDATE payment_attempts SET cancel_at = 'infinity' WHERE account_id = %s AND attempt_id = %s
"""
OPEN_ANOTHER = "SELECT payment_open_another_by(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
CAPTURE = "SELECT payment_capture(%s, %s, %s, %s, %s) AS outcome"
CHARGE_BACK = "SELECT payment_deny(%s, %s, %s, %s) AS outcome"
CONFIRM = "SELECT payment_confirm(%s, %s, %s, %s)"
CAPTURE_FROM = "SELECT payment_capture_from(%s, %s, %s, %s, %s) AS outcome"
CHARGE_BACK_FROM = "SELECT payment_deny_from(%s, %s, %s, %s, %s) AS outcome"
TO_RECORD = """
SELECT c.account_id AS account, c.attempt_id AS attempt, a.subject, c.amount,
    coalesce(CASE WHEN b.is_whole THEN c.amount ELSE b.taken_back - b.won END, 0)::bigint AS taken_back,
    b.last_told_at AS told_at
FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)
LEFT JOIN chargebacks b USING (account_id, attempt_id, payment)
WHERE c.payment = %s AND a.provider = %s AND c.learned_by <> 'denial'
"""
CLOSE_BY_RECORD = """
UPDATE captures SET recorded_at = now()
WHERE account_id = %s AND attempt_id = %s AND payment = %s AND recorded_at IS NULL
"""
PAYMENTS_CONFIRMED = """
UPDATE captures SET recorded_at = now() WHERE payment = ANY(%s) AND recorded_at IS NULL AND learned_by <> 'denial'
"""
REFUNDS_CONFIRMED = """
UPDATE refunds SET recorded_at = now() WHERE refund_no = ANY(%s) AND recorded_at IS NULL AND state = 'settled'
"""
INBOX = """
INSERT INTO notification_inbox (provider, external_id, sent_on, body, body_sha256, reading)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT notification_inbox_pkey DO NOTHING RETURNING external_id
"""


def opened(made: OpenedAttempt) -> tuple[object, ...]:
    """The first two parameters of the statement `OPENED`: instructions, and the provider's number that identifies them."""
    return jsonb(msgspec.to_builtins(made.instructions)), made.provider_reference


async def record_opened(
    tx: Tx, account: UUID, attempt_id: UUID, made: OpenedAttempt, ask_seconds: float
) -> None:
    """Record the instructions that the provider made; the first status query is after `ask_seconds`."""
    await tx.run(OPENED, *opened(made), ask_seconds, account, attempt_id)


async def open_later(
    tx: Tx,
    account: UUID,
    attempt_id: UUID,
    answer: str,
    *,
    is_perhaps_made: bool,
    seconds: float,
    seconds_max: float,
) -> None:
    """Record that an attempt could not be opened, with the provider's answer.

    is_perhaps_made       True if the provider may have made instructions
    seconds, seconds_max  the first and the longest pause before a further try; pauses grow with each try
    """
    await tx.run(LATER, answer, is_perhaps_made, seconds, seconds_max, account, attempt_id)


async def put_opening_off(
    tx: Tx, account: UUID, attempt_id: UUID, answer: str, seconds: float
) -> None:
    """Record that the call to open an attempt was not begun; the try is repeated after `seconds`."""
    await tx.run(OPEN_PUT_OFF, answer, seconds, account, attempt_id)


async def replace(
    tx: Tx,
    lost: PaymentAttempt,
    successor: UUID,
    reference: str,
    channel: PaymentChannel,
    seconds: float,
    attempts_max: int,
) -> str:
    """Put the attempt `successor`, on this channel, in the place of an attempt (`lost`) whose instructions cannot be shown to
    the buyer.

    seconds       pause before a successor at the same rail is opened, which grows with each attempt; a successor at another
                  rail is opened without a pause
    attempts_max  greatest number of attempts that a subject (order) may have

    Returns the outcome as `payment_replace_by` names it.
    """
    how = (channel.provider, channel.method, reference, seconds, attempts_max)
    return str(await tx.value(REPLACE, lost.account, lost.id, successor, *how))


async def open_another(
    tx: Tx,
    account: UUID,
    attempt_id: UUID,
    subject: UUID,
    channel: PaymentChannel,
    reference: str,
    amount: Rupiah,
    expires_at: datetime,
    attempts_max: int,
) -> bool:
    """Begin another attempt of a subject (order); False if the subject has had `attempts_max` attempts."""
    how = (channel.provider, channel.method, reference, amount.value, expires_at, attempts_max)
    return bool(await tx.value(OPEN_ANOTHER, account, attempt_id, subject, *how))


async def out(tx: ReadTx) -> list[RailOut]:
    """The rails that an operator took out, so that they get no new attempts, by name."""
    return await tx.all_as(_RAILS_OUT, OUT)


async def set_out(tx: Tx, rail: str, reason: str, *, is_out: bool) -> None:
    """If `is_out`, take a rail out for this reason, so that it gets no new attempts; else let it get new attempts again."""
    if is_out:
        await tx.run(TAKE_OUT, rail, reason)
    else:
        await tx.run("DELETE FROM rails_out WHERE rail = %s", rail)


async def opening_at(tx: ReadTx, rail: str) -> int:
    """The number of attempts at a rail that wait for their instructions."""
    found = await tx.value(
        "SELECT count(*) FROM payment_attempts WHERE state = 'opening' AND provider = %s", rail
    )
    return int(found or 0)


async def expire_opening(tx: Tx, account: UUID, attempt_id: UUID) -> None:
    """End an attempt that could not be opened before its expiry: as expired, or as lost if the provider may have made
    instructions.
    """
    await tx.run(EXPIRE_OPENING, account, attempt_id)


async def close(tx: Tx, account: UUID, subject: UUID) -> None:
    """Close the open attempts of a subject (order)."""
    await tx.run(CLOSE, account, subject)


async def asked(
    tx: Tx,
    account: UUID,
    attempt_id: UUID,
    *,
    is_answered: bool,
    is_cancelled: bool,
    is_unknown: bool,
    seconds: float,
    window_seconds: float,
) -> None:
    """Record whether a status query was answered and how, and set the time of the next query.

    is_cancelled, is_unknown  the answer says that the attempt is cancelled, or that the provider does not have it
    seconds                   pause after the first query of an attempt; later pauses are longer
    window_seconds            time in which the provider answers queries about a payment
    """
    told = (is_answered, is_answered, is_cancelled, is_unknown)
    await tx.run(ASKED, *told, seconds, window_seconds, account, attempt_id)


async def put_question_off(tx: Tx, account: UUID, attempt_id: UUID, seconds: float) -> None:
    """Record that the call for a status query was not begun; the query is sent after `seconds`."""
    await tx.run(ASK_PUT_OFF, seconds, account, attempt_id)


async def ask_now(tx: Tx, account: UUID, attempt_id: UUID) -> None:
    """Make an attempt due to be queried at once."""
    await tx.run(ASK_NOW, account, attempt_id)


async def cancelled(tx: Tx, account: UUID, attempt_id: UUID) -> None:
    """Record that the provider cancelled an attempt."""
    await tx.run(CANCELLED, account, attempt_id)


async def cancel_later(
    tx: Tx,
    account: UUID,
    attempt_id: UUID,
    *,
    seconds: float,
    seconds_max: float,
    give_up_seconds: float,
) -> None:
    """Record that a cancellation failed.

    seconds, seconds_max  the first and the longest pause before a further try; pauses grow with each try
    give_up_seconds       the tries end when the attempt has been expired for so many seconds
    """
    await tx.run(CANCEL_LATER, give_up_seconds, seconds, seconds_max, account, attempt_id)


async def put_cancel_off(tx: Tx, account: UUID, attempt_id: UUID, seconds: float) -> None:
    """Record that the call for a cancellation was not begun; the cancellation is sent after `seconds`."""
    await tx.run(CANCEL_PUT_OFF, seconds, account, attempt_id)


async def cancel_no_more(tx: Tx, account: UUID, attempt_id: UUID) -> None:
    """Record that an attempt need not be cancelled any more."""
    await tx.run(CANCEL_NO_MORE, account, attempt_id)


async def capture(
    tx: Tx, account: UUID, attempt_id: UUID, number: str | None, amount: int | None, learned_by: str
) -> str:
    """Book a payment of an attempt, of `amount` rupiah; return the outcome as `payment_capture` names it.

    learned_by  source of the news, such as `notification` or `question` (an answer to a query)
    """
    return str(await tx.value(CAPTURE, account, attempt_id, number, amount, learned_by))


async def confirm(
    tx: Tx, account: UUID, attempt_id: UUID, number: str, asked_at: datetime | None
) -> None:
    """Record that the answer to a query sent at `asked_at` confirms a captured payment.

    If the payment was charged back before `asked_at`, the chargeback is recorded as won.  If `asked_at` is None, a chargeback
    is left as it is.
    """
    await tx.run(CONFIRM, account, attempt_id, number, asked_at)


async def charge_back(
    tx: Tx, account: UUID, attempt_id: UUID, number: str | None, amount: int | None
) -> str:
    """Record that a payment failed, or that `amount` rupiah of it (None: all of them) were charged back.

    Returns the outcome as `payment_deny` names it.
    """
    return str(await tx.value(CHARGE_BACK, account, attempt_id, number, amount))


async def capture_from(
    tx: Tx, provider: str, account: UUID, attempt_id: UUID, number: str | None, amount: int | None
) -> str:
    """Like `capture`, for a payment in a notification; does nothing unless the attempt belongs to the provider that sent the
    notification.
    """
    return str(await tx.value(CAPTURE_FROM, provider, account, attempt_id, number, amount))


async def charge_back_from(
    tx: Tx, provider: str, account: UUID, attempt_id: UUID, number: str | None, amount: int | None
) -> str:
    """Like `charge_back`, for a chargeback in a notification; does nothing unless the attempt belongs to the provider that sent
    the notification.
    """
    return str(await tx.value(CHARGE_BACK_FROM, provider, account, attempt_id, number, amount))


async def attempt(tx: ReadTx, account: UUID, attempt_id: UUID) -> PaymentAttempt | None:
    """The attempt with this id; None if the account has no such attempt."""
    return await tx.one_as(
        _ATTEMPTS,
        f"SELECT {_COLUMNS} FROM payment_attempts"  # noqa: S608
        " WHERE account_id = %s AND attempt_id = %s",
        account,
        attempt_id,
    )


async def shown(
    tx: ReadTx, account: UUID, subjects: Sequence[UUID], paid_by: Sequence[UUID]
) -> list[PaymentAttempt]:
    """For each subject (order) the attempt to show to its buyer; `paid_by` are ids of attempts that paid a subject."""
    return await tx.all_as(_ATTEMPTS, SHOWN, account, list(subjects), list(paid_by))


async def newest(tx: ReadTx, account: UUID, subject: UUID) -> PaymentAttempt | None:
    """The newest attempt of a subject (order); None if it has no attempt."""
    return await tx.one_as(
        _ATTEMPTS,
        f"SELECT {_COLUMNS} FROM payment_attempts WHERE account_id = %s AND subject = %s"  # noqa: S608
        " ORDER BY attempt_id DESC LIMIT 1",
        account,
        subject,
    )


async def is_covered(tx: ReadTx, account: UUID, subject: UUID) -> bool:
    """True if one payment of a subject (order), less its chargebacks and refunds, is at least the sum of its attempt."""
    return bool(await tx.value(COVERED, account, subject))


async def lease_to_open(
    tx: Tx, lease_seconds: float, limit: int, without: Sequence[str]
) -> list[PaymentAttempt]:
    """Lease at most `limit` attempts that wait to be opened; of rails in `without`, only attempts that have expired."""
    return await tx.all_as(_ATTEMPTS, TO_OPEN, list(without), limit, lease_seconds)


async def lease_to_open_of(
    tx: Tx, account: UUID, subject: UUID, lease_seconds: float
) -> PaymentAttempt | None:
    """Lease the attempt of a subject (order) that waits to be opened; None if there is none, or another process has it."""
    return await tx.one_as(_ATTEMPTS, TO_OPEN_OF, lease_seconds, account, subject)


async def lease_to_ask(
    tx: Tx, lease_seconds: float, limit: int, late_max: int, without: Sequence[str]
) -> list[PaymentAttempt]:
    """Lease attempts that are due to be queried, without those of rails in `without`.

    limit     greatest number of attempts that a buyer may be paying now
    late_max  greatest number of all other attempts; if there are fewer than `limit` of the first kind, others may fill up
              `limit`
    """
    away = list(without)
    lease = (lease_seconds, lease_seconds)
    return await tx.all_as(_ATTEMPTS, TO_ASK, away, limit, away, late_max, limit, *lease)


async def lease_to_ask_of(
    tx: Tx, account: UUID, subject: UUID, lease_seconds: float, pause_seconds: float
) -> list[PaymentAttempt]:
    """Lease those attempts of a subject (order) that may have been paid, unless they were queried at its buyer's request within
    the last `pause_seconds`.
    """
    return await tx.all_as(_ATTEMPTS, TO_ASK_OF, lease_seconds, account, subject, pause_seconds)


async def lease_to_cancel(
    tx: Tx, lease_seconds: float, limit: int, without: Sequence[str]
) -> list[PaymentAttempt]:
    """Lease closed attempts that are due to be cancelled at their providers, without those of rails in `without`."""
    return await tx.all_as(_ATTEMPTS, TO_CANCEL, list(without), limit, lease_seconds)


async def lease_to_cancel_of(
    tx: Tx, account: UUID, subject: UUID, lease_seconds: float
) -> list[PaymentAttempt]:
    """Lease the closed attempts of one subject (order) that are due to be cancelled."""
    return await tx.all_as(_ATTEMPTS, TO_CANCEL_OF, lease_seconds, account, subject)


async def inboxed(
    tx: Tx, provider: str, external_id: str, sent_on: date
) -> InboxedNotification | None:
    """The stored notification with this id and date; None if there is none."""
    return await tx.one_as(
        _INBOXED,
        "SELECT body, reading, outcome FROM notification_inbox"
        " WHERE provider = %s AND sent_on = %s AND external_id = %s",
        provider,
        sent_on,
        external_id,
    )


async def insert_inbox(
    tx: Tx,
    provider: str,
    external_id: str,
    sent_on: date,
    body: bytes,
    read: Notification | None = None,
) -> bool:
    """Store a notification and its parsed fields; False if this provider sent one with this id and date before."""
    digest = sha256(body).digest()  # stays when the body is deleted
    reading = jsonb(msgspec.to_builtins(read)) if read else None
    given = (provider, external_id, sent_on, body, digest, reading)
    return await tx.one(INBOX, *given) is not None


async def take(
    tx: Tx, provider: str, external_id: str, sent_on: date, body: bytes, read: Notification
) -> bool:
    """Store a notification, and queue a job that acts on it; False if the provider sent one with this id and date before."""
    if not await insert_inbox(tx, provider, external_id, sent_on, body, read):
        return False
    await emit(
        tx,
        NotificationReceived(
            account=NOBODY, external_id=external_id, sent_on=sent_on, provider=provider
        ),
    )
    return True


async def set_outcome(tx: Tx, provider: str, external_id: str, sent_on: date, outcome: str) -> None:
    """Record the outcome of acting on a stored notification."""
    await tx.run(OUTCOME, outcome, provider, sent_on, external_id)


async def newest_by_provider_reference(
    tx: ReadTx, provider: str, number: str
) -> PaymentAttempt | None:
    """The newest attempt at this provider whose instructions have this number; None if there is none.  Older attempts may have
    the same number, since banks use account numbers again.
    """
    return await tx.one_as(_ATTEMPTS, NEWEST_BY_NUMBER, number, provider)


async def is_at(tx: ReadTx, provider: str, account: UUID, attempt_id: UUID) -> bool:
    """True if an attempt belongs to this provider."""
    return bool(await tx.value("SELECT payment_is_at(%s, %s, %s)", provider, account, attempt_id))


async def by_provider_reference(tx: Tx, provider: str, number: str) -> PaymentAttempt | None:
    """The attempt at this provider whose instructions have this number; None if there is none, or more than one."""
    found = await tx.all_as(_ATTEMPTS, BY_NUMBER, number, provider)
    return found[0] if len(found) == 1 else None


async def silent(tx: Tx) -> tuple[list[Silent], set[str]]:
    """(queries without an answer for longer than the bound, names of their providers that still answer other queries).

    At most `SINGLES_MAX` queries of each kind and provider are returned.  Takes a lock until the transaction ends.
    """
    await tx.run(ALONE)
    found = await tx.all_as(_SILENT, SILENT)
    providers = {one.provider for one in found}
    return found, {one for one in providers if await tx.one(ANSWERS, one)}


async def captured(tx: Tx, account: UUID, attempt_id: UUID, payment: str | None) -> bool:
    """True if this payment of an attempt was captured; if `payment` is None, True if any payment of the attempt was."""
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT 1 FROM captures WHERE account_id = %s AND attempt_id = %s"
            " AND learned_by <> 'denial' AND payment = coalesce(%s, payment))",
            account,
            attempt_id,
            payment,
        )
    )


async def captured_of(tx: ReadTx, account: UUID, subject: UUID) -> list[Captured]:
    """Every captured payment for one subject (order), oldest first."""
    return await tx.all_as(_CAPTURED, CAPTURED, account, subject)


async def heard_of(tx: ReadTx, account: UUID, subject: UUID) -> list[Heard]:
    """Every attempt of one subject (order), oldest first, with the time of the last answer of its provider."""
    return await tx.all_as(_HEARD, HEARD, account, subject)


async def payment_to_record(tx: Tx, provider: str, payment: str) -> PaymentToRecord | None:
    """The captured payment with this number of the provider, with its chargebacks so far; None if there is no such payment."""
    return await tx.one_as(_TO_RECORD, TO_RECORD, payment, provider)


async def close_by_record(tx: Tx, account: UUID, attempt: UUID, payment: str) -> None:
    """Mark a payment as found in the record of its provider."""
    await tx.run(CLOSE_BY_RECORD, account, attempt, payment)


async def confirm_by_record(tx: Tx, payments: Sequence[str], refunds: Sequence[str]) -> None:
    """Mark payments and settled refunds on which the record and the books agree.

    payments  the provider's numbers of payments
    refunds   our numbers of refunds
    """
    await tx.run(PAYMENTS_CONFIRMED, list(payments))
    await tx.run(REFUNDS_CONFIRMED, list(refunds))


async def captured_anywhere(tx: Tx, payment: str) -> bool:
    """True if a payment with this number was captured, for any account.

    Locks the number until the transaction ends.
    """
    await tx.run("SELECT payment_number_lock(%s)", payment)
    found = await tx.value(
        "SELECT EXISTS (SELECT 1 FROM captures WHERE payment = %s AND learned_by <> 'denial')",
        payment,
    )
    return bool(found)


async def attempts_told(tx: ReadTx, account: UUID, subject: UUID) -> list[AttemptTold]:
    """The attempts of a subject (order) with their times, for a timeline, oldest first."""
    return await tx.all_as(_ATTEMPTS_TOLD, ATTEMPTS_TOLD, account, subject, TOLD_MAX)


async def captures_told(tx: ReadTx, account: UUID, subject: UUID) -> list[CapturedTold]:
    """The captured payments of a subject (order) for a timeline, oldest first, each with the source from which we learned of
    it.
    """
    return await tx.all_as(_CAPTURES_TOLD, CAPTURES_TOLD, account, subject, TOLD_MAX)


async def subjects_by_number(tx: ReadTx, number: str, limit: int) -> list[tuple[UUID, UUID]]:
    """(account, subject) of payments, and of attempts with instructions, that have this number at a provider."""
    rows = await tx.all(BY_ANY_NUMBER, number, number, limit)
    return [(row["account"], row["subject"]) for row in rows]


async def routes_of(tx: ReadTx, attempts: Sequence[tuple[UUID, UUID]]) -> list[AttemptRoute]:
    """The rail and method of each of these attempts, which are given as (account, attempt)."""
    wanted = [one for one, _ in attempts], [one for _, one in attempts]
    return await tx.all_as(_ROUTES, _ROUTE, *wanted)


async def references_of(tx: ReadTx, account: UUID, limit: int) -> list[str]:
    """Our references of the newest attempts of an account, at most `limit`."""
    found = await tx.value(
        "SELECT coalesce(array_agg(reference), '{}') FROM (SELECT reference FROM payment_attempts"
        " WHERE account_id = %s ORDER BY attempt_id DESC LIMIT %s) a",
        account,
        limit,
    )
    assert isinstance(found, list)
    return found


# -- rails of our own database: the room of the rail provides the statements (`OwnSql`) ------------


async def give_back_own(
    tx: Tx, query: str, account: UUID, source: UUID, refund: str, amount: int
) -> int | None:
    """For a rail of our own database: refund `amount` rupiah of a payment to the deposit or credit that paid it, once for each
    refund number.

    `query` is the statement `OwnSql.give_back`; `source` is the id of the sale or draw on credit that paid.  Returns the sum
    refunded under this number, None if too little of the payment is left.
    """
    found: int | None = await tx.value(query, account, source, refund, amount)
    return found


async def returned_own(tx: ReadTx, query: str, account: UUID, source: UUID) -> list[OwnReturn]:
    """For a rail of our own database: the refunds of the payment from this source (a sale or a draw on credit), oldest
    first.
    """
    return await tx.all_as(_OWN_RETURNS, query, account, source)


async def open_own_moves(tx: ReadTx, query: str, begins: datetime, ends: datetime) -> None:
    """Open a database cursor over the payments and refunds of a rail of our own, from `begins` to before `ends`;
    `next_own_moves` reads from it.
    """
    declared = f"DECLARE own_moves NO SCROLL CURSOR FOR {query}"
    await tx.tell(declared, begins, ends, begins, ends)


async def next_own_moves(tx: ReadTx, limit: int) -> list[OwnMove]:
    """The next payments and refunds from the cursor that `open_own_moves` opened, oldest first; empty at the end."""
    return await tx.all_as(_OWN_MOVES, f"FETCH {limit:d} FROM own_moves")
