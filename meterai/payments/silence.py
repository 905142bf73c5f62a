"""Queries that a provider leaves without an answer for long: one rule for all kinds of queries.

The waiting time of a query begins when it was first sent without an answer (`unheard_since`), or when it was due, if it could
not be sent.  After `BOUND` an item in suspense is opened for the query, and resolved when an answer comes.

One item stands for all waiting queries of a kind at a provider if the provider answers no queries at all, or if more than
`SINGLES_MAX` of these queries wait.  The item names the number of the queries, their sum in rupiah and the oldest query.  When
the number has about doubled, a new item is opened.

If a person ends an item and the query still waits a week later, an item is opened again.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

import msgspec

from meterai import suspense
from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.payments.model import UnmatchedReason

BOUND = "interval '1 day'"  # banks repair most faults within a day
SINGLES_MAX = 20  # items that a person reads one by one
ALL = "all"  # key, in place of that of a query, in the item for all queries of a kind at a provider


class SilenceQuestion(NamedTuple):
    """Kind of query.

    Its SQL selects the queries of this kind that wait for longer than `<bound>`, with the columns account_id, provider, key,
    reference, payment, amount, and the time at which the wait began.
    """

    kind: str
    reason: UnmatchedReason
    query: str


_CLOSED = "state IN ('lost', 'expired', 'cancelled', 'declined')"  # the same text as in the index, so that it is used
_ATTEMPT = "SELECT account_id, provider, reference, reference, NULL::text, amount"
_TRANSFER = "SELECT account_id, provider, transfer_no, transfer_no, NULL::text, amount"
_LATE = "< now() - <bound>"
# In a query with UNION ALL, each part uses an index of its own.
QUESTIONS = (
    SilenceQuestion(
        "opening",
        UnmatchedReason.UNANSWERED,
        f"{_ATTEMPT}, opened_at FROM payment_attempts WHERE state = 'opening' AND opened_at {_LATE}",
    ),
    # After the provider's window no more queries are sent, and a person must end the item.
    SilenceQuestion(
        "status",
        UnmatchedReason.UNANSWERED,
        f"""{_ATTEMPT}, unheard_since FROM payment_attempts WHERE unheard_since {_LATE}
        UNION ALL {_ATTEMPT}, ask_at FROM payment_attempts
        WHERE unheard_since IS NULL AND state <> 'opening' AND ask_rank IN (0, 1)
            AND ask_at {_LATE} AND ask_at < 'infinity'""",
    ),
    # Pauses between tries to cancel grow to an hour, so that thirty tries take about a day.
    SilenceQuestion(
        "take_back",
        UnmatchedReason.UNANSWERED,
        f"""{_ATTEMPT}, opened_at FROM payment_attempts
        WHERE {_CLOSED} AND cancel_at < 'infinity' AND opened_at {_LATE} AND (cancel_tries >= 30 OR cancel_at {_LATE})""",
    ),
    SilenceQuestion(
        "confirmation",
        UnmatchedReason.UNCONFIRMED,
        f"""SELECT account_id, provider, reference || '/' || payment, reference, payment, c.amount, captured_at
        FROM captures c JOIN payment_attempts USING (account_id, attempt_id)
        WHERE confirmed_at IS NULL AND denied_at IS NULL AND learned_by = 'notification' AND captured_at {_LATE}""",  # noqa: S608
    ),
    SilenceQuestion(
        "given_back",
        UnmatchedReason.UNANSWERED,
        f"""SELECT account_id, provider, reference || '/' || payment, reference, payment, returned_told,
            least(b.unheard_since, look_at)
        FROM chargebacks b JOIN payment_attempts USING (account_id, attempt_id)
        WHERE look_at < 'infinity' AND least(b.unheard_since, look_at) {_LATE}""",  # noqa: S608
    ),
    SilenceQuestion(
        "refund_record",
        UnmatchedReason.UNANSWERED,
        f"""SELECT account_id, provider, refund_no, refund_no, payment, r.amount, least(r.unheard_since, look_at)
        FROM refunds r JOIN payment_attempts USING (account_id, attempt_id)
        WHERE look_at IS NOT NULL AND (r.unheard_since {_LATE} OR look_at {_LATE})""",  # noqa: S608
    ),
    SilenceQuestion(
        "transfer",
        UnmatchedReason.UNANSWERED,
        f"""{_TRANSFER}, planned_at FROM transfers
        WHERE state = ANY ('{{sent,accepted}}') AND planned_at {_LATE}""",
    ),
    SilenceQuestion(
        "transfer_record",
        UnmatchedReason.UNANSWERED,
        f"""{_TRANSFER}, least(unheard_since, look_at) FROM transfers
        WHERE look_at IS NOT NULL AND (unheard_since {_LATE} OR look_at {_LATE})""",
    ),
)


def silent(bound: str = BOUND) -> str:
    """SQL that selects all queries of all kinds that wait for longer than `bound` (an SQL interval)."""
    return "\nUNION ALL\n".join(
        f"SELECT '{one.kind}' AS kind, '{one.reason}' AS reason, q.*"  # noqa: S608 - constants
        f" FROM ({one.query}) q (account_id, provider, key, reference, payment, amount, since)"
        for one in QUESTIONS
    ).replace("<bound>", bound)


# For each kind and provider: the queries that wait longest, and the number of all.
SILENT = f"""
SELECT kind, reason, provider, key, reference, payment, amount, since, questions, rupiah, oldest FROM (
    SELECT s.*, count(*) OVER w AS questions, (sum(amount) OVER w)::bigint AS rupiah, min(since) OVER w AS oldest,
        row_number() OVER (PARTITION BY kind, provider ORDER BY since, key) AS place
    FROM ({silent()}) s WINDOW w AS (PARTITION BY kind, provider)) n
