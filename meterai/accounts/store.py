"""SQL of accounts, one function per query."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from meterai.accounts.agents import Agent
from meterai.accounts.model import (
    KEY_KIND,
    KEY_PERMISSIONS,
    MEMBERSHIP_KIND,
    NOBODY,
    PASSKEY_KIND,
    SESSION_KIND,
    AccountTold,
    ActingFor,
    ApiKeyView,
    Challenge,
    CodeLimits,
    Contact,
    Invitation,
    InvitationState,
    KeyMaker,
    KeyOfAccount,
    KeyTerms,
    Member,
    OpenedAccount,
    Organization,
    OrganizationState,
    PasskeyView,
    PlaceOf,
    Role,
    SessionView,
    StaffOfAddress,
    StoredCredential,
    StoredKey,
    StoredPasskey,
    TriedChallenge,
)
from meterai.kit.ids import show
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.periodic import not_paused

_CONTACTS = RowMapper(Contact)
_CHALLENGES = RowMapper(Challenge)
_TOLD = RowMapper(AccountTold)
_TRIED = RowMapper(TriedChallenge)
_OPENED = RowMapper(OpenedAccount)
_CREDENTIALS = RowMapper(StoredCredential)
_ACTING = RowMapper(ActingFor)
_STAFF = RowMapper(StaffOfAddress)
_KEYS = RowMapper(ApiKeyView, id=partial(show, KEY_KIND), replaces=partial(show, KEY_KIND))
_STORED_KEYS = RowMapper(StoredKey)
_KEYS_OF_ACCOUNTS = RowMapper(KeyOfAccount)
_KEY_MAKERS = RowMapper(KeyMaker, key=partial(show, KEY_KIND))
_SESSIONS = RowMapper(SessionView, id=partial(show, SESSION_KIND))
_STORED_PASSKEYS = RowMapper(StoredPasskey)
_PASSKEYS = RowMapper(PasskeyView, id=partial(show, PASSKEY_KIND))
_EVERYTHING = ",".join(sorted(KEY_PERMISSIONS))
_ORGANIZATIONS = RowMapper(Organization)
_PLACES = RowMapper(PlaceOf)
_MEMBERS = RowMapper(Member, id=partial(show, MEMBERSHIP_KIND))
_INVITATIONS = RowMapper(Invitation)
# Columns are read through JSON, so that a leaked key can be ended at any version of the schema, also before scopes
# existed.
_KEY_ENDS = "(to_jsonb(k)->>'expires_at')::timestamptz"
_KEY_COLUMNS = f"""
k.key_id AS id, k.name, k.created_at AS made_at, k.last_used_at, k.ended_at, {_KEY_ENDS} AS expires_at,
CASE WHEN jsonb_typeof(to_jsonb(k)->'scopes') = 'array'
    THEN ARRAY(SELECT jsonb_array_elements_text(to_jsonb(k)->'scopes')) ELSE '{{{_EVERYTHING}}}' END AS scopes,
