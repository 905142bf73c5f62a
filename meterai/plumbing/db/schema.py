"""Check that the schema is the one the migrations built, and that rights are as declared.

The database protects its rows by constraints, functions and missing rights, so the audit checks that these are
unchanged. The expected state comes from the files of this installation, so that it cannot be changed in the database.
"""

from collections.abc import Iterable

from meterai.plumbing.db import catalog, grants, rights
from meterai.plumbing.db.database import Database, Row, Tx
from meterai.plumbing.db.invariants import SHOWN_MAX, Invariant, InvariantFinding
from meterai.plumbing.db.migrations import hashes
from meterai.plumbing.db.sql_files import described

FUNCTIONS = Invariant(
    "functions_are_those_of_the_migrations",
    "Every function has the definition that its migration gave it, including its body, and no "
    "other function exists.",
    "",
)
SCHEMA = Invariant(
    "schema_is_that_of_the_migrations",
    "Every table, column, constraint and index exists as the migrations made it and is in force, "
    "and no other exists; every applied migration has the text of its file.",
    "",
)
HIDDEN = Invariant(
    "nothing_acts_behind_our_back",
    "No trigger, rule, policy, operator, type or cast changes the effect of statements, and "
    "foreign keys are enforced.",
    "",
)
NAMES = Invariant(
    "names_mean_our_schema",
    "No other schema has an object with one of our names, and no role or database has a setting "
    "that changes the meaning of statements.",
    "",
)
RIGHTS = Invariant(
    "application_cannot_change_the_past",
    "The application's role has exactly its rights, and none to change or delete records of past "
    "events; nobody else but the owner of the tables may write to them, and no login with the "
    "role has more rights.",
    "",
)
_OF = {
    "function": FUNCTIONS,
    "table": SCHEMA,
    "column": SCHEMA,
    "constraint": SCHEMA,
    "index": SCHEMA,
}

_ELSEWHERE = """
SELECT 'relation' AS kind, c.oid::regclass::text AS name FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class ours ON ours.relname = c.relname
    AND ours.relnamespace = 'public'::regnamespace
WHERE n.nspname NOT IN ('public', 'pg_toast')
UNION
SELECT 'function', p.oid::regprocedure::text FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_proc ours ON ours.proname = p.proname
    AND ours.pronamespace = 'public'::regnamespace
WHERE n.nspname <> 'public'
ORDER BY 1, 2
"""
# Settings that an operator may set for a role or a database: time-outs, sizes, durability, logging; and those that a
# pooler requires (docs/operations.md).
_HARMLESS = (
    r"(_timeout|_mem|_cost)=|^(log_|auto_explain\.|pg_stat_statements\.|max_parallel_|effective_"
    rf"|tcp_|application_name=|jit|synchronous_commit=|timezone=UTC$|search_path={catalog.SEARCH_PATH}$"
    rf"|role={rights.ROLE}$)"
)
_SETTINGS = """
SELECT coalesce(r.rolname, 'every role') AS role, coalesce(d.datname, 'every database') AS database,
       one AS setting
FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS one
LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
WHERE (s.setdatabase = 0 OR d.datname = current_database()) AND one !~* %s
    AND (s.setrole = 0 OR r.rolname IN (current_user, session_user, %s)
         OR EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid
                    AND c.relnamespace = 'public'::regnamespace)
         OR EXISTS (SELECT 1 FROM pg_auth_members m JOIN pg_roles a ON a.oid = m.roleid
                    WHERE m.member = r.oid AND a.rolname = %s))
UNION ALL
SELECT session_user, current_database(), name || '=' || setting FROM pg_settings
WHERE (name, setting) IN (('session_replication_role', 'replica'),
    ('session_replication_role', 'local'), ('transform_null_equals', 'on'),
    ('allow_system_table_mods', 'on'), ('ignore_system_indexes', 'on'))
UNION ALL
SELECT session_user, current_database(), 'search_path=' || reset_val FROM pg_settings
WHERE name = 'search_path'
    AND regexp_replace(reset_val, '[" ]', '', 'g') NOT IN ('$user,public', 'public', %s)
"""
_APPLIED = "SELECT name, sha256 FROM public.applied_migrations"


def _finding(invariant: Invariant, rows: list[Row]) -> InvariantFinding:
    return InvariantFinding(invariant, len(rows), rows[:SHOWN_MAX])


async def check_schema(database: Database) -> list[InvariantFinding]:
    """Compare the actual schema with the SQL files, and the actual rights with the declared ones."""
    async with database.transaction() as tx:
        # A schema that shadows a table can shadow a catalog too.
        await tx.run(f"SET LOCAL search_path = {catalog.OF_CATALOGS}")
        wrong: dict[Invariant, list[Row]] = {FUNCTIONS: [], SCHEMA: [], HIDDEN: []}
        there = catalog.description(await tx.all(catalog.DESCRIBE))
        for kind, told in catalog.differences(described(), there):
            wrong[_OF.get(kind, HIDDEN)].append(told)
        wrong[SCHEMA] += await _migrations(tx) if ("table", "applied_migrations") in there else []
        wrong[NAMES] = await _names(tx)
        is_there = ("table", "applied_migrations") in there
        wrong[RIGHTS] = await _rights(tx) if is_there else []
    return [_finding(invariant, rows) for invariant, rows in wrong.items()]


async def _names(tx: Tx) -> list[Row]:
    wrong: list[Row] = await tx.all(_ELSEWHERE)
    ours = catalog.SEARCH_PATH.replace(" ", "")
    return wrong + await tx.all(_SETTINGS, _HARMLESS, rights.ROLE, rights.ROLE, ours)


async def _migrations(tx: Tx) -> list[Row]:
    files = hashes()
    applied = {row["name"]: row["sha256"] for row in await tx.all(_APPLIED)}
    return [
        {"migration": name, "is": "not applied as it is"}
        for name in sorted(files.keys() | applied.keys())
        if files.get(name) != applied.get(name)
    ]


async def _rights(tx: Tx) -> list[Row]:
    """Return a row for each right that a role has and should not have, or that the application's role lacks.

    If the application's role does not exist, only the rights of other roles are checked; see `works_as`.
    """
    wrong: list[Row] = await tx.all(grants.WRONG)
    if not await tx.all("SELECT 1 FROM pg_roles WHERE rolname = %s", rights.ROLE):
        return wrong
    due = rights.rights_due(rights.by_table(await tx.all(rights.COLUMNS)))
    held = {rights.Right(*row.values()) for row in await tx.all(rights.HELD)}
    return [*wrong, *_told(held - due, "too much"), *_told(due - held, "missing")]


def _told(found: Iterable[rights.Right], complaint: str) -> list[Row]:
    return [right._asdict() | {"is": complaint} for right in sorted(found)]


async def works_as(database: Database) -> str | None:
    """Return the database role of our statements if it has the right to change records of the past; None if it lacks this
    right, as it should.
    """
    rows = await database.read(
        "SELECT current_user::text AS name WHERE has_table_privilege('public.entries', 'DELETE')"
        " OR has_table_privilege('public.audit_events', 'DELETE')"
    )
    return str(rows[0]["name"]) if rows else None
