"""SQL of notifications, one function per question."""

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

# A lease is longer than what it covers: one mail, with every step of the server at its slowest.
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
# The median of networks, each of which counts once: a flood from a tenth of them presses nothing.
# A turn that lies ahead was asked for too early, and is waited for from then on.
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
# A turn says who comes before whom, and not from when on: one that lies ahead is due too, and what is asked for
# meanwhile comes before it.  So the worker pool looks from the first turn each time.
_LOOK_BY_TURN = """
SELECT network AS account, mail_id AS id, least(turn_at, now()) AS due_at, to_jsonb(account_id) AS what FROM mails
WHERE state = 'queued' AND turn_at IS NOT NULL AND try_at <= now() AND network <> ALL(%s)
ORDER BY turn_at LIMIT %s
"""
# Start-time fair queueing (Goyal, Vin, Cheng 1996): a network without a mail here has the turn of the mail that goes
# next, however many others wait, and one with some a turn after its last.
_NEXT_TURN = """
SELECT greatest(least(now(), (SELECT turn_at FROM mails WHERE state = 'queued' AND turn_at IS NOT NULL
        ORDER BY turn_at LIMIT 1)), max(turn_at) + make_interval(secs => %s)) AS turn_at
FROM mails WHERE state = 'queued' AND turn_at IS NOT NULL AND network = %s
"""
# A try is counted by its outcome: when the database goes away before it is recorded, there was none.
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
# A mail that is tried later has a later turn too: else it stood at the beginning of the turns, and each look passed it.
_LATER = """
UPDATE mails SET try_at = t.at, turn_at = CASE WHEN turn_at IS NOT NULL THEN greatest(turn_at, t.at) END,
    last_fault = %s, tries = tries + 1
FROM (SELECT now() + make_interval(secs => %s) AS at) AS t
WHERE account_id = %s AND mail_id = %s AND state = 'queued'
"""
# Nothing was sent: it is no try.
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
# Queued again: it is tried for another day.
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
# A mail that was given up is listed at once, one that waits when it is late.
NOT_SENT = f"""
{_MAILS_TOLD} WHERE state <> 'sent' AND (state = 'given_up' OR queued_at <= %s) ORDER BY queued_at LIMIT %s
"""
GIVEN_UP_ACCOUNTS = """
SELECT account_id FROM mails WHERE state = 'given_up' AND mail_id = %s
UNION SELECT account_id FROM dead_jobs WHERE job_id = %s LIMIT 2
"""
# Each by its own index: a mail is sent within minutes of being queued, or counted no more.
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
    """When a mail of a network goes out, among those of others."""

    network: UUID
    at: datetime


async def next_turn(tx: Tx, network: UUID, seconds: float) -> MailTurn:
    """The turn of the next mail of a network, so long after that of its last one."""
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
    """Queue one mail; changes nothing where its cause has a mail."""
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
    """Queued mails without a turn that became due after a moment, but none of these accounts."""
    return await tx.all_as(_PIECES, _LOOK, since, list(without), limit)


async def turns(tx: ReadTx, _: datetime, without: Sequence[UUID], limit: int) -> list[Piece]:
    """Queued mails by turn, but none of these networks: which stand for accounts, and the account is beside."""
    return await tx.all_as(_PIECES, _LOOK_BY_TURN, list(without), limit)


async def claim(tx: Tx, account: UUID, mail: UUID) -> Mail | None:
    """Lease a mail that is due; None where somebody else has it, or it was sent."""
    return await tx.one_as(_MAILS, _CLAIM, LEASE_SECONDS, account, mail)


async def sent(tx: Tx, account: UUID, mail: UUID) -> None:
    """Mark a mail as sent."""
    await tx.run(SENT, account, mail)


async def later(tx: Tx, account: UUID, mail: UUID, *, seconds: float, fault: str) -> None:
    """Put a mail off that could not be sent, with its fault."""
    await tx.run(_LATER, fault, seconds, account, mail)


