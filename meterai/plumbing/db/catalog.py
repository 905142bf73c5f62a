"""The complete description of our schema, read from the catalogs of PostgreSQL.

`migrations/schema.toml` describes a database that the migrations have just built: every table, column, constraint,
index and function, each with its definition. The audit compares it with the actual database. Other objects of
PostgreSQL (triggers, rules, operators and so on) are described too; no migration creates any.

Definitions are queried with only `pg_catalog` in the search path. So they are the same in every session and from
PostgreSQL 15 to 18 (tests/tidy compares the file with the migrations), and an object that shadows a catalog cannot
hide itself.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TypeAlias

# Names in a statement are looked up in `pg_catalog`, then in `public`; last among temporary tables, which PostgreSQL
# would otherwise search first.
SEARCH_PATH = "public, pg_temp"
OF_CATALOGS = "pg_catalog, pg_temp"
FIRST_OID = 16_384  # of objects created after the server was; FirstNormalObjectId in transam.h

Key: TypeAlias = tuple[str, str]  # (kind, name)
Description: TypeAlias = dict[Key, str]

_RELATIONS = """
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
           WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
           WHEN 'S' THEN 'sequence' ELSE 'composite type' END AS kind,
       c.relname::text AS name,
       concat_ws(', ', (SELECT amname::text FROM pg_am WHERE oid = c.relam),
           CASE c.relpersistence WHEN 'u' THEN 'no log' WHEN 't' THEN 'temporary' END,
           (SELECT 'inherits ' || string_agg(inhparent::regclass::text, ' ' ORDER BY inhseqno)
            FROM pg_inherits WHERE inhrelid = c.oid),
           (SELECT 'parent of ' || string_agg(inhrelid::regclass::text, ' ')
            FROM pg_inherits WHERE inhparent = c.oid)) AS told
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('i', 'I', 't')
"""
_COLUMNS = """
SELECT 'column', c.relname || '.' || a.attname,
       concat_ws(' ', row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
           format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> t.typcollation
                THEN 'collate ' || a.attcollation::regcollation::text END,
           CASE WHEN a.attnotnull THEN 'not null' END,
           CASE WHEN a.attidentity <> '' THEN 'identity ' || a.attidentity::text END,
           CASE a.attgenerated WHEN '' THEN 'default ' ELSE 'generated ' END
               || pg_get_expr(d.adbin, d.adrelid))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('i', 'I', 't', 'S')
    AND a.attnum > 0 AND NOT a.attisdropped
"""
# From PostgreSQL 18 on NOT NULL is a constraint too. The column describes it, unless it is not in force.
_CONSTRAINTS = """
SELECT 'constraint', coalesce(c.relname, t.typname) || '.' || k.conname,
       concat_ws(' ', pg_get_constraintdef(k.oid),
           CASE k.contype WHEN 'f' THEN 'held by '
               || (SELECT count(*) FROM pg_trigger g
                   WHERE g.tgconstraint = k.oid AND g.tgenabled = 'O') || ' triggers' END)
FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid
LEFT JOIN pg_type t ON t.oid = k.contypid
WHERE k.connamespace = 'public'::regnamespace AND (k.contype <> 'n' OR NOT k.convalidated)
"""
_INDEXES = """
SELECT 'index', c.relname || '.' || n.relname,
       concat_ws(' ', pg_get_indexdef(i.indexrelid),
           CASE WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'not in force' END,
           CASE WHEN NOT i.indimmediate THEN 'deferrable' END)
FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
WHERE n.relnamespace = 'public'::regnamespace OR c.relnamespace = 'public'::regnamespace
"""
_FUNCTIONS = """
SELECT 'function', p.proname || '(' || oidvectortypes(p.proargtypes) || ')',
       concat_ws(', ',
           '(' || pg_get_function_arguments(p.oid) || ')',
           'returns ' || pg_get_function_result(p.oid),
           (SELECT lanname::text FROM pg_language WHERE oid = p.prolang),
           CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
                          WHEN 'w' THEN 'window' END,
           CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
           CASE WHEN p.proisstrict THEN 'strict' END,
           CASE WHEN p.prosecdef THEN 'as its owner' END,
           CASE WHEN p.proleakproof THEN 'leakproof' END,
           CASE p.proparallel WHEN 's' THEN 'parallel safe' WHEN 'r' THEN 'parallel restricted' END,
           'set ' || array_to_string(p.proconfig, ' '),
           CASE WHEN p.prosupport <> 0 THEN 'support ' || p.prosupport::regproc::text END,
           'file ' || p.probin,
           'body ' || encode(sha256(convert_to(
               coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'UTF8')), 'hex'))
FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
"""
_LANGUAGES = """
SELECT 'language', l.lanname::text,
       concat_ws(' ', (SELECT proname || ' of ' || probin FROM pg_proc WHERE oid = l.lanplcallfoid))
