"""SQL of notifications, one function per query."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from meterai.notifications.model import (
    SEND_SECONDS_MAX,
    GivenUpMail,
    Mail,
    MailFigures,
    MailTold,
    Unsent,
)
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.observe.stations import APART_MIN, LATE_SECONDS, LATELY_SECONDS
from meterai.plumbing.work.dead_jobs import Retried
from meterai.plumbing.work.watch import Piece

# `LEASE_SECONDS` is longer than the longest delivery of a mail.
_COUNTED_WITHIN = timedelta(hours=1)
LEASE_SECONDS = SEND_SECONDS_MAX * 2
DUE = """
SELECT account_id AS account, mail_id AS id, try_at AS due_at, NULL::jsonb AS what FROM mails
WHERE state = 'queued' AND turn_at IS NULL
    AND try_at > now() - interval '10 seconds' AND try_at <= now()
ORDER BY try_at
"""
LATE = f"""
SELECT 1 FROM mails WHERE state = 'queued' AND turn_at < now() - interval '{LATE_SECONDS} seconds'
    AND queued_at < now() - interval '{LATE_SECONDS} seconds'
ORDER BY turn_at
"""  # noqa: S608 - seconds are constants
# The median over networks, each counted once: a flood from a tenth of the networks has no influence.
# A mail whose turn is in the future was requested too early; its wait counts from its turn.
MEAN_WAIT = f"""
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS seconds FROM (
    SELECT avg(greatest(extract(epoch FROM until - since), 0))::double precision AS waited,
        bool_or(since < now() - interval '{LATE_SECONDS} seconds' AND is_queued) AS is_late
    FROM (
        SELECT network, greatest(turn_at, queued_at) AS since, now() AS until, true AS is_queued FROM mails
        WHERE state = 'queued' AND turn_at <= now() AND queued_at > now() - interval '{LATELY_SECONDS} seconds'
        UNION ALL
        SELECT network, greatest(turn_at, queued_at), sent_at, false FROM mails
        WHERE state <> 'queued' AND template = 'sign_in_code' AND turn_at IS NOT NULL AND sent_at IS NOT NULL
            AND queued_at > now() - interval '{LATELY_SECONDS} seconds') AS mail
    GROUP BY network) AS of_network
HAVING count(*) FILTER (WHERE is_late) >= {APART_MIN}
"""  # noqa: S608 - numbers are constants
_LOOK = """
SELECT account_id AS account, mail_id AS id, try_at AS due_at FROM mails
WHERE state = 'queued' AND turn_at IS NULL AND try_at > %s AND try_at <= now() AND account_id <> ALL(%s)
ORDER BY try_at LIMIT %s
"""
TURN_DUE = """
SELECT network AS account, mail_id AS id, least(turn_at, now()) AS due_at, to_jsonb(account_id) AS what FROM mails
WHERE state = 'queued' AND turn_at IS NOT NULL AND try_at <= now()
ORDER BY turn_at
"""
# A turn is a position and not a due time: a mail whose turn is in the future is due as well, and a
# mail queued later may get an earlier turn. So each query starts from the first turn.
_LOOK_BY_TURN = """
SELECT network AS account, mail_id AS id, least(turn_at, now()) AS due_at, to_jsonb(account_id) AS what FROM mails
WHERE state = 'queued' AND turn_at IS NOT NULL AND try_at <= now() AND network <> ALL(%s)
ORDER BY turn_at LIMIT %s
"""
# Start-time fair queueing (Goyal, Vin, Cheng 1996): a network without a queued mail gets the turn of
# the mail that is sent next, however many mails of others wait; a network with queued mails gets a
# turn after its last one.
_NEXT_TURN = """
SELECT greatest(least(now(), (SELECT turn_at FROM mails WHERE state = 'queued' AND turn_at IS NOT NULL
        ORDER BY turn_at LIMIT 1)), max(turn_at) + make_interval(secs => %s)) AS turn_at
FROM mails WHERE state = 'queued' AND turn_at IS NOT NULL AND network = %s
"""
# A try is counted when its outcome is recorded: if the database fails before, the try is not counted.
_CLAIM = """
UPDATE mails SET try_at = now() + make_interval(secs => %s)
WHERE account_id = %s AND mail_id = %s AND state = 'queued' AND try_at <= now()
RETURNING account_id AS account, mail_id AS id, template, language, recipient, facts, tries + 1 AS tries,
    queued_at < now() - interval '1 day' AS is_old