async def put_off(tx: Tx, account: UUID, mail: UUID, seconds: float) -> None:
    """Put a mail off whose sending was not begun."""
    await tx.run(_PUT_OFF, seconds, account, mail)


async def give_up(tx: Tx, account: UUID, mail: UUID, *, fault: str) -> None:
    """Give a mail up, with its fault: it is tried no more."""
    await tx.run(_GIVE_UP, fault, account, mail)


async def given_up(tx: ReadTx, limit: int) -> list[GivenUpMail]:
    """Mails that were given up, the newest first."""
    return await tx.all_as(_GIVEN_UP_MAILS, _GIVEN_UP, limit)


async def count_given_up(tx: ReadTx) -> int:
    """How many mails were given up."""
    found = await tx.value(_COUNT_GIVEN_UP)
    assert isinstance(found, int)
    return found


async def would_queue_again(tx: ReadTx, mail: UUID | None) -> list[Retried]:
    """How many given-up mails of each template would be queued anew."""
    return await tx.all_as(_RETRIED, _WOULD_QUEUE_AGAIN, mail, mail)


async def queue_again(tx: Tx, mail: UUID | None) -> int:
    """Queue a given-up mail anew, or all of them; how many there were."""
    return await tx.run(_QUEUE_AGAIN, mail, mail)


# Each half by its own index; a mail that is put off again and again waits since it was queued.
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
    """The median of the seconds that sign-in mails of the last 15 minutes waited; 0 of none."""
    found = await tx.value(_WAITED)
    assert isinstance(found, float)
    return found


async def mails_of(tx: ReadTx, account: UUID, limit: int) -> list[MailTold]:
    """The newest mails of an account."""
    return await tx.all_as(_TOLD, OF_ACCOUNT, account, limit)


async def mails_of_causes(tx: ReadTx, account: UUID, causes: Sequence[str]) -> list[MailTold]:
    """The mails that these causes have."""
    return await tx.all_as(_TOLD, OF_CAUSES, account, list(causes))


async def given_up_mails(tx: ReadTx, mail: UUID) -> list[MailTold]:
    """The mail of this id, where it was given up."""
    return await tx.all_as(_TOLD, GIVEN_UP_MAILS, mail)


async def given_up_accounts(tx: ReadTx, identifier: UUID) -> list[UUID]:
    """The account of a mail or a job that was given up."""
    rows = await tx.all(GIVEN_UP_ACCOUNTS, identifier, identifier)
    return [row["account_id"] for row in rows]


async def not_sent(tx: ReadTx, before: datetime, limit: int) -> list[MailTold]:
    """Mails that were given up, or wait since before a moment, the oldest in front."""
    return await tx.all_as(_TOLD, NOT_SENT, before, limit)


async def figures_within(tx: ReadTx, since: datetime, until: datetime) -> MailFigures:
    """Mails that were sent in a span, and all that wait."""
    span = (since - _COUNTED_WITHIN, since, until)
    found = await tx.one_as(_FIGURES, FIGURES, *span, *span)
    assert found is not None
    return found


async def oldest_waiting(tx: ReadTx) -> datetime | None:
    """When the mail was queued that waits longest, by the index of those that were not sent."""
    found: datetime | None = await tx.value(_OLDEST)
    return found


async def waiting_of(tx: ReadTx, account: UUID, most: int) -> int:
    """How many notices of an account wait, `most` at most."""
    return int(await tx.value(_WAITING_OF, account, most))


async def unsent_of(tx: ReadTx, cause: str) -> Unsent:
    """Mails of one cause that were not sent, whosever they are."""
    found = await tx.one_as(_UNSENT, _UNSENT_OF, cause)
    assert found is not None
    return found


async def forget_queued_to(tx: Tx, but: UUID, recipient: str) -> None:
    """Send no queued mail to an address any more, but those of this account."""
    await tx.run(
        "DELETE FROM mails WHERE recipient = %s AND recipient <> '' AND state = 'queued' AND account_id <> %s",
        recipient,
        but,
    )