(to_jsonb(k)->>'follows')::uuid AS replaces
"""


async def account_by_email(tx: ReadTx, email: str) -> UUID | None:
    """Return the account of a mail address; None if the address has no account."""
    found = await tx.value("SELECT account_id FROM email_directory WHERE email = %s", email)
    assert found is None or isinstance(found, UUID)
    return found


async def insert_account(tx: Tx, account: UUID, email: str, language: str) -> tuple[UUID, bool]:
    """Return the account of a mail address, and True if the account was made now because the address is new."""
    row = await tx.one(
        "INSERT INTO email_directory (email, account_id) VALUES (%s, %s)"
        " ON CONFLICT ON CONSTRAINT email_directory_pkey DO UPDATE SET email = excluded.email"
        " RETURNING account_id",
        email,
        account,
    )
    assert row is not None
    owner: UUID = row["account_id"]
    made = await tx.run(
        "INSERT INTO accounts (account_id, email, language) VALUES (%s, %s, %s)"
        " ON CONFLICT ON CONSTRAINT accounts_pkey DO NOTHING",
        owner,
        email,
        language,
    )
    return owner, bool(made)


async def sign_up_closed_at(tx: ReadTx) -> datetime | None:
    """Return the time since which sign-up is closed; None while it is open."""
    found: datetime | None = await tx.value("SELECT changed_at FROM sign_up WHERE NOT is_open")
    return found


async def set_sign_up(tx: Tx, *, is_open: bool) -> bool:
    """Open or close sign-up.  Return False if nothing changed."""
    changed = "UPDATE sign_up SET is_open = %s, changed_at = now() WHERE is_open <> %s"
    return bool(await tx.run(changed, is_open, is_open))


async def contact(tx: ReadTx, account: UUID) -> Contact | None:
    """Return mail address and language of the account of a person; None for any other account."""
    return await tx.one_as(
        _CONTACTS,
        "SELECT email, language FROM accounts WHERE account_id = %s AND email IS NOT NULL",
        account,
    )


async def account_told(tx: ReadTx, account: UUID) -> AccountTold | None:
    """Return an account, with its organization if it is the account of an organization; None if the account does not exist."""
    return await tx.one_as(
        _TOLD,
        "SELECT a.email, a.created_at AS made_at, o.name AS organization, o.made_at AS organization_at"
        " FROM accounts a LEFT JOIN organizations o USING (account_id) WHERE a.account_id = %s",
        account,
    )


_ASK_FOR_CODE = "SELECT sign_in_begin_bounded(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) AS waits_until"


async def ask_for_code(
    tx: Tx,
    challenge: UUID,
    email: str,
    network: str,
    device: UUID | None,
    language: str,
    leads_to: str,
    *,
    at: datetime,
    expires_at: datetime,
    limits: CodeLimits,
) -> datetime | None:
    """Make a challenge for a sign-in code, and return None. If a quota is used up, make no challenge, and return the time from
    which a code may be requested again.
    """
    waits_until = await tx.value(
        _ASK_FOR_CODE,
        NOBODY,
        challenge,
        email,
        network,
        device,
        language,
        leads_to,
        at,
        expires_at,
        *limits,
    )
    assert waits_until is None or isinstance(waits_until, datetime)
    return waits_until


async def begin_challenge(tx: Tx, challenge: UUID, expires_at: datetime) -> None:
    """Set the time at which a challenge of a sign-in code expires, unless the challenge was used."""
    await tx.run(
        "UPDATE sign_in_challenges SET expires_at = %s WHERE challenge_id = %s AND used_at IS NULL",
        expires_at,
        challenge,
    )


_SIGN_IN_OPEN = """
SELECT account, language FROM sign_in_open(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SIGN_IN_BY_CODE = """
SELECT email, expires_at, used_at, tries, leads_to, account, language
FROM sign_in_by_code(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


async def open_by_code(
    tx: Tx, proof: tuple[object, ...], *, is_right: bool, tries_max: int
) -> TriedChallenge | None:
    """Count a try of a code, and begin a session if the code is right and still valid; see
    sql/functions/sign_in_by_code.sql.
    """
    return await tx.one_as(_TRIED, _SIGN_IN_BY_CODE, is_right, tries_max, *proof)


async def open_by_link(tx: Tx, proof: tuple[object, ...]) -> OpenedAccount | None:
    """Use a challenge and begin a session. Return None if another request used the challenge before the time `again_since` that
    `proof` contains; see sql/functions/sign_in_open.sql.
    """
    return await tx.one_as(_OPENED, _SIGN_IN_OPEN, *proof)


async def challenge(tx: ReadTx, challenge: UUID) -> Challenge | None:
    """Return a challenge; None if it does not exist."""
    return await tx.one_as(
        _CHALLENGES,
        "SELECT email, expires_at, used_at, tries, leads_to FROM sign_in_challenges"
        " WHERE challenge_id = %s",
        challenge,
    )


async def insert_session(
    tx: Tx,
    account: UUID,
    session: UUID,
    secret_hash: bytes,
    lives: tuple[datetime, datetime],
    agent: Agent,
    opened_with: str,
) -> None:
    """Insert a session; `lives` are the times of its beginning and its end."""
    await tx.run(
        "INSERT INTO sessions (account_id, session_id, secret_hash, created_at, expires_at,"
        " browser, system, opened_with) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        account,
        session,
        secret_hash,
        *lives,
        *agent,
        opened_with,
    )


_SESSION = """
SELECT s.secret_hash, a.language, s.created_at AS made_at, s.last_used_at, s.acts_for,
    s.opened_with = 'passkey' AS is_by_passkey,
    CASE WHEN s.opened_with = 'passkey' THEN ARRAY(SELECT r.role FROM staff_roles r
        WHERE r.account_id = s.account_id AND r.ended_at IS NULL) ELSE '{}' END AS staff
FROM sessions s JOIN accounts a USING (account_id)
WHERE s.account_id = %s AND s.session_id = %s AND s.ended_at IS NULL AND s.expires_at > now()
"""
API_KEY = """
SELECT k.secret_hash, a.language, k.created_at AS made_at, k.last_used_at, k.scopes
FROM api_keys k JOIN accounts a USING (account_id)
WHERE k.account_id = %s AND k.key_id = %s AND k.ended_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > now())
"""
# A locked row is skipped, because another request is writing the same use.
API_KEY_USED = """
UPDATE api_keys SET last_used_at = %s WHERE (account_id, key_id) IN (
    SELECT account_id, key_id FROM api_keys
    WHERE account_id = %s AND key_id = %s AND (last_used_at IS NULL OR last_used_at < %s)
    FOR UPDATE SKIP LOCKED)
"""
_SESSION_USED = """
UPDATE sessions SET last_used_at = %s WHERE (account_id, session_id) IN (
    SELECT account_id, session_id FROM sessions
    WHERE account_id = %s AND session_id = %s AND (last_used_at IS NULL OR last_used_at < %s)
    FOR UPDATE SKIP LOCKED)