"""
SENT = """
UPDATE mails SET state = 'sent', sent_at = now(), last_fault = NULL, tries = tries + 1
WHERE account_id = %s AND mail_id = %s AND state = 'queued'
"""
# A mail that is put off gets a later turn too. Otherwise it would stay first, and every query would have to skip it.
_LATER = """
UPDATE mails SET try_at = t.at, turn_at = CASE WHEN turn_at IS NOT NULL THEN greatest(turn_at, t.at) END,
    last_fault = %s, tries = tries + 1
FROM (SELECT now() + make_interval(secs => %s) AS at) AS t
WHERE account_id = %s AND mail_id = %s AND state = 'queued'
"""
# Sending did not begin, so `tries` does not change.
_PUT_OFF = """
UPDATE mails SET try_at = t.at, turn_at = CASE WHEN turn_at IS NOT NULL THEN greatest(turn_at, t.at) END
FROM (SELECT now() + make_interval(secs => %s) AS at) AS t
WHERE account_id = %s AND mail_id = %s AND state = 'queued'
"""
_GIVE_UP = """
UPDATE mails SET state = 'given_up', last_fault = %s, tries = tries + 1
WHERE account_id = %s AND mail_id = %s AND state = 'queued'
"""
_GIVEN_UP = """
SELECT mail_id AS id, template, queued_at, tries, last_fault AS fault FROM mails
WHERE state = 'given_up' ORDER BY queued_at DESC LIMIT %s
"""
_COUNT_GIVEN_UP = "SELECT count(*) AS number FROM mails WHERE state = 'given_up'"
# A mail that is queued again is tried for another day.
_QUEUE_AGAIN = """
UPDATE mails SET state = 'queued', queued_at = now(), try_at = now(), tries = 0
WHERE state = 'given_up' AND recipient <> '' AND (%s::uuid IS NULL OR mail_id = %s) RETURNING mail_id
"""
_WOULD_QUEUE_AGAIN = """
SELECT template AS what, count(*) AS number FROM mails
WHERE state = 'given_up' AND recipient <> '' AND (%s::uuid IS NULL OR mail_id = %s)
GROUP BY template ORDER BY template
"""
_MAILS_TOLD = (
    "SELECT account_id AS account, mail_id AS id, template, state, queued_at, sent_at, tries, last_fault AS fault"
    " FROM mails"
)
OF_ACCOUNT = f"{_MAILS_TOLD} WHERE account_id = %s ORDER BY mail_id DESC LIMIT %s"
OF_CAUSES = f"{_MAILS_TOLD} WHERE account_id = %s AND cause_key = ANY(%s)"
GIVEN_UP_MAILS = f"{_MAILS_TOLD} WHERE state = 'given_up' AND mail_id = %s"
# A given-up mail is listed at once, a waiting one when it is late.
NOT_SENT = f"""
{_MAILS_TOLD} WHERE state <> 'sent' AND (state = 'given_up' OR queued_at <= %s) ORDER BY queued_at LIMIT %s
"""
GIVEN_UP_ACCOUNTS = """
SELECT account_id FROM mails WHERE state = 'given_up' AND mail_id = %s
UNION SELECT account_id FROM dead_jobs WHERE job_id = %s LIMIT 2
"""
# Each part uses its own index. A mail that was sent more than `_COUNTED_WITHIN` after it was queued is not counted.
FIGURES = """
SELECT (SELECT count(*) FROM mails WHERE state <> 'queued' AND recipient <> '' AND template <> 'sign_in_code'
            AND queued_at > %s AND sent_at > %s AND sent_at <= %s)::integer
     + (SELECT count(*) FROM mails WHERE state <> 'queued' AND template = 'sign_in_code'
            AND queued_at > %s AND sent_at > %s AND sent_at <= %s)::integer AS sent,
    (SELECT count(*) FROM mails WHERE state = 'queued')::integer AS waiting
