"""Invariants of closes and payouts."""

from datetime import date

from meterai.finance import store
from meterai.finance.closing import read_close, signer_of
from meterai.finance.model import CloseWrong
from meterai.kit.days import DAY, begin_of, day_of
from meterai.plumbing.db.checks import AuditedPart
from meterai.plumbing.db.invariants import (
    SHOWN_MAX,
    Invariant,
    InvariantFinding,
    Posting,
    name_ours,
    patiently,
)
from meterai.plumbing.keyring import INSTANCE_KEY, keyring_of

POSTINGS = (
    Posting(
        ("duty_paid_out",),
        """
        SELECT p.account_id, 'paid_out:' || p.payout_id, 'duty_paid_out', p.payout_id, p.ended_at,
               ARRAY['duty_payable', 'bank_account'], ARRAY[-p.amount, p.amount]
        FROM {payouts} p WHERE p.state = 'confirmed'
        """,
    ),
)
_NOBODY = "'00000000-0000-0000-0000-000000000000'"
# The payload of a signed close (RFC 7515: base64url without padding) as JSON.
_PAYLOAD = "translate(CASE WHEN c.manifest IS JSON OBJECT THEN c.manifest::json->>'payload' END, '-_', '+/')"
_TEXT = f"convert_from(decode(rpad({_PAYLOAD}, (length({_PAYLOAD}) + 3) / 4 * 4, '='), 'base64'), 'UTF8')"
_SIGNED = f"""
SELECT c.*, CASE WHEN ({_TEXT}) IS JSON THEN ({_TEXT})::jsonb END AS told,
       lag(c.day) OVER (ORDER BY c.day) AS day_before, lag(c.manifest) OVER (ORDER BY c.day) AS manifest_before
FROM day_closes c
"""
_SUMS = """
SELECT day, jsonb_object_agg(book, jsonb_build_array(debit, credit, closing)) AS books FROM day_close_sums GROUP BY day
"""
INVARIANTS = (
    Invariant(
        "closes_are_as_they_were_signed",
        "Every day after the first has its close, which matches the signed one: entries, digest, "
        "books, and the close of the day before.",
        f"""
        SELECT x.day, x.entries FROM ({_SIGNED}) x FULL JOIN ({_SUMS}) s ON s.day = x.day
        WHERE x.day IS NULL OR x.day <> x.day_before + 1 OR x.told->>'day' IS DISTINCT FROM x.day::text
            OR x.told->'entries' IS DISTINCT FROM to_jsonb(x.entries)
            OR x.told->>'sha256' IS DISTINCT FROM encode(x.sha256, 'hex')
            OR x.told->'books' IS DISTINCT FROM coalesce(s.books, jsonb_build_object())
            OR x.told->>'before' IS DISTINCT FROM
                coalesce(encode(sha256(convert_to(x.manifest_before, 'UTF8')), 'hex'), '')
        """,
    ),
    Invariant(
        "closes_follow_each_other",
        "Each book of a close begins with the final balance of the close before, and the books "
        "of a close balance.",
        """
        SELECT day, book, closing, credit - debit AS moved, before FROM (
            SELECT day, book, debit, credit, closing,
                   lag(closing) OVER (PARTITION BY book ORDER BY day) AS before,
                   day > (SELECT min(day) FROM day_closes) AS has_before FROM day_close_sums) b
        WHERE has_before AND closing <> coalesce(before, 0) + credit - debit
        UNION ALL
        SELECT day, unit_of(book), sum(closing), sum(credit - debit), NULL FROM day_close_sums
        GROUP BY day, unit_of(book) HAVING sum(closing) <> 0 OR sum(credit - debit) <> 0
        """,
    ),
    Invariant(
        "closed_days_are_in_the_trail",
        "The audit trail records who closed each day.",
        f"""
        SELECT c.day, c.closed_at FROM day_closes c WHERE NOT EXISTS (SELECT 1 FROM audit_events e
            WHERE e.account_id = {_NOBODY} AND e.action = 'day_closed' AND e.subject = c.day::text
                AND e.happened_at = c.closed_at)
        """,
    ),
    Invariant(
        "payouts_are_in_the_trail",
        "The audit trail records who took each step of a payout and when; the steps are in order.",
        f"""
        SELECT p.payout_id, p.state, s.action, s.at FROM {{payouts}} p,
            LATERAL (VALUES ('payout_approved', p.approved_at), ('payout_sent', p.sent_at),
                ('payout_' || p.state, p.ended_at)) AS s (action, at)
        WHERE s.at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_events e
            WHERE e.account_id = {_NOBODY} AND e.action = s.action AND e.happened_at = s.at
                AND e.subject = 'pyo_' || lower(compact(p.payout_id)))
        UNION ALL
        SELECT payout_id, state, 'order', ended_at FROM {{payouts}} p
        WHERE sent_at < approved_at OR ended_at < coalesce(sent_at, approved_at) OR paid_at < approved_at
        """,
    ),
)
OURS = Invariant(
    "closes_are_signed_by_us",
    "The close of each day is signed with the key of this installation.",
    "",
)