"""
_API_KEYS = f"""
SELECT {_KEY_COLUMNS} FROM api_keys k
WHERE account_id = %s ORDER BY ended_at IS NOT NULL OR {_KEY_ENDS} <= now() IS TRUE, key_id DESC LIMIT %s
"""  # noqa: S608 - columns are a constant


async def session(tx: ReadTx, account: UUID, session: UUID) -> StoredCredential | None:
    """Return an open session; None if no such session exists."""
    return await tx.one_as(_CREDENTIALS, _SESSION, account, session)


async def acting_for(tx: ReadTx, account: UUID, member: UUID) -> ActingFor | None:
    """Return the organization of this account with the role of the person `member`; None if the person has no role there
    or the organization is not open.
    """
    return await tx.one_as(
        _ACTING,
        "SELECT o.name, m.role FROM memberships m JOIN organizations o USING (account_id)"
        " WHERE m.account_id = %s AND m.member_id = %s AND m.ended_at IS NULL AND o.state = 'open'",
        account,
        member,
    )


async def api_key(tx: ReadTx, account: UUID, key: UUID) -> StoredCredential | None:
    """Return an API key in use; None if no such key exists."""
    return await tx.one_as(_CREDENTIALS, API_KEY, account, key)


async def note_key_use(tx: Tx, account: UUID, key: UUID, *, at: datetime, since: datetime) -> None:
    """Record the use of an API key, unless a use was recorded after `since`."""
    await tx.run(API_KEY_USED, at, account, key, since)


async def note_session_use(
    tx: Tx, account: UUID, session: UUID, *, at: datetime, since: datetime
) -> None:
    """Record the use of a session, unless a use was recorded after `since`."""
    await tx.run(_SESSION_USED, at, account, session, since)


async def api_keys(tx: ReadTx, account: UUID, limit: int) -> list[ApiKeyView]:
    """Return the API keys of an account: first the keys in use, newest first, then the ended keys."""
    return await tx.all_as(_KEYS, _API_KEYS, account, limit)


async def end_session(tx: Tx, account: UUID, session: UUID, at: datetime) -> bool | None:
    """End a session.  Return whether it was open; None if it does not exist."""
    ended = await tx.run(
        "UPDATE sessions SET ended_at = %s"
        " WHERE account_id = %s AND session_id = %s AND ended_at IS NULL",
        at,
        account,
        session,
    )
    if ended:
        return True
    found = await tx.value(
        "SELECT 1 FROM sessions WHERE account_id = %s AND session_id = %s", account, session
    )
    return None if found is None else False


async def end_sessions(tx: Tx, account: UUID, at: datetime) -> list[UUID]:
    """End every session of an account; return the ids of the sessions that were open."""
    found = await tx.value(
        "WITH ended AS (UPDATE sessions SET ended_at = %s"
        " WHERE account_id = %s AND ended_at IS NULL AND expires_at > %s RETURNING session_id)"
        " SELECT coalesce(array_agg(session_id), '{}') FROM ended",
        at,
        account,
        at,
    )
    assert isinstance(found, list)
    return found


async def count_sessions(tx: ReadTx, account: UUID, at: datetime) -> int:
    """Count the open sessions of an account."""
    found = await tx.value(
        "SELECT count(*) FROM sessions WHERE account_id = %s AND ended_at IS NULL AND expires_at > %s",
        account,
        at,
    )
    assert isinstance(found, int)
    return found


async def act_for(tx: Tx, person: UUID, session: UUID, account: UUID | None) -> bool:
    """Set the organization that a session acts for; None means the person's own account. Return False if no such session is
    open.
    """
    return bool(
        await tx.run(
            "UPDATE sessions SET acts_for = %s"
            " WHERE account_id = %s AND session_id = %s AND ended_at IS NULL",
            account,
            person,
            session,
        )
    )


async def sessions(tx: ReadTx, account: UUID, limit: int) -> list[SessionView]:
    """Return the open sessions of an account, the newest first."""
    return await tx.all_as(
        _SESSIONS,
        "SELECT session_id AS id, browser, system, created_at AS begun_at, last_used_at"
        " FROM sessions WHERE account_id = %s AND ended_at IS NULL AND expires_at > now()"
        " ORDER BY session_id DESC LIMIT %s",
        account,
        limit,
    )


async def keys_in_use(tx: Tx, account: UUID) -> int:
    """Lock the account against new keys until the transaction ends, and count its API keys in use."""
    await tx.run("SELECT 1 FROM accounts WHERE account_id = %s FOR NO KEY UPDATE", account)
    found = await tx.value(
        "SELECT count(*) FROM api_keys WHERE account_id = %s AND ended_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > now())",
        account,
    )
    assert isinstance(found, int)
    return found


async def insert_api_key(
    tx: Tx, account: UUID, key: UUID, secret_hash: bytes, name: str, at: datetime, terms: KeyTerms
) -> bool:
    """Insert an API key.  Return False if the id exists already."""
    return bool(
        await tx.run(
            "INSERT INTO api_keys (account_id, key_id, secret_hash, name, created_at, scopes, expires_at,"
            " made_by, follows) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT ON CONSTRAINT api_keys_pkey DO NOTHING",
            account,
            key,
            secret_hash,
            name,
            at,
            None if terms.scopes is None else sorted(terms.scopes),
            terms.expires_at,
            terms.made_by,
            terms.follows,
        )
    )


async def stored_key(tx: ReadTx, account: UUID, key: UUID) -> StoredKey | None:
    """Return an API key with the id of its successor; None if the key does not exist."""
    return await tx.one_as(
        _STORED_KEYS,
        "SELECT k.name, k.scopes, k.created_at AS made_at, k.expires_at, k.ended_at, s.key_id AS successor"
        " FROM api_keys k LEFT JOIN api_keys s ON s.account_id = k.account_id AND s.follows = k.key_id"
        " WHERE k.account_id = %s AND k.key_id = %s",
        account,
        key,
    )


async def key_makers(tx: ReadTx, account: UUID) -> list[KeyMaker]:
    """Return the makers of the keys of an organization, and whether each still has a role in it."""
    return await tx.all_as(
        _KEY_MAKERS,
        "SELECT k.key_id AS key, coalesce(a.email, '') AS email, NOT EXISTS (SELECT 1 FROM memberships m WHERE m.account_id = k.account_id"
        " AND m.member_id = k.made_by AND m.ended_at IS NULL) AS has_left"
        " FROM api_keys k JOIN accounts a ON a.account_id = k.made_by"
        " WHERE k.account_id = %s AND k.made_by <> k.account_id",
        account,
    )


async def set_key_end(tx: Tx, account: UUID, key: UUID, at: datetime) -> None:
    """Set the time at which an API key ends."""
    await tx.run(
        "UPDATE api_keys SET expires_at = %s WHERE account_id = %s AND key_id = %s",
        at,
        account,
        key,
    )


KEY_ENDS = "tell_key_ends"
_NOT_FOLLOWED = "NOT EXISTS (SELECT 1 FROM api_keys s WHERE s.account_id = o.account_id AND s.follows = o.key_id)"
# No mail for a key with a successor, or made for a shorter time: it ends as its owner intended.
_KEYS_THAT_END = f"""
SELECT account_id AS account, key_id AS key, name, expires_at FROM api_keys o
WHERE expires_at > %s AND expires_at <= %s::timestamptz + %s AND ended_at IS NULL AND end_told_at IS NULL
    AND expires_at - created_at > %s
    AND {_NOT_FOLLOWED}
    AND {not_paused(KEY_ENDS, "key_id")}