"""
_OLDEST = """
SELECT queued_at FROM mails WHERE state <> 'sent' AND state = 'queued' ORDER BY queued_at LIMIT 1
"""
_WAITING_OF = """
SELECT count(*) FROM (SELECT 1 FROM mails WHERE state = 'queued' AND turn_at IS NULL AND account_id = %s LIMIT %s) AS found
"""
_UNSENT_OF = """
SELECT count(*) FILTER (WHERE state = 'queued' AND tries = 0) AS untried, count(*) FILTER (WHERE state = 'given_up') AS given_up
FROM mails WHERE state <> 'sent' AND cause_key = %s
"""
_UNSENT = RowMapper(Unsent)
_FIGURES = RowMapper(MailFigures)
_TOLD = RowMapper(MailTold)
_PIECES = RowMapper(Piece)
_RETRIED = RowMapper(Retried)
_MAILS = RowMapper(Mail)
_GIVEN_UP_MAILS = RowMapper(GivenUpMail)


Due = Callable[[ReadTx, datetime, Sequence[UUID], int], Awaitable[list[Piece]]]


class MailTurn(NamedTuple):
    """Turn of an urgent mail: its position among the urgent mails of all networks."""

    network: UUID
    at: datetime


async def next_turn(tx: Tx, network: UUID, seconds: float) -> MailTurn:
    """Return the turn for the next mail of a network: its position among urgent mails, which is stored as a time.

    It is at least `seconds` later than the turn of the network's last mail that is still queued.
    """
    at = await tx.value(_NEXT_TURN, seconds, network)
    assert isinstance(at, datetime)
    return MailTurn(network, at)


async def insert(
    tx: Tx,
    account: UUID,
    mail: UUID,
    cause: str,
    template: str,
    language: str,
    recipient: str,
    facts: dict[str, object],
    turn: MailTurn | None = None,
) -> None:
    """Insert a mail; a second mail of the same cause is ignored."""
    await tx.run(
        "INSERT INTO mails"
        " (account_id, mail_id, cause_key, template, language, recipient, facts, network, turn_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT ON CONSTRAINT one_mail_per_cause"
        " DO NOTHING",
        account,
        mail,
        cause,
        template,
        language,
        recipient,
        jsonb(facts),
        *(turn or (None, None)),
    )


async def due(tx: ReadTx, since: datetime, without: Sequence[UUID], limit: int) -> list[Piece]:
    """Return queued mails without a turn that became due after `since`, except mails of the accounts in
    `without`.
    """
    return await tx.all_as(_PIECES, _LOOK, since, list(without), limit)


async def turns(tx: ReadTx, _: datetime, without: Sequence[UUID], limit: int) -> list[Piece]:
    """Return queued mails with a turn, in the order of their turns, except mails that the networks in `without`
    requested.

    In each returned `Piece`, `account` is the id of the network, and `what` is the account.
    """
    return await tx.all_as(_PIECES, _LOOK_BY_TURN, list(without), limit)


async def claim(tx: Tx, account: UUID, mail: UUID) -> Mail | None:
    """Lease a due mail and return it; None if another worker leased it, or it was sent."""
    return await tx.one_as(_MAILS, _CLAIM, LEASE_SECONDS, account, mail)


async def sent(tx: Tx, account: UUID, mail: UUID) -> None:
    """Mark a mail as sent."""
    await tx.run(SENT, account, mail)


async def later(tx: Tx, account: UUID, mail: UUID, *, seconds: float, fault: str) -> None:
    """Store the fault of a mail that could not be sent, and postpone the mail by `seconds`."""
    await tx.run(_LATER, fault, seconds, account, mail)


async def put_off(tx: Tx, account: UUID, mail: UUID, seconds: float) -> None:
    """Postpone a mail by `seconds`, because its sending did not begin."""
    await tx.run(_PUT_OFF, seconds, account, mail)


async def give_up(tx: Tx, account: UUID, mail: UUID, *, fault: str) -> None:
    """Give up a mail, and store its fault."""
    await tx.run(_GIVE_UP, fault, account, mail)


async def given_up(tx: ReadTx, limit: int) -> list[GivenUpMail]:
    """Return given-up mails, the newest first, at most `limit`."""
    return await tx.all_as(_GIVEN_UP_MAILS, _GIVEN_UP, limit)


async def count_given_up(tx: ReadTx) -> int:
    """Count the given-up mails."""
    found = await tx.value(_COUNT_GIVEN_UP)
    assert isinstance(found, int)
    return found


async def would_queue_again(tx: ReadTx, mail: UUID | None) -> list[Retried]:
    """Count by template the given-up mails that a retry would queue: the mail with this id, or all if `mail` is None."""
    return await tx.all_as(_RETRIED, _WOULD_QUEUE_AGAIN, mail, mail)


async def queue_again(tx: Tx, mail: UUID | None) -> int:
    """Queue the given-up mail with this id again, or all given-up mails if `mail` is None; return how many were queued."""
    return await tx.run(_QUEUE_AGAIN, mail, mail)


# Each half uses its own index. The wait of a mail that is put off counts from when it was queued.
_WAITED = """
SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY waited), 0)::double precision FROM (
    SELECT extract(epoch FROM sent_at - queued_at) AS waited FROM mails
    WHERE state <> 'queued' AND template = 'sign_in_code' AND sent_at IS NOT NULL
        AND queued_at > now() - interval '15 minutes'
    UNION ALL
    SELECT extract(epoch FROM now() - queued_at) FROM mails
    WHERE state = 'queued' AND template = 'sign_in_code'
        AND queued_at > now() - interval '15 minutes') x
