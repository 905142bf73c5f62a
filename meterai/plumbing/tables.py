"""The tables that are of no room: what keeps work and migrations going.

Those of a room are in its `room.py`; `apps/rooms.py: owners_of_tables` has all of them.
"""

TABLES = frozenset({"applied_migrations", "jobs", "dead_jobs", "round_faults"})
