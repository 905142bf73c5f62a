"""The schema is what the migrations made of it, and rights are as they are due.

What the database refuses by itself (a constraint, a function, a right that is not there) is only
worth something while it is there.  Expected is what the files of this installation say, so nothing
is kept that could be changed with the rest.
"""

import re
from dataclasses import dataclass, field

from meterai.plumbing import rights
from meterai.plumbing.database import Database, Row
from meterai.plumbing.invariants import Finding, Invariant
from meterai.plumbing.migrations import hashes, migrations

_FUNCTION = re.compile(
    r"CREATE (?:OR REPLACE )?FUNCTION\s+(?P<made>\w+)\s*\(.*?\sAS\s+\$\$(?P<body>.*?)\$\$"
    r"|DROP FUNCTION (?:IF EXISTS )?(?P<ended>\w+)",
    re.DOTALL,
)
_BODY = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_COMMENT = re.compile(r"--[^\n]*")
_NAMED = re.compile(
    r"CREATE TABLE (?:IF NOT EXISTS )?(?P<table>\w+)"
    r"|DROP TABLE (?:IF EXISTS )?(?P<no_table>\w+)"
    r"|(?P<drop>DROP )?CONSTRAINT (?:IF EXISTS )?(?P<constraint>\w+)"
    r"|RENAME CONSTRAINT (?P<was>\w+) TO (?P<is>\w+)"
    r"|CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?(?P<index>\w+)"
    r"|DROP INDEX (?:IF EXISTS )?(?P<no_index>\w+)"
)


@dataclass(slots=True)
class Schema:
    """What the migrations make, by name."""

    functions: dict[str, str] = field(default_factory=dict)
    tables: set[str] = field(default_factory=lambda: {"applied_migrations"})
    constraints: set[str] = field(default_factory=set)
    indexes: set[str] = field(default_factory=set)


def expected() -> Schema:
    """Read from the files of the migrations, in their order."""
    schema = Schema()
    for _, text in migrations():
        for found in _FUNCTION.finditer(text):
            if found["ended"]:
                schema.functions.pop(found["ended"], None)
            else:
                schema.functions[found["made"]] = found["body"]
        for named in _NAMED.finditer(_BODY.sub("", _COMMENT.sub("", text))):
            _take(schema, named)
    return schema


def _take(schema: Schema, named: re.Match[str]) -> None:
    match named.lastgroup, named[named.lastgroup or 0]:
        case "table", name:
            schema.tables.add(name)
        case "no_table", name:
            schema.tables.discard(name)
        case "constraint", name if named["drop"]:
            schema.constraints.discard(name)
        case "constraint", name:
            schema.constraints.add(name)
        case "is", name:
            schema.constraints.discard(named["was"])
            schema.constraints.add(name)
        case "index", name:
            schema.indexes.add(name)
        case "no_index", name:
            schema.indexes.discard(name)
        case _:
            raise AssertionError(named[0])


_FUNCTIONS = """
SELECT p.proname AS name, p.prosrc AS body, p.prosecdef AS is_definer,
       p.proconfig IS NOT NULL AS is_configured FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
_CONSTRAINTS = """
SELECT conname AS name FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND convalidated
"""
_INDEXES = """
SELECT c.relname AS name FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND i.indisvalid AND i.indisready
"""
_TABLES = """
SELECT relname AS name FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""
# What would do something behind the back of the statements, or not do what it should.
_HIDDEN = """
SELECT 'trigger' AS kind, tgname::text AS name FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
WHERE c.relnamespace = 'public'::regnamespace AND (NOT tgisinternal OR tgenabled <> 'O')
UNION ALL
SELECT 'rule', rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'event trigger', evtname FROM pg_event_trigger
UNION ALL
SELECT 'row security or no log', relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    AND (relrowsecurity OR relpersistence <> 'p')
UNION ALL
SELECT 'foreign keys are off', setting FROM pg_settings
WHERE name = 'session_replication_role' AND setting <> 'origin'
"""
_APPLIED = "SELECT name, sha256 FROM applied_migrations"
_ROLE = f"""
SELECT r.rolname AS role, current_user::text AS works_as FROM pg_roles r
WHERE r.rolname = '{rights.ROLE}' AND (
    r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolbypassrls OR r.rolreplication
    OR EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid)
    OR EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid))
"""  # noqa: S608 - a constant