ORDER BY expires_at LIMIT %s
"""  # noqa: S608 - names are constants


async def keys_that_end(
    tx: ReadTx, now: datetime, before: timedelta, limit: int
) -> list[KeyOfAccount]:
    """Return API keys that end within the time `before` from now, and whose owner was not notified yet."""
    return await tx.all_as(_KEYS_OF_ACCOUNTS, _KEYS_THAT_END, now, now, before, before, limit)


KEYS_NEAR_END = f"""
SELECT account_id AS account, key_id AS key, name, expires_at FROM api_keys o
WHERE expires_at > %s AND expires_at <= %s AND ended_at IS NULL AND {_NOT_FOLLOWED}
ORDER BY expires_at LIMIT %s
"""  # noqa: S608 - names are constants


async def keys_near_end(
    tx: ReadTx, now: datetime, until: datetime, limit: int
) -> list[KeyOfAccount]:
    """Return API keys without a successor that end from `now` to `until`, the soonest first."""
    return await tx.all_as(_KEYS_OF_ACCOUNTS, KEYS_NEAR_END, now, until, limit)


async def note_end_told(tx: Tx, account: UUID, key: UUID, at: datetime) -> bool:
    """Record that the owner of an API key was notified that the key ends soon. Return False if this was recorded before."""
    return bool(
        await tx.run(
            "UPDATE api_keys SET end_told_at = %s WHERE account_id = %s AND key_id = %s"
            " AND end_told_at IS NULL AND ended_at IS NULL",
            at,
            account,
            key,
        )
    )


async def end_api_key(
    tx: Tx, account: UUID, key: UUID, at: datetime
) -> tuple[ApiKeyView | None, bool]:
    """End an API key.  Return the key, or None if it does not exist, and whether it was in use."""
    ended = await tx.run(
        "UPDATE api_keys SET ended_at = %s"
        " WHERE account_id = %s AND key_id = %s AND ended_at IS NULL",
        at,
        account,
        key,
    )
    return await api_key_view(tx, account, key), bool(ended)


async def api_key_view(tx: ReadTx, account: UUID, key: UUID) -> ApiKeyView | None:
    """Return an API key as its owner sees it; None if it does not exist."""
    return await tx.one_as(
        _KEYS,
        f"SELECT {_KEY_COLUMNS} FROM api_keys k WHERE account_id = %s AND key_id = %s",  # noqa: S608
        account,
        key,
    )


async def set_language(tx: Tx, account: UUID, language: str) -> None:
    """Set the language of an account."""
    await tx.run("UPDATE accounts SET language = %s WHERE account_id = %s", language, account)


async def role_of(tx: Tx, account: UUID, member: UUID) -> str | None:
    """Return the role of a person in an organization; None if the person has no role there."""
    found = await tx.value(
        "SELECT role FROM memberships WHERE account_id = %s AND member_id = %s"
        " AND ended_at IS NULL",
        account,
        member,
    )
    assert found is None or isinstance(found, str)
    return found


async def lock_staff(tx: Tx, account: UUID) -> None:
    """Lock all roles of staff, and lock this account against new passkeys, until the transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(16004, 0)")
    await tx.run("SELECT 1 FROM accounts WHERE account_id = %s FOR NO KEY UPDATE", account)


