"""SQL of accounts, one function per question."""

from datetime import datetime
from uuid import UUID

from meterai.plumbing.database import Row, Tx


async def account_by_email(tx: Tx, email: str) -> UUID | None:
    """Whose address this is."""
    found = await tx.value("SELECT account_id FROM email_directory WHERE email = %s", email)
    assert found is None or isinstance(found, UUID)
    return found


async def insert_account(tx: Tx, account: UUID, email: str, language: str) -> UUID:
    """The account of an address, made if it is new."""
    row = await tx.one(
        "INSERT INTO email_directory (email, account_id) VALUES (%s, %s)"
        " ON CONFLICT ON CONSTRAINT email_directory_pkey DO UPDATE SET email = excluded.email"
        " RETURNING account_id",
        email,
        account,
    )
    assert row is not None
    owner: UUID = row["account_id"]
    await tx.run(
        "INSERT INTO accounts (account_id, email, language) VALUES (%s, %s, %s)"
        " ON CONFLICT ON CONSTRAINT accounts_pkey DO NOTHING",
        owner,
        email,
        language,
    )
    return owner


async def account(tx: Tx, account: UUID) -> Row | None:
    """Address and language of an account."""
    return await tx.one("SELECT email, language FROM accounts WHERE account_id = %s", account)


async def codes_asked_since(tx: Tx, email: str, network: str, since: datetime) -> Row:
    """How many codes this address and this network asked for."""
    row = await tx.one(
        "SELECT count(*) FILTER (WHERE email = %s) AS by_email,"
        " count(*) FILTER (WHERE network = %s) AS by_network"
        " FROM sign_in_challenges WHERE created_at > %s AND (email = %s OR network = %s)",
        email,
        network,
        since,
        email,
        network,
    )
    assert row is not None
    return row


async def insert_challenge(
    tx: Tx, challenge: UUID, email: str, network: str, expires_at: datetime
) -> None:
    """Record that a code was asked for."""
    await tx.run(
        "INSERT INTO sign_in_challenges (challenge_id, email, network, expires_at)"
        " VALUES (%s, %s, %s, %s)",
        challenge,
        email,
        network,
        expires_at,
    )


async def try_challenge(tx: Tx, challenge: UUID) -> Row | None:
    """Count one try and return the challenge as it was before it."""
    return await tx.one(
        "UPDATE sign_in_challenges SET tries = tries + 1 WHERE challenge_id = %s"
        " RETURNING email, expires_at, used_at, tries - 1 AS tries",
        challenge,
    )


async def use_challenge(tx: Tx, challenge: UUID, at: datetime) -> bool:
    """Spend a challenge; false where somebody was faster."""
    return bool(
        await tx.run(
            "UPDATE sign_in_challenges SET used_at = %s"
            " WHERE challenge_id = %s AND used_at IS NULL",
            at,
            challenge,
        )
    )


async def insert_session(
    tx: Tx, account: UUID, session: UUID, secret_hash: bytes, expires_at: datetime
) -> None:
    """Begin a session."""
    await tx.run(
        "INSERT INTO sessions (account_id, session_id, secret_hash, expires_at)"
        " VALUES (%s, %s, %s, %s)",
        account,
        session,
        secret_hash,
        expires_at,
    )


SESSION = """
SELECT s.secret_hash, a.language FROM sessions s JOIN accounts a USING (account_id)
WHERE s.account_id = %s AND s.session_id = %s AND s.ended_at IS NULL AND s.expires_at > now()
"""
API_KEY = """
SELECT k.secret_hash, a.language FROM api_keys k JOIN accounts a USING (account_id)
WHERE k.account_id = %s AND k.key_id = %s AND k.ended_at IS NULL
"""


async def end_session(tx: Tx, account: UUID, session: UUID, at: datetime) -> None:
    """End a session."""
    await tx.run(
        "UPDATE sessions SET ended_at = %s WHERE account_id = %s AND session_id = %s",
        at,
        account,
        session,
    )


async def insert_api_key(tx: Tx, account: UUID, key: UUID, secret_hash: bytes, name: str) -> None:
    """Record a new API key."""
    await tx.run(
        "INSERT INTO api_keys (account_id, key_id, secret_hash, name) VALUES (%s, %s, %s, %s)",
        account,
        key,
        secret_hash,
        name,
    )


async def set_language(tx: Tx, account: UUID, language: str) -> None:
    """The language an account reads from now on."""
    await tx.run("UPDATE accounts SET language = %s WHERE account_id = %s", language, account)