"""


async def waited(tx: ReadTx) -> float:
    """Return the median wait in seconds of sign-in mails of the last 15 minutes; 0 if there are none."""
    found = await tx.value(_WAITED)
    assert isinstance(found, float)
    return found


async def mails_of(tx: ReadTx, account: UUID, limit: int) -> list[MailTold]:
    """Return the newest mails of an account."""
    return await tx.all_as(_TOLD, OF_ACCOUNT, account, limit)


async def mails_of_causes(tx: ReadTx, account: UUID, causes: Sequence[str]) -> list[MailTold]:
    """Return the mails of an account with these causes."""
    return await tx.all_as(_TOLD, OF_CAUSES, account, list(causes))


async def given_up_mails(tx: ReadTx, mail: UUID) -> list[MailTold]:
    """Return the given-up mail with this id, as a list with at most one element."""
    return await tx.all_as(_TOLD, GIVEN_UP_MAILS, mail)


async def given_up_accounts(tx: ReadTx, identifier: UUID) -> list[UUID]:
    """Return the account of the given-up mail or job with this id, as a list; empty if there is none."""
    rows = await tx.all(GIVEN_UP_ACCOUNTS, identifier, identifier)
    return [row["account_id"] for row in rows]


async def not_sent(tx: ReadTx, before: datetime, limit: int) -> list[MailTold]:
    """Return, the oldest first, mails that were given up, and mails that were queued before a moment and still wait."""
    return await tx.all_as(_TOLD, NOT_SENT, before, limit)


async def figures_within(tx: ReadTx, since: datetime, until: datetime) -> MailFigures:
    """Return the number of mails sent in a period, and of all mails that wait now."""
    span = (since - _COUNTED_WITHIN, since, until)
    found = await tx.one_as(_FIGURES, FIGURES, *span, *span)
    assert found is not None
    return found


async def oldest_waiting(tx: ReadTx) -> datetime | None:
    """Return when the longest-waiting mail was queued; None if no mail waits. Uses the index of unsent mails."""
    found: datetime | None = await tx.value(_OLDEST)
    return found


async def waiting_of(tx: ReadTx, account: UUID, most: int) -> int:
    """Count the waiting notices (mails without a turn) of an account, up to `most`."""
    return int(await tx.value(_WAITING_OF, account, most))


async def unsent_of(tx: ReadTx, cause: str) -> Unsent:
    """Count the unsent mails with a cause, over all accounts."""
    found = await tx.one_as(_UNSENT, _UNSENT_OF, cause)
    assert found is not None
    return found


async def forget_queued_to(tx: Tx, but: UUID, recipient: str) -> None:
    """Delete queued mails to an address, except mails of the account `but`."""
    await tx.run(
        "DELETE FROM mails WHERE recipient = %s AND recipient <> '' AND state = 'queued' AND account_id <> %s",
        recipient,
        but,
    )