async def staff_roles_of(tx: ReadTx, account: UUID) -> list[str]:
    """Return the roles of staff of an account."""
    found = await tx.value(
        "SELECT coalesce(array_agg(role ORDER BY role), '{}') FROM staff_roles"
        " WHERE account_id = %s AND ended_at IS NULL",
        account,
    )
    assert isinstance(found, list)
    return found


async def count_supervisors(tx: ReadTx) -> int:
    """Count the supervisors."""
    found = await tx.value(
        "SELECT count(*) FROM staff_roles WHERE role = 'supervisor' AND ended_at IS NULL"
    )
    assert isinstance(found, int)
    return found


async def all_staff(tx: ReadTx) -> list[StaffOfAddress]:
    """Return every member of staff, ordered by mail address."""
    return await tx.all_as(
        _STAFF,
        "SELECT account_id AS account, a.email, array_agg(s.role ORDER BY s.role) AS roles"
        " FROM staff_roles s JOIN accounts a USING (account_id)"
        " WHERE s.ended_at IS NULL GROUP BY account_id, a.email ORDER BY a.email",
    )


async def insert_staff_role(tx: Tx, account: UUID, grant: UUID, role: str) -> None:
    """Give an account a role of staff; `grant` is the id of the new row."""
    await tx.run(
        "INSERT INTO staff_roles (account_id, grant_id, role) VALUES (%s, %s, %s)",
        account,
        grant,
        role,
    )


async def end_staff_role(tx: Tx, account: UUID, role: str) -> UUID:
    """End a role of staff of an account; return the id of the row that gave the role."""
    found = await tx.value(
        "UPDATE staff_roles SET ended_at = now() WHERE account_id = %s AND role = %s"
        " AND ended_at IS NULL RETURNING grant_id",
        account,
        role,
    )
    assert isinstance(found, UUID)
    return found


async def moment(tx: ReadTx) -> datetime:
    """Return the time at which the transaction began, by the clock of the database."""
    found = await tx.value("SELECT now()")
    assert isinstance(found, datetime)
    return found


async def passkey_credentials(tx: ReadTx, account: UUID) -> list[bytes]:
    """Return the credential ids of the passkeys in use of an account."""
    found = await tx.value(
        "SELECT coalesce(array_agg(credential_id), '{}') FROM passkeys"
        " WHERE account_id = %s AND ended_at IS NULL",
        account,
    )
    assert isinstance(found, list)
    return found


async def count_passkeys(tx: Tx, account: UUID) -> int:
    """Lock the account against new passkeys until the transaction ends, and count its passkeys in use."""
    await tx.run("SELECT 1 FROM accounts WHERE account_id = %s FOR NO KEY UPDATE", account)
    found = await tx.value(
        "SELECT count(*) FROM passkeys WHERE account_id = %s AND ended_at IS NULL", account
    )
    assert isinstance(found, int)
    return found


async def claim_credential(tx: Tx, account: UUID, credential: bytes) -> UUID:
    """Bind a credential to an account, unless another account has it.  Return the account that has the credential."""
    found = await tx.value(
        "INSERT INTO passkey_directory (credential_id, account_id) VALUES (%s, %s)"
        " ON CONFLICT ON CONSTRAINT passkey_directory_pkey"
        " DO UPDATE SET credential_id = excluded.credential_id RETURNING account_id",
        credential,
        account,
    )
    assert isinstance(found, UUID)
    return found


async def insert_passkey(
    tx: Tx,
    account: UUID,
    passkey: StoredPasskey,
    credential: bytes,
    name: str,
    at: datetime,
) -> bool:
    """Insert a passkey.  Return False if the account has, or had, a passkey with this credential."""
    return bool(
        await tx.run(
            "INSERT INTO passkeys (account_id, passkey_id, credential_id, public_key, name,"
            " sign_count, made_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT ON CONSTRAINT passkey_is_of_one_credential DO NOTHING",
            account,
            passkey.passkey_id,
            credential,
            passkey.public_key,
            name,
            passkey.sign_count,
            at,
        )
    )


