"""Invariants of outage records, among them that each follows from its readings."""

from datetime import UTC, datetime
from uuid import UUID

from meterai.outages import proposing, store
from meterai.outages.model import Outage, RecordWrong
from meterai.plumbing.db.checks import AuditedPart
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import SHOWN_MAX, Invariant, InvariantFinding

_NOBODY = "'00000000-0000-0000-0000-000000000000'"
_SUBJECT = "'out_' || lower(compact(o.outage_id))"
# Columns of times, each with the act of the audit trail that sets it.
_IN_TRAIL = (
    ("o.proposed_at", "'outage_proposed'"),
    ("o.confirmed_at", "'outage_confirmed'"),
    ("o.sealed_at", "'outage_sealed'"),
    (
        "o.ended_at",
        "CASE o.state WHEN 'replaced' THEN 'outage_replaced' ELSE 'outage_withdrawn' END",
    ),
)
# The act that sets a time must be in the trail within an hour of it.
_UNTOLD = " OR ".join(
    f"({column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.account_id = {_NOBODY} AND e.subject = {_SUBJECT}"
    f" AND e.action = {action} AND abs(extract(epoch FROM e.happened_at - {column})) < 3600"
    " AND e.facts->>'sha256' = encode(o.findings_sha256, 'hex')))"
    for column, action in _IN_TRAIL
)
INVARIANTS = (
    Invariant(
        "outage_moves_are_in_the_trail",
        "Every event of an outage record is in the audit trail with the hash of its findings; "
        "its state agrees with its times; a replaced record was replaced by a confirmed record "
        "that names it and covers its time.",
        f"SELECT o.outage_id, o.state FROM outages o WHERE {_UNTOLD}"
        " OR (o.state IN ('confirmed', 'replaced')) <> (o.confirmed_at IS NOT NULL)"
        " OR (o.state IN ('withdrawn', 'replaced')) <> (o.ended_at IS NOT NULL)"
        " OR (o.state = 'replaced') <> EXISTS"
        " (SELECT 1 FROM outages n WHERE n.replaces_id = o.outage_id AND n.confirmed_at IS NOT NULL"
        " AND n.begins_at <= o.begins_at AND n.ends_at >= o.ends_at)",
    ),
    Invariant(
        "outages_are_confirmed_by_two",
        "A confirmed outage record has an executed approval of its confirmation by a person "
        "other than the requester.",
        # Arguments are blanked a year after the decision.
        f"""
        SELECT o.outage_id, o.confirmed_at FROM outages o WHERE o.confirmed_at IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM approvals a WHERE a.command = 'outage confirm' AND a.state = 'executed'
                AND a.decided_by <> a.requested_by
                AND (a.arguments->>'outage' = {_SUBJECT} OR a.forecast = jsonb_build_object())
                AND abs(extract(epoch FROM a.decided_at - o.confirmed_at)) < 3600)
        """,
    ),
    Invariant(
        "outage_files_are_those_of_their_record",
        "A record has the readings of each of its watchers, by hash; a sealed record also has "
        "its signed document and PDFs; no other file exists, and each file has its hash.",
        "SELECT o.outage_id, w.value->>'name' AS file FROM outages o, jsonb_array_elements(o.findings->'watchers') w"
        " WHERE NOT EXISTS (SELECT 1 FROM outage_files f WHERE f.outage_id = o.outage_id"
        " AND f.file = 'readings/' || (w.value->>'name') AND encode(f.sha256, 'hex') = w.value->>'sha256')"
        " UNION ALL SELECT o.outage_id, n.file FROM outages o, unnest(ARRAY['json', 'id.pdf', 'en.pdf']) n (file)"
        " WHERE (o.sealed_at IS NOT NULL) <> EXISTS"
        " (SELECT 1 FROM outage_files f WHERE f.outage_id = o.outage_id AND f.file = n.file)"
        " UNION ALL SELECT f.outage_id, f.file FROM outage_files f WHERE f.sha256 <> sha256(f.content)"
        " OR NOT EXISTS (SELECT 1 FROM outages o WHERE o.outage_id = f.outage_id)"
        " OR (f.file NOT IN ('json', 'id.pdf', 'en.pdf') AND NOT EXISTS (SELECT 1 FROM outages o,"
        " jsonb_array_elements(o.findings->'watchers') w WHERE o.outage_id = f.outage_id"
        " AND f.file = 'readings/' || (w.value->>'name')))",
    ),
)
_EVER = datetime(2020, 1, 1, tzinfo=UTC)  # before every record
AS_DERIVED = Invariant(
    "outages_are_as_derived",
    "The findings of an outage record have the confirmed hash, and follow from its readings by "
    "the rules.",
    "",
)


async def as_derived(part: AuditedPart) -> InvariantFinding:
    """Derive the findings of each record of the audited part again, and return the records whose stored findings differ.

    This is done in Python, since SQL cannot verify signatures.
    """
    since = part.begins if part.since is not None else _EVER
    found: list[Outage] = []
    last = UUID(int=0)
    while True:
        async with part.database.reading() as tx:
            batch = await store.after(tx, last, since)
        found += [one for one in batch if not await _is_as_derived(part.database, one)]
        if not batch:
            break
        last = batch[-1].id
    return InvariantFinding(
        AS_DERIVED, len(found), [{"outage": one.shown} for one in found[:SHOWN_MAX]]
    )


async def _is_as_derived(database: Database, outage: Outage) -> bool:
    try:
        await proposing.kept_readings(database, outage, outage.findings.installation)
    except RecordWrong:
        return False
    return True
