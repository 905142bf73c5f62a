"""Invariants of random draws, of their entries and of the drawn numbers."""

from meterai.plumbing.db.invariants import Invariant

# A malformed record is NULL here, so that it does not make a query fail.
_RECORD = "(CASE WHEN d.record IS JSON THEN d.record::jsonb END)"
_PARTS = f"coalesce(jsonb_array_length({_RECORD} -> 'parts'), 0)"
# The kind of the last signed part.
LAST_KIND = f"({_RECORD} -> 'parts' -> -1 ->> 'kind')"


def _part(number: int) -> str:
    """Return SQL for the signed body of a part of a record; `number` counts the parts from 0."""
    body = f"{_RECORD} -> 'parts' -> {number} ->> 'body'"
    return f"(CASE WHEN ({body}) IS JSON THEN ({body})::jsonb END)"


ANNOUNCEMENT = _part(0)
_CLOSING = _part(1)
LAST_ATTEMPT = """
d.attempt = (SELECT max(attempt) FROM waiting_room_draws a WHERE a.line_id = d.line_id)
""".strip()

INVARIANTS = (
    Invariant(
        "draws_are_of_all_entries",
        "The signed closing of a draw states the number of entries that its line has.",
        f"""
        SELECT d.line_id, d.attempt, d.count, counted.held FROM waiting_room_draws d
        LEFT JOIN LATERAL (
            SELECT count(*) AS held FROM waiting_room_entries e WHERE e.line_id = d.line_id) AS counted ON true
        WHERE d.count <> counted.held OR (d.count IS NULL) <> ({_PARTS} = 1)
            OR (d.count IS NOT NULL AND ({_CLOSING} ->> 'count' = d.count::text) IS NOT TRUE)
        """,
    ),
    Invariant(
        "drawn_numbers_are_all_of_a_draw",
        "Once a line has opened, each entry of its draw has one number, counted from 1 without a "
        "gap; before the result no entry has a number.",
        f"""
        SELECT d.line_id, d.attempt, d.count, given.numbers, given.highest, given.strange FROM waiting_room_draws d
        LEFT JOIN LATERAL (
            SELECT count(*) AS numbers, coalesce(max(n.number), 0) AS highest,
                count(*) FILTER (WHERE e.entry IS NULL) AS strange
            FROM waiting_room_drawn n LEFT JOIN waiting_room_entries e
                ON e.line_id = n.line_id AND e.entry = n.entry
            WHERE n.line_id = d.line_id) AS given ON true
        WHERE {LAST_ATTEMPT} AND (given.strange > 0 OR given.numbers <> given.highest
            OR (d.drawn_at IS NULL AND given.numbers > 0)
            OR (d.opened_at IS NOT NULL AND given.numbers <> d.count))
        UNION ALL
        SELECT n.line_id, NULL, NULL, count(*), max(n.number), NULL FROM waiting_room_drawn n
        WHERE NOT EXISTS (SELECT 1 FROM waiting_room_draws d WHERE d.line_id = n.line_id) GROUP BY n.line_id
        """,
    ),
)