async def passkeys(tx: ReadTx, account: UUID) -> list[PasskeyView]:
    """Return the passkeys in use of an account, the newest first."""
    return await tx.all_as(
        _PASSKEYS,
        "SELECT passkey_id AS id, name, made_at, last_used_at FROM passkeys"
        " WHERE account_id = %s AND ended_at IS NULL ORDER BY passkey_id DESC",
        account,
    )


async def passkey(tx: Tx, account: UUID, credential: bytes) -> StoredPasskey | None:
    """Return the passkey of a credential, locked until the transaction ends; None if the account has no such passkey."""
    return await tx.one_as(
        _STORED_PASSKEYS,
        "SELECT passkey_id, public_key, sign_count FROM passkeys"
        " WHERE account_id = %s AND credential_id = %s AND ended_at IS NULL FOR UPDATE",
        account,
        credential,
    )


async def note_passkey_use(
    tx: Tx, account: UUID, passkey: UUID, sign_count: int, at: datetime
) -> None:
    """Record the use of a passkey with its signature counter."""
    await tx.run(
        "UPDATE passkeys SET sign_count = %s, last_used_at = %s"
        " WHERE account_id = %s AND passkey_id = %s",
        sign_count,
        at,
        account,
        passkey,
    )


async def end_passkey(
    tx: Tx, account: UUID, passkey: UUID, at: datetime
) -> tuple[str | None, bool]:
    """End a passkey and free its credential. Return the name of the passkey (None if it was not in use), and whether the
    passkey exists.
    """
    row = await tx.one(
        "UPDATE passkeys SET ended_at = %s"
        " WHERE account_id = %s AND passkey_id = %s AND ended_at IS NULL RETURNING name, credential_id",
        at,
        account,
        passkey,
    )
    name = row["name"] if row is not None else None
    if row is not None:
        await tx.run(
            "DELETE FROM passkey_directory WHERE credential_id = %s AND account_id = %s",
            row["credential_id"],
            account,
        )
    found = await tx.value(
        "SELECT 1 FROM passkeys WHERE account_id = %s AND passkey_id = %s", account, passkey
    )
    assert name is None or isinstance(name, str)
    return name, found is not None


async def answer_challenge(tx: Tx, account: UUID, challenge: UUID, at: datetime) -> bool:
    """Record that a challenge of a passkey was answered. Return False if this was recorded before."""
    return bool(
        await tx.run(
            "INSERT INTO passkey_challenges (account_id, challenge_id, answered_at)"
            " VALUES (%s, %s, %s) ON CONFLICT ON CONSTRAINT passkey_challenges_pkey DO NOTHING",
            account,
            challenge,
            at,
        )
    )


# -- organizations, their members and invitations ------------------------------------------------

_ORGANIZATION = """
SELECT account_id AS account, name, npwp, nib, warns, state, made_at FROM organizations
"""
# The month is the calendar month in WIB.
_MEMBER = """
SELECT m.membership_id AS id, m.member_id AS person, m.role, m.given_at, m.stamps_per_month,
    (SELECT coalesce(sum(u.stamps - u.returned), 0)::integer FROM member_uses u
     WHERE u.account_id = m.account_id AND u.member_id = m.member_id AND u.used_at >=
        date_trunc('month', now() AT TIME ZONE 'Asia/Jakarta') AT TIME ZONE 'Asia/Jakarta') AS stamps_used
FROM memberships m WHERE m.account_id = %s AND m.ended_at IS NULL
"""
_INVITATION = """
SELECT account_id AS account, invitation_id AS id, email, role, stamps_per_month, secret_hash, state,
    made_at, expires_at
FROM invitations WHERE account_id = %s
"""
INVITATIONS_SENT_TO = """
SELECT account_id AS account, invitation_id AS id, email, role, stamps_per_month, secret_hash, state,
    made_at, expires_at
FROM invitations WHERE email = %s AND state = 'sent'
"""


async def insert_organization(
    tx: Tx, made: Organization, language: str, *, numbers: Sequence[str]
) -> bool:
    """Make the account of an organization; `numbers` are its NPWP and NIB.  Return False if the id exists already."""
    is_new = await tx.run(
        "INSERT INTO accounts (account_id, language) VALUES (%s, %s)"
        " ON CONFLICT ON CONSTRAINT accounts_pkey DO NOTHING",
        made.account,
        language,
    )
    if is_new:
        await tx.run(
            "INSERT INTO organizations (account_id, name, npwp, nib, warns, state, made_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            made.account,
            made.name,
            *numbers,
            list(made.warns),
            made.state,
            made.made_at,
        )
    return bool(is_new)


async def organization(tx: ReadTx, account: UUID) -> Organization | None:
    """Return the organization of an account; None for the account of a person."""
    return await tx.one_as(_ORGANIZATIONS, _ORGANIZATION + "WHERE account_id = %s", account)


