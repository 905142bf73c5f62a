"""A clock that a test moves: every stored time moves into the past, and the present stays."""

import psycopg
from psycopg import sql

# Columns with times, except those of a unique index, in which rows could collide during the update.
_COLUMNS = """
SELECT c.relname, array_agg(a.attname::text) FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.atttypid = 'timestamptz'::regtype
    AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey))
GROUP BY c.relname
"""


def pass_seconds(url: str, seconds: float) -> None:
    """Move every row `seconds` seconds into the past. Dates, and times outside the database, stay."""
    with psycopg.connect(url) as owner:
        owner.execute("SET session_replication_role = replica")
        for table, columns in owner.execute(_COLUMNS.encode()).fetchall():
            changes = sql.SQL(", ").join(
                sql.SQL("{0} = {0} - make_interval(secs => {1})").format(
                    sql.Identifier(column), sql.Literal(seconds)
                )
                for column in columns
            )
            owner.execute(sql.SQL("UPDATE {} SET {}").format(sql.Identifier(table), changes))