FROM pg_language l WHERE l.lanname IN ('sql', 'plpgsql')
"""
# Objects that act in addition to a statement (triggers, rules) or change its meaning (operators, casts).
_HIDDEN = f"""
SELECT 'trigger', c.relname || '.' || g.tgname, concat_ws(' ', pg_get_triggerdef(g.oid), g.tgenabled)
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
WHERE c.relnamespace = 'public'::regnamespace AND (NOT g.tgisinternal OR g.tgenabled <> 'O')
UNION ALL
SELECT 'rule', c.relname || '.' || r.rulename, pg_get_ruledef(r.oid)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'policy', c.relname || '.' || p.polname, ''
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'row security', relname::text, '' FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relrowsecurity
UNION ALL
SELECT 'checks that are not asked', relname::text, '' FROM pg_class c
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relchecks <> (
    SELECT count(*) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'c')
UNION ALL
SELECT 'event trigger', evtname::text, concat_ws(' ', evtevent, evtfoid::regproc) FROM pg_event_trigger
UNION ALL
SELECT 'type', oid::regtype::text, typtype::text FROM pg_type t
WHERE typnamespace = 'public'::regnamespace AND typrelid = 0
    AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.typarray = t.oid)
UNION ALL
SELECT 'operator', oid::regoperator::text, oprcode::text FROM pg_operator
WHERE oprnamespace = 'public'::regnamespace OR (
    oid >= {FIRST_OID} AND oprnamespace = 'pg_catalog'::regnamespace)
UNION ALL
SELECT 'operator class', opcname::text, opcintype::regtype::text FROM pg_opclass
WHERE opcnamespace = 'public'::regnamespace OR (opcdefault AND oid >= {FIRST_OID}
    AND opcintype < {FIRST_OID})
UNION ALL
SELECT 'operator family', opfname::text, '' FROM pg_opfamily
WHERE opfnamespace = 'public'::regnamespace
UNION ALL
SELECT 'collation', collname::text, '' FROM pg_collation
WHERE collnamespace = 'public'::regnamespace
UNION ALL
SELECT 'conversion', conname::text, '' FROM pg_conversion
WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'statistics', stxname::text, '' FROM pg_statistic_ext
WHERE stxnamespace = 'public'::regnamespace
UNION ALL
SELECT 'cast', concat_ws(' to ', castsource::regtype, casttarget::regtype), castfunc::regproc::text
FROM pg_cast c JOIN pg_type s ON s.oid = castsource JOIN pg_type t ON t.oid = casttarget
WHERE c.oid >= {FIRST_OID} AND (castsource < {FIRST_OID} AND casttarget < {FIRST_OID}
    OR 'public'::regnamespace IN (s.typnamespace, t.typnamespace))
UNION ALL
SELECT 'function of pg_catalog', p.oid::regprocedure::text, l.lanname::text
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.oid >= {FIRST_OID} AND p.pronamespace = 'pg_catalog'::regnamespace AND (
    l.lanname <> 'c' OR NOT EXISTS (
        SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
            AND d.deptype = 'e'))
UNION ALL
SELECT 'relation of pg_catalog', relname::text, relkind::text FROM pg_class
WHERE oid >= {FIRST_OID} AND relnamespace = 'pg_catalog'::regnamespace
"""  # noqa: S608 - of constants
DESCRIBE = " UNION ALL ".join(
    (_RELATIONS, _COLUMNS, _CONSTRAINTS, _INDEXES, _FUNCTIONS, _LANGUAGES, _HIDDEN)
)


def description(rows: Iterable[Mapping[str, str]]) -> Description:
    """Return the description of the schema from the rows that the query `DESCRIBE` returns."""
    return {(row["kind"], row["name"]): row["told"] for row in rows}


def read(text: str) -> Description:
    """Parse a schema description from the TOML text that `written` returned."""
    return {
        (kind, name): told
        for kind, facts in tomllib.loads(text).items()
        for name, told in facts.items()
    }


def written(found: Description) -> str:
    """Return a schema description as TOML text in a fixed order.  For each kind of database object the text has one TOML table,
    which maps names of objects to their definitions.
    """
    parts = []
    for kind, facts in groupby(sorted(found), key=lambda key: key[0]):
        lines = [f"{json.dumps(name)} = {json.dumps(found[kind, name])}" for _, name in facts]
        parts.append("\n".join([f"[{json.dumps(kind)}]", *lines, ""]))
    return "\n".join(parts)


def differences(due: Description, there: Description) -> Iterator[tuple[str, dict[str, str]]]:
    """Compare the expected schema (`due`) with the actual one (`there`). Yield (kind of object, facts) for each object that is
    missing, that no migration creates, or whose definition differs.
    """
    for kind, name in sorted(due.keys() | there.keys()):
        wanted, found = due.get((kind, name)), there.get((kind, name))
        if found is None:
            yield kind, {kind: name, "is": "missing"}
        elif wanted is None:
            yield kind, {kind: name, "is": f"of no migration: {found}"}
        elif wanted != found:
            yield kind, {kind: name, "is": found, "due": wanted}