async def waiting_organizations(tx: ReadTx, limit: int) -> list[Organization]:
    """Return organizations that wait for approval, the longest waiting first."""
    query = _ORGANIZATION + "WHERE state = 'waiting' ORDER BY made_at LIMIT %s"
    return await tx.all_as(_ORGANIZATIONS, query, limit)


async def lock_organization(tx: Tx, account: UUID) -> Organization | None:
    """Return an organization, locked against changes of its members until the transaction ends; None if it does not exist."""
    query = _ORGANIZATION + "WHERE account_id = %s FOR NO KEY UPDATE"
    return await tx.one_as(_ORGANIZATIONS, query, account)


async def set_organization_state(tx: Tx, account: UUID, state: OrganizationState) -> None:
    """Set the state of an organization."""
    await tx.run("UPDATE organizations SET state = %s WHERE account_id = %s", state, account)


PLACES = """
SELECT m.account_id AS account, o.name, o.state, m.role
FROM memberships m JOIN organizations o ON o.account_id = m.account_id
WHERE m.member_id = %s AND m.ended_at IS NULL ORDER BY o.name, m.account_id LIMIT %s
"""


async def places_of(tx: ReadTx, person: UUID, limit: int) -> list[PlaceOf]:
    """Return the organizations in which a person has a role."""
    return await tx.all_as(_PLACES, PLACES, person, limit)


async def count_places(tx: Tx, person: UUID) -> int:
    """Lock a person against new roles until the transaction ends, and count the roles that the person has."""
    await tx.run("SELECT 1 FROM accounts WHERE account_id = %s FOR NO KEY UPDATE", person)
    found = await tx.value(
        "SELECT count(*) FROM memberships WHERE member_id = %s AND ended_at IS NULL", person
    )
    assert isinstance(found, int)
    return found


async def members(tx: ReadTx, account: UUID, limit: int) -> list[Member]:
    """Return the members of an organization, the earliest first."""
    return await tx.all_as(_MEMBERS, _MEMBER + "ORDER BY m.membership_id LIMIT %s", account, limit)


async def member(tx: ReadTx, account: UUID, membership: UUID) -> Member | None:
    """Return a member by the id of its membership; None if no such membership is in force."""
    return await tx.one_as(_MEMBERS, _MEMBER + "AND m.membership_id = %s", account, membership)


async def member_of_person(tx: ReadTx, account: UUID, person: UUID) -> Member | None:
    """Return the membership of a person in an organization; None if the person has no role there."""
    return await tx.one_as(_MEMBERS, _MEMBER + "AND m.member_id = %s", account, person)


async def count_members(tx: ReadTx, account: UUID, *roles: Role) -> int:
    """Count the members of an organization with one of these roles."""
    found = await tx.value(
        "SELECT count(*) FROM memberships WHERE account_id = %s AND role = ANY (%s)"
        " AND ended_at IS NULL",
        account,
        list(roles),
    )
    assert isinstance(found, int)
    return found


async def insert_membership(
    tx: Tx, account: UUID, membership: UUID, member: UUID, role: str, limit: int | None
) -> None:
    """Give a person a role in an organization, with a limit of stamps per month."""
    await tx.run(
        "INSERT INTO memberships (account_id, membership_id, member_id, role, stamps_per_month)"
        " VALUES (%s, %s, %s, %s, %s)",
        account,
        membership,
        member,
        role,
        limit,
    )


async def set_limit(tx: Tx, account: UUID, membership: UUID, limit: int | None) -> None:
    """Set the monthly limit of stamps of a member."""
    await tx.run(
        "UPDATE memberships SET stamps_per_month = %s WHERE account_id = %s AND membership_id = %s",
        limit,
        account,
        membership,
    )


async def end_membership(tx: Tx, account: UUID, member: UUID) -> UUID | None:
    """End the role of a person in an organization.  Return the id of the membership; None if none was in force."""
    found = await tx.value(
        "UPDATE memberships SET ended_at = now() WHERE account_id = %s AND member_id = %s"
        " AND ended_at IS NULL RETURNING membership_id",
        account,
        member,
    )
    assert found is None or isinstance(found, UUID)
    return found


async def owner_of(tx: ReadTx, account: UUID) -> UUID | None:
    """Return the longest-serving owner of an organization, who gets its mails; None if there is no owner."""
    found = await tx.value(
        "SELECT member_id FROM memberships WHERE account_id = %s AND role = 'owner'"
        " AND ended_at IS NULL ORDER BY membership_id LIMIT 1",
        account,
    )
    assert found is None or isinstance(found, UUID)
    return found


async def use_stamps(tx: Tx, account: UUID, member: UUID, uses: Mapping[UUID, int]) -> None:
    """Count stamps against the limit of a member; see sql/functions/member_stamps_use.sql."""
    counted = {str(use): stamps for use, stamps in uses.items()}
    await tx.run("SELECT member_stamps_use(%s, %s, %s)", account, member, jsonb(counted))