async def verify_manifests(part: AuditedPart) -> InvariantFinding:
    """Verify the signature of each close with our key. If the keys are on another machine, nothing is verified and nothing is
    reported.
    """
    if not (part.settings.process.directory / "keys" / INSTANCE_KEY).exists():
        return InvariantFinding(OURS, 0, [])
    key, wrong = signer_of(keyring_of(part.settings)).public_key(), []
    async with part.database.reading() as tx:
        for one in await store.closes(tx, date.min, date.max, None):
            try:
                read_close(one.manifest.encode(), key)
            except CloseWrong as refusal:
                wrong.append({"day": one.day, "why": refusal.why})
    return InvariantFinding(OURS, len(wrong), wrong[:SHOWN_MAX])


UNCHANGED = Invariant(
    "closed_days_have_their_entries",
    "A closed day has exactly the entries that it was closed with: none is added, changed or "
    "removed.",
    "",
)
_CHANGED = """
SELECT c.day, c.entries, d.entries AS found FROM day_closes c CROSS JOIN LATERAL (
    SELECT count(*) AS entries, sha256(coalesce(string_agg(sha256(convert_to(line, 'UTF8')), ''
        ORDER BY posted_at, account_id, entry_id COLLATE "C"), '')) AS sha256
    FROM ledger_journal(timezone('Asia/Jakarta', c.day::timestamp), timezone('Asia/Jakarta', (c.day + 1)::timestamp))
) d WHERE c.day >= %s AND (c.entries <> d.entries OR c.sha256 <> d.sha256) ORDER BY c.day
"""
# A later close is checked by the sums of its day; the first close also contains everything before its day.
_FIRST = """
SELECT day, book, s.closing, l.amount FROM (
    SELECT book, closing, day FROM day_close_sums WHERE day = (SELECT min(day) FROM day_closes)) s
FULL JOIN (
    SELECT book, sum(amount) AS amount FROM ledger_lines('-infinity', %s) GROUP BY book) l USING (book)
WHERE s.closing IS DISTINCT FROM l.amount
"""


async def compare_closed_days(part: AuditedPart) -> InvariantFinding:
    """Compare the stored closes of days with the books: those of the days since the last audit, or in a full audit all closes.

    The first close covers all entries before its end. If it is one of the compared closes, its balances are compared with the
    sums of all these entries.
    """
    since = day_of(part.begins) - DAY
    async with part.database.transaction() as tx:
        await name_ours(tx)
        wrong = await patiently(tx, _CHANGED, since)
        first = await tx.value("SELECT min(day) FROM day_closes WHERE day >= %s", since)
        if first is not None:
            wrong += await patiently(tx, _FIRST, begin_of(first + DAY))
    return InvariantFinding(UNCHANGED, len(wrong), wrong[:SHOWN_MAX])


COUNTED = Invariant(
    "channels_are_their_legs",
    "The sums by channel of a day equal the legs of that day, by reason and book.",
    "",
)
_COUNTED = """
SELECT day, channel, seller_id, reason, book, sum(entries) AS entries, sum(amount) AS amount FROM (
    SELECT day, channel, seller_id, reason, book, entries, amount FROM channel_sums WHERE is_kept AND day >= %s
    UNION ALL
    SELECT day, channel, seller_id, reason, book, -1, -amount
    FROM channel_lines(%s, coalesce((SELECT kept_until FROM channel_counts), '-infinity'))
) told GROUP BY day, channel, seller_id, reason, book HAVING sum(entries) <> 0 OR sum(amount) <> 0
ORDER BY day, channel, seller_id, reason, book
"""


async def compare_channel_sums(part: AuditedPart) -> InvariantFinding:
    """Compare the stored sums by channel with the ledger legs from which they were computed: for the days since the last audit,
    or in a full audit for all days.
    """
    since = day_of(part.begins) - DAY
    async with part.database.transaction() as tx:
        await name_ours(tx)
        wrong = await patiently(tx, _COUNTED, since, begin_of(since))
    return InvariantFinding(COUNTED, len(wrong), wrong[:SHOWN_MAX])