WHERE place <= {SINGLES_MAX} ORDER BY kind, provider, place
"""  # noqa: S608 - constants
# Finds a row if the provider answered a query within `BOUND`; the next query of an answered attempt is in the future.
ANSWERS = f"""
SELECT 1 FROM payment_attempts WHERE provider = %s AND state <> 'opening' AND ask_rank IN (0, 1)
    AND ask_at > now() AND ask_at < 'infinity' AND unheard_since IS NULL AND answered_at > now() - {BOUND} LIMIT 1
"""  # noqa: S608 - constants
ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('silence', 0))"  # else two workers would each open an item


class Silent(NamedTuple):
    """A query without an answer for longer than the bound, and the totals of all such queries of its kind at its provider:
    their number, their sum, and the time at which the oldest began to wait.
    """

    kind: str
    reason: str
    provider: str
    key: str
    reference: str
    payment: str | None
    amount: Rupiah
    since: datetime
    questions: int
    rupiah: Rupiah
    oldest: datetime


class WantedItem(NamedTuple):
    """An item in suspense that should be open.

    mark       beginning of its key, which identifies the period without answers
    first      the query that the item is about, or the oldest of several
    told       evidence for the person who reads the item
    is_single  True if the item is about one query
    """

    mark: str
    first: Silent
    told: dict[str, object]
    is_single: bool


def items(found: Sequence[Silent], heard: Collection[str]) -> Iterator[WantedItem]:
    """The items that should be open for these unanswered queries (`found`); `heard` are the providers that still answer other
    queries.
    """
    for (kind, provider), grouped in groupby(found, lambda one: (one.kind, one.provider)):
        several = list(grouped)
        first = several[0]
        begins = f"{first.reason}:{kind}:{provider}"
        if provider in heard and first.questions <= SINGLES_MAX:
            for one in several:
                told = {"asked": kind, "provider": provider, "since": one.since}
                yield WantedItem(
                    f"{begins}:{one.key}:{int(one.since.timestamp())}", one, told, is_single=True
                )
            continue
        told = {
            "asked": kind,
            "provider": provider,
            "questions": first.questions,
            "rupiah": first.rupiah.value,
            "since": first.oldest,
            "references": [one.reference for one in several],
        }
        size = f"{first.questions.bit_length()}-{first.oldest:%Y%m%d}"
        yield WantedItem(f"{begins}:{ALL}:{size}", first, told, is_single=False)


def news(one: WantedItem) -> suspense.ProviderNews:
    """Convert an item to the type in which the room suspense stores it."""
    first = one.first
    of_all = f"{first.provider} {first.kind}"
    return suspense.ProviderNews(
        key=f"{one.mark}.{new_id().hex}",
        source="question",
        reason=first.reason,
        told=msgspec.json.encode(one.told),
        reference=first.reference if one.is_single else of_all,
        payment=first.payment if one.is_single else None,
        amount=first.amount if one.is_single else first.rupiah,
    )