async def insert_invitation(tx: Tx, made: Invitation) -> None:
    """Insert an invitation."""
    await tx.run(
        "INSERT INTO invitations (account_id, invitation_id, email, role, stamps_per_month,"
        " secret_hash, made_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        made.account,
        made.id,
        made.email,
        made.role,
        made.stamps_per_month,
        made.secret_hash,
        made.made_at,
        made.expires_at,
    )


async def invitations(tx: ReadTx, account: UUID, at: datetime, limit: int) -> list[Invitation]:
    """Return the open invitations of an organization, the newest first."""
    query = _INVITATION + (
        "AND state = 'sent' AND expires_at > %s ORDER BY invitation_id DESC LIMIT %s"
    )
    return await tx.all_as(_INVITATIONS, query, account, at, limit)


async def invitation(tx: ReadTx, account: UUID, invitation: UUID) -> Invitation | None:
    """Return an invitation by its id; None if it does not exist."""
    return await tx.one_as(
        _INVITATIONS, _INVITATION + "AND invitation_id = %s", account, invitation
    )


async def invitation_to(tx: ReadTx, account: UUID, email: str) -> Invitation | None:
    """Return the invitation of an organization to an address that was not accepted, withdrawn or replaced; it may have expired.
    None if there is no such invitation.
    """
    query = _INVITATION + "AND email = %s AND state = 'sent'"
    return await tx.one_as(_INVITATIONS, query, account, email)


async def count_invitations(tx: ReadTx, account: UUID, since: datetime) -> int:
    """Count the invitations that an organization has sent since a given time."""
    found = await tx.value(
        "SELECT count(*) FROM invitations WHERE account_id = %s AND made_at > %s", account, since
    )
    assert isinstance(found, int)
    return found


async def count_invitations_to(tx: ReadTx, email: str, since: datetime) -> int:
    """Count the invitations that all organizations together have sent to an address since a given time."""
    found = await tx.value(
        "SELECT count(*) FROM invitations WHERE email = %s AND made_at > %s", email, since
    )
    assert isinstance(found, int)
    return found


async def end_invitation(tx: Tx, account: UUID, invitation: UUID, state: InvitationState) -> bool:
    """End an invitation with the final state `state`.  Return False if it had ended before."""
    return bool(
        await tx.run(
            "UPDATE invitations SET state = %s, ended_at = now()"
            " WHERE account_id = %s AND invitation_id = %s AND state = 'sent'",
            state,
            account,
            invitation,
        )
    )


# -- erasure of a person ---------------------------------------------------------------------------


async def is_erased(tx: ReadTx, account: UUID) -> bool:
    """True if the person to whom an account belongs was erased."""
    found = await tx.value(
        "SELECT 1 FROM accounts WHERE account_id = %s AND erased_at IS NOT NULL", account
    )
    return found is not None


async def organizations_ever(tx: ReadTx, person: UUID) -> list[UUID]:
    """Return the organizations in which a person has a role, or had one within a year."""
    found = await tx.value(
        "SELECT coalesce(array_agg(DISTINCT account_id), '{}') FROM memberships WHERE member_id = %s",
        person,
    )
    assert isinstance(found, list)
    return found


async def people_after(tx: ReadTx, account: UUID | None, limit: int) -> list[UUID]:
    """Return up to `limit` accounts of people (not organizations) in the order of their ids: those after the id `account`, or
    the first ones if `account` is None.
    """
    found = await tx.value(
        "SELECT coalesce(array_agg(account_id), '{}') FROM (SELECT account_id FROM accounts"
        " WHERE email IS NOT NULL AND (%s::uuid IS NULL OR account_id > %s) ORDER BY account_id LIMIT %s) a",
        account,
        account,
        limit,
    )
    assert isinstance(found, list)
    return found


async def open_keys(tx: Tx, account: UUID) -> list[UUID]:
    """Lock the account against new API keys until the transaction ends, and return the keys that have not ended."""
    await tx.run("SELECT 1 FROM accounts WHERE account_id = %s FOR NO KEY UPDATE", account)
    found = await tx.value(
        "SELECT coalesce(array_agg(key_id), '{}') FROM api_keys WHERE account_id = %s AND ended_at IS NULL",
        account,
    )
    assert isinstance(found, list)
    return found


async def invitations_sent_to(tx: ReadTx, email: str) -> list[Invitation]:
    """Return the invitations to an address that were not accepted, withdrawn or replaced."""
    return await tx.all_as(_INVITATIONS, INVITATIONS_SENT_TO, email)


async def forget_address(tx: Tx, account: UUID, email: str) -> None:
    """Remove a mail address from the directory of addresses; a sign-in with this address waits until the transaction ends."""
    await tx.run("DELETE FROM email_directory WHERE email = %s AND account_id = %s", email, account)


async def set_erased(tx: Tx, account: UUID) -> None:
    """Remove the mail address from an account permanently, and mark its person as erased."""
    await tx.run(
        "UPDATE accounts SET email = NULL, erased_at = now() WHERE account_id = %s AND erased_at IS NULL",
        account,
    )