def _finding(name: str, promise: str, rows: list[Row]) -> Finding:
    return Finding(Invariant(name, promise, ""), len(rows), rows[:20])


async def check_schema(database: Database) -> list[Finding]:
    """Compare the database with the files and with the rights that are due."""
    return [
        _finding(
            "functions_are_those_of_the_migrations",
            "Every function has the text its migration gave it, and there is no other.",
            await _functions(database),
        ),
        _finding(
            "schema_is_that_of_the_migrations",
            "Every table, constraint and index of the migrations is there and in force; every "
            "migration was applied as it is.",
            await _schema(database),
        ),
        _finding(
            "nothing_acts_behind_our_back",
            "No trigger, rule or policy changes what statements do, and foreign keys hold.",
            await database.read(_HIDDEN),
        ),
        _finding(
            "application_cannot_change_the_past",
            "The application's role has exactly its rights: none to change or delete what "
            "happened.",
            await _rights(database),
        ),
    ]


async def _functions(database: Database) -> list[Row]:
    due = expected().functions
    there = await database.read(_FUNCTIONS)
    wrong: list[Row] = [
        {"function": row["name"], "is": "not as its migration made it"}
        for row in there
        if row["is_definer"] or row["is_configured"] or due.get(row["name"]) != row["body"]
    ]
    names = [row["name"] for row in there]
    wrong += [{"function": name, "is": "missing"} for name in sorted(set(due) - set(names))]
    wrong += [{"function": name, "is": "there twice"} for name in due if names.count(name) > 1]
    return wrong


async def _schema(database: Database) -> list[Row]:
    due, wrong = expected(), []
    for kind, names, query in (
        ("table", due.tables, _TABLES),
        ("constraint", due.constraints, _CONSTRAINTS),
        ("index", due.indexes, _INDEXES),
    ):
        there = {row["name"] for row in await database.read(query)}
        wrong += [{kind: name, "is": "missing"} for name in sorted(names - there)]
        if kind == "table":
            wrong += [{kind: name, "is": "of no migration"} for name in sorted(there - names)]
    files = hashes()
    applied = {row["name"]: row["sha256"] for row in await database.read(_APPLIED)}
    for name in sorted(files.keys() | applied.keys()):
        if files.get(name) != applied.get(name):
            wrong.append({"migration": name, "is": "not applied as it is"})
    return wrong


async def _rights(database: Database) -> list[Row]:
    """Where the role does not exist nothing is held by it; see `works_as`."""
    if not await database.read("SELECT 1 FROM pg_roles WHERE rolname = %s", rights.ROLE):
        return []
    wrong = await database.read(_ROLE)
    columns: dict[str, set[str]] = {}
    for row in await database.read(rights.COLUMNS):
        columns.setdefault(row["relname"], set()).add(row["attname"])
    due = rights.rights_due({table: frozenset(names) for table, names in columns.items()})
    held = {rights.Right(*row.values()) for row in await database.read(rights.HELD)}
    wrong += [right._asdict() | {"is": "too much"} for right in sorted(held - due)]
    wrong += [right._asdict() | {"is": "missing"} for right in sorted(due - held)]
    return wrong


async def works_as(database: Database) -> str | None:
    """The role our statements run as where that one could change the past; None where not."""
    rows = await database.read(
        "SELECT current_user::text AS name WHERE has_table_privilege('entries', 'DELETE')"
        " OR has_table_privilege('audit_events', 'DELETE')"
    )
    return str(rows[0]["name"]) if rows else None
