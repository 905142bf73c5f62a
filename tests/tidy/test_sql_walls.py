"""SQL has the walls that imports have: every table is one room's."""

import psycopg

from meterai.apps.rooms import ROOMS, owners_of_tables
from meterai.plumbing.tables import TABLES


def test_every_table_has_one_owner(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT relname::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        ).fetchall()
    claims = [*TABLES, *(table for room in ROOMS for table in room.tables)]
    assert sorted(claims) == sorted(name for (name,) in rows)
    assert owners_of_tables().keys() == set(claims)
