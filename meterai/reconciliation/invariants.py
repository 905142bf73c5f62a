"""Invariants of records of days."""

from meterai.plumbing.db.invariants import Invariant

INVARIANTS = (
    Invariant(
        "days_of_records_are_compared",
        "The record of a day that was begun is compared within two days of the end of the day, "
        "or an item reports it as missing; no comparison is postponed for long.",
        """
        SELECT provider, day, state, fault, ended_at, leased_until FROM record_days d
        WHERE leased_until > now() + interval '2 hours'
            OR (ended_at IS NULL AND (day + 3)::timestamp AT TIME ZONE 'Asia/Jakarta' < now()
                AND begun_at < now() - interval '1 day' AND NOT EXISTS (
                SELECT 1 FROM suspense_items i WHERE i.reason = 'record_missing'
                AND starts_with(i.item_key, 'record:' || d.provider || ':day:' || d.day || ':missing')))
        """,
    ),
)
