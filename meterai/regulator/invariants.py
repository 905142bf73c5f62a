"""Invariants of extracts and statements."""

from datetime import date

from meterai.kit.days import DAY, begin_of, day_of
from meterai.plumbing.db.checks import AuditedPart
from meterai.plumbing.db.invariants import (
    SHOWN_MAX,
    Invariant,
    InvariantFinding,
    name_ours,
    patiently,
)
from meterai.plumbing.keyring import INSTANCE_KEY, keyring_of
from meterai.regulator import store
from meterai.regulator.extracts import ExtractWrong, read_manifest, signer_of

# The payload of a signed manifest (RFC 7515: base64url without padding) as JSON.
_PAYLOAD = "translate(CASE WHEN e.manifest IS JSON OBJECT THEN e.manifest::json->>'payload' END, '-_', '+/')"
_TEXT = f"convert_from(decode(rpad({_PAYLOAD}, (length({_PAYLOAD}) + 3) / 4 * 4, '='), 'base64'), 'UTF8')"
_SIGNED = f"""
SELECT e.*, CASE WHEN ({_TEXT}) IS JSON THEN ({_TEXT})::jsonb END AS told,
       lag(e.day) OVER (ORDER BY e.day) AS day_before, lag(e.manifest) OVER (ORDER BY e.day) AS manifest_before
FROM extracts e
"""
_SUMS = """
SELECT day, jsonb_object_agg(reason, books) AS sums FROM (
    SELECT day, reason, jsonb_object_agg(book, jsonb_build_array(entries, amount)) AS books
    FROM extract_sums GROUP BY day, reason) of_reasons
GROUP BY day
"""
INVARIANTS = (
    Invariant(
        "extracts_are_as_they_were_signed",
        "Every day after the first has its extract, which matches its signed manifest: rows, "
        "bytes, digest, sums, opening balances, and the manifest of the day before.",
        f"""
        SELECT x.day, x.rows, x.size FROM ({_SIGNED}) x LEFT JOIN ({_SUMS}) s ON s.day = x.day
        WHERE x.day <> x.day_before + 1 OR x.told->>'day' IS DISTINCT FROM x.day::text
            OR x.told->'rows' IS DISTINCT FROM to_jsonb(x.rows)
            OR x.told->'bytes' IS DISTINCT FROM to_jsonb(x.size)
            OR x.told->>'sha256' IS DISTINCT FROM encode(x.sha256, 'hex')
            OR x.told->'sums' IS DISTINCT FROM coalesce(s.sums, jsonb_build_object())
            OR x.told->>'before' IS DISTINCT FROM
                coalesce(encode(sha256(convert_to(x.manifest_before, 'UTF8')), 'hex'), '')
            OR EXISTS (SELECT 1 FROM jsonb_each_text(x.told->'opening') o WHERE o.value::bigint <> (
                SELECT coalesce(sum(b.amount), 0) FROM extract_sums b
                WHERE b.book = o.key AND b.day < x.day AND x.day_before IS NOT NULL))
        """,
    ),
    Invariant(
        "extract_files_are_whole",
        "The file of an extract has each of its pieces once, and no piece or sum belongs to a "
        "day without an extract.",
        """
        SELECT day, e.size, p.parts, p.bytes AS found FROM extracts e FULL JOIN (
            SELECT day, count(*) AS parts, max(part) AS last, sum(octet_length(content)) AS bytes
            FROM extract_parts GROUP BY day) p USING (day)
        WHERE e.size IS DISTINCT FROM p.bytes OR p.parts <> p.last + 1
        UNION ALL
        SELECT s.day, NULL, NULL, NULL FROM extract_sums s
        WHERE NOT EXISTS (SELECT 1 FROM extracts e WHERE e.day = s.day)
        """,
    ),
    Invariant(
        "closed_months_are_in_the_trail",
        "The audit trail records who closed each month.",
        """
        SELECT m.month, m.closed_at FROM statements m WHERE NOT EXISTS (SELECT 1 FROM audit_events e
            WHERE e.account_id = '00000000-0000-0000-0000-000000000000' AND e.action = 'statement_closed'
                AND e.subject = to_char(m.month, 'YYYY-MM') AND e.happened_at = m.closed_at)
        """,
    ),
    Invariant(
        "closed_months_stay_as_they_were_told",
        "The figures of a closed month are the sums of its days, and each day has its extract.",
        """
        SELECT month, reason, book, s.amount, d.amount AS of_days FROM (
            SELECT month, reason, book, entries, amount FROM statement_sums) s
        FULL JOIN (
            SELECT m.month, d.reason, d.book, sum(d.entries) AS entries, sum(d.amount) AS amount
            FROM statements m JOIN extract_sums d ON date_trunc('month', d.day)::date = m.month
            GROUP BY m.month, d.reason, d.book) d USING (month, reason, book)
        WHERE s.entries IS DISTINCT FROM d.entries OR s.amount IS DISTINCT FROM d.amount
        UNION ALL
        SELECT m.month, 'a day without an extract', NULL, NULL, NULL FROM statements m
        WHERE NOT EXISTS (SELECT 1 FROM extracts e
                          WHERE e.day = (m.month + interval '1 month')::date - 1)
        """,
    ),
)
OURS = Invariant(
    "extracts_are_signed_by_us",
    "The manifest of each day is signed with the key of this installation.",
    "",
)


async def verify_manifests(part: AuditedPart) -> InvariantFinding:
    """Invariant: each manifest is signed with our key. If the keys are on another machine, nothing is checked, and there is no
    finding.
    """
    if not (part.settings.process.directory / "keys" / INSTANCE_KEY).exists():
        return InvariantFinding(OURS, 0, [])
    key, wrong = signer_of(keyring_of(part.settings)).public_key(), []
    async with part.database.reading() as tx:
        for one in await store.extracts(tx, date.min, date.max):
            try:
                read_manifest(one.manifest.encode(), str(one.day), key)
            except ExtractWrong as refusal:
                wrong.append({"day": one.day, "why": refusal.why})
    return InvariantFinding(OURS, len(wrong), wrong[:SHOWN_MAX])


UNCHANGED = Invariant(
    "extracts_are_what_the_books_say",
    "On each day with an extract the books have the entries of the extract, and its file matches "
    "the signed manifest; so a closed month keeps its figures.",
    "",
)
# Entries and legs of the days are read once; an incremental audit reads only the days since the last audit point.
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


async def compare_with_books(part: AuditedPart) -> InvariantFinding:
    """Invariant: extracts match the books. An incremental audit compares the days since the last audit, a full
    audit compares all days.
    """
    since = day_of(part.begins) - DAY
    async with part.database.transaction() as tx:
        await name_ours(tx)
        wrong = await patiently(tx, _DIFFERENCES, since, begin_of(since))
        wrong += await patiently(tx, _FILES, since)
    return InvariantFinding(UNCHANGED, len(wrong), wrong[:SHOWN_MAX])
