"""The audit of extracts: what they told of a day is what the books say of it now."""

from meterai.plumbing.checks import AuditedPart
from meterai.plumbing.invariants import SHOWN_MAX, Finding, Invariant, name_ours, patiently
from meterai.regulator.model import DAY, begin_of, day_of

UNCHANGED = Invariant(
    "extracts_are_what_the_books_say",
    "Each day with an extract has the entries in the books that its extract told, and its file is what was signed; so a "
    "closed month counts the same again.",
    "",
)
# Entries and legs of the days are read once; in an incremental audit those are the days since the last point.
_DIFFERENCES = """
SELECT day, reason, book, t.entries, b.entries AS in_books, t.amount, b.amount AS amount_in_books FROM (
    SELECT day, reason, book, entries, amount FROM extract_sums WHERE day >= %s) t
FULL JOIN (
    SELECT (e.posted_at AT TIME ZONE 'Asia/Jakarta')::date AS day, e.reason, l.book,
           count(*) AS entries, sum(l.credit - l.debit) AS amount
    FROM entries e JOIN legs l USING (account_id, entry_id)
    WHERE e.posted_at >= %s
        AND e.posted_at < timezone('Asia/Jakarta', (SELECT max(day) + 1 FROM extracts)::timestamp)
    GROUP BY 1, 2, 3) b USING (day, reason, book)
WHERE t.entries IS DISTINCT FROM b.entries OR t.amount IS DISTINCT FROM b.amount ORDER BY 1, 2, 3
"""
_FILES = """
SELECT day, 'another file' AS is FROM extracts e WHERE day >= %s AND sha256 IS DISTINCT FROM (
    SELECT sha256(string_agg(content, '' ORDER BY part)) FROM extract_parts p WHERE p.day = e.day)
"""


async def as_the_books_say(part: AuditedPart) -> Finding:
    """What differs; of days since the audit before, or of all."""
    since = day_of(part.begins) - DAY
    async with part.database.transaction() as tx:
        await name_ours(tx)
        wrong = await patiently(tx, _DIFFERENCES, since, begin_of(since))
        wrong += await patiently(tx, _FILES, since)
    return Finding(UNCHANGED, len(wrong), wrong[:SHOWN_MAX])
