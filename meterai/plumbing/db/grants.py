"""Check of all privileges that the module `rights` does not cover: every grant, owner, membership and attribute of a role.

`rights` lists what the application's role may do to tables, and is compared with what that role may actually do. This
module checks what other roles may do to our schema, and what the application's role may do beyond tables. Its queries
run with only `pg_catalog` in the search path.
"""

from meterai.plumbing.db import rights

# The owner of the tables has all rights, and no other role may have them.
_OWNER = "(SELECT relowner FROM pg_class WHERE oid = 'public.applied_migrations'::regclass)"
_ROLE = f"(SELECT oid FROM pg_roles WHERE rolname = '{rights.ROLE}')"  # noqa: S608 - a constant
_OURS = "'public'::regnamespace"
# SELECT is not checked, since reports and backups read. The application's own rights are compared in `rights`.
_EXCESS = f"""
WITH given AS (
    SELECT 'table' AS kind, c.relname::text AS name, a.* FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.relnamespace = {_OURS} AND c.relkind NOT IN ('i', 'I', 't')
    UNION ALL
    SELECT 'column', c.relname || '.' || t.attname, a.* FROM pg_class c
    JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
    WHERE c.relnamespace = {_OURS}
    UNION ALL
    SELECT 'function', p.proname::text, a.* FROM pg_proc p, aclexplode(p.proacl) a
    WHERE p.pronamespace = {_OURS}
    UNION ALL
    SELECT 'schema', n.nspname::text, a.* FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE n.oid = {_OURS} AND a.grantee <> n.nspowner
    UNION ALL
    SELECT 'setting', p.parname, a.* FROM pg_parameter_acl p, aclexplode(p.paracl) a
    UNION ALL
    SELECT 'whatever is made', d.defaclobjtype::text, a.* FROM pg_default_acl d,
        aclexplode(d.defaclacl) a
    WHERE d.defaclrole = {_OWNER} AND d.defaclnamespace IN (0, {_OURS})
)
SELECT g.kind, g.name, coalesce(r.rolname::text, 'everybody') AS role,
       concat_ws(' ', g.privilege_type, CASE WHEN g.is_grantable THEN 'and to give it' END)
           AS privilege, 'too much' AS "is"
FROM given g LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE g.grantee <> {_OWNER} AND (g.is_grantable OR CASE
    WHEN g.kind IN ('table', 'column') AND g.grantee = {_ROLE}
        THEN g.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
    WHEN g.kind IN ('table', 'column') THEN g.privilege_type <> 'SELECT' OR g.grantee = 0
    WHEN g.kind = 'schema' THEN g.privilege_type <> 'USAGE'
    WHEN g.kind IN ('setting', 'whatever is made') THEN true
    ELSE false END)
"""  # noqa: S608 - of constants
_OWNED = f"""
SELECT o.kind, o.name, r.rolname::text AS role, 'owner' AS privilege, 'too much' AS "is" FROM (
    SELECT 'table' AS kind, relname::text AS name, relowner AS owner FROM pg_class
    WHERE relnamespace = {_OURS}
    UNION ALL
    SELECT 'function', proname::text, proowner FROM pg_proc WHERE pronamespace = {_OURS}
    UNION ALL
    SELECT 'schema', nspname::text, nspowner FROM pg_namespace
    WHERE oid = {_OURS} AND nspowner = {_ROLE}
    UNION ALL
    SELECT 'database', datname::text, datdba FROM pg_database
    WHERE datname = current_database() AND datdba = {_ROLE}
) AS o JOIN pg_roles r ON r.oid = o.owner WHERE o.owner <> {_OWNER}
"""  # noqa: S608
# Checks the application's role, and other roles that may assume it but do not own the tables: a login that can do more
# than the role could leave the role (RESET ROLE). A superuser may do anything in any case; only our own login must not
# be a superuser.
_ROLES = f"""
SELECT 'role' AS kind, r.rolname::text AS name, r.rolname::text AS role, p.privilege,
       'too much' AS "is"
FROM pg_roles r, LATERAL (VALUES
    ('superuser', r.rolsuper), ('bypasses row security', r.rolbypassrls),
    ('makes roles', r.rolcreaterole), ('makes databases', r.rolcreatedb),
    ('replicates', r.rolreplication), ('logs in', r.rolcanlogin AND r.oid = {_ROLE}),
    ('gives the role', EXISTS (SELECT 1 FROM pg_auth_members m
        WHERE m.member = r.oid AND m.roleid = {_ROLE} AND m.admin_option)),
    ('makes schemas', has_database_privilege(r.oid, current_database(), 'CREATE')),
    ('makes tables', has_schema_privilege(r.oid, 'public', 'CREATE'))
) AS p (privilege, is_had)
WHERE p.is_had AND r.oid <> {_OWNER} AND (r.oid = {_ROLE} OR (r.rolname = session_user)
    OR (NOT r.rolsuper AND EXISTS (
        SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid AND m.roleid = {_ROLE})))
UNION ALL
SELECT 'role', r.rolname::text, r.rolname::text, 'member of ' || other.rolname, 'too much'
FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
JOIN pg_roles other ON other.oid = m.roleid
WHERE r.oid <> {_OWNER} AND other.oid <> {_ROLE} AND (r.oid = {_ROLE} OR (NOT r.rolsuper
    AND EXISTS (SELECT 1 FROM pg_auth_members o WHERE o.member = r.oid AND o.roleid = {_ROLE})))
"""  # noqa: S608
_LACKS = f"""
SELECT 'function' AS kind, p.proname::text AS name, '{rights.ROLE}' AS role,
       'EXECUTE' AS privilege, 'missing' AS "is"
FROM pg_proc p WHERE p.pronamespace = {_OURS} AND NOT has_function_privilege({_ROLE}, p.oid, 'EXECUTE')
UNION ALL
SELECT 'schema', 'public', '{rights.ROLE}', 'USAGE', 'missing'
WHERE NOT has_schema_privilege({_ROLE}, 'public', 'USAGE')
"""  # noqa: S608
# Functions that would circumvent all of it: the application may call them, and they run with the rights of a superuser
# or the owner.
_DOORS = f"""
SELECT 'function', p.oid::regprocedure::text, o.rolname::text, 'runs as its owner', 'too much'
FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND (o.rolsuper OR o.oid = {_OWNER})
    AND has_schema_privilege({_ROLE}, n.oid, 'USAGE')
    AND has_function_privilege({_ROLE}, p.oid, 'EXECUTE')
"""  # noqa: S608
# Columns of each row: kind, name, role, privilege, is.
WRONG = " UNION ALL ".join((_EXCESS, _OWNED, _ROLES, _LACKS, _DOORS))
