"""SQL of refunds, one function for each statement."""

from datetime import datetime
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.periodic import not_paused
from meterai.refunds.model import (
    ANSWERS_WITHIN_SECONDS,
    AccountClaim,
    AccountClaimState,
    AskedRefund,
    ClaimLink,
    ClaimLinkState,
    HeldFor,
    WantedAccount,
)

NOT_EXECUTED = "SELECT order_return_unexecuted(%s, %s, %s, %s, %s) AS state"
UNUSED = "SELECT order_return_unused(%s, %s, %s, %s, %s, %s, %s)"
ASK = "SELECT given, id, request FROM refund_ask(%s, %s, %s, %s, %s, %s, %s)"
SURPLUS = "SELECT order_return_surplus(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_ASKED_REFUNDS = RowMapper(AskedRefund)
RENEWING = "renew_claim_links"
_LINK = "account_id AS account, link_id AS id, refund_id AS refund, expires_at, state"
_CLAIM = (
    "account_id AS account, claim_id AS id, request_hash AS request, link_id AS link, asked_at, state, bank_code,"
    " account_no, typed, confirmed, held_for, decided_at"
)
_LINKS = RowMapper(ClaimLink)
_CLAIMS = RowMapper(AccountClaim)
_EXPIRED = f"""
SELECT {_LINK} FROM claim_links o
WHERE state = 'open' AND expires_at <= now() AND {not_paused(RENEWING, "link_id")}
ORDER BY expires_at LIMIT %s
"""  # noqa: S608 - columns are a constant
_OF_DAY = """
SELECT count(*) FROM account_claims
WHERE account_id = %s AND asked_at > now() - interval '1 day' AND state <> 'unanswered'
    AND (state <> 'asked' OR asked_at > now() - make_interval(secs => %s))
"""

_OF_HOUR = """
SELECT count(*) FROM account_claims
WHERE asked_at > now() - interval '1 hour' AND state <> 'held' AND state <> 'unanswered'
"""
_ASK_AGAIN = f"""
UPDATE account_claims SET state = %s, link_id = %s, asked_at = now(), decided_at = NULL
WHERE account_id = %s AND claim_id = %s AND state = %s RETURNING {_CLAIM}
"""  # noqa: S608
_DECIDE = f"""
UPDATE account_claims SET state = %s, confirmed = %s, held_for = coalesce(%s, held_for), decided_at = now()
WHERE account_id = %s AND claim_id = %s AND state = %s RETURNING {_CLAIM}
"""  # noqa: S608


async def not_executed(
    tx: Tx, account: UUID, order: UUID, refund: UUID, number: str, due_at: datetime
) -> None:
    """Begin the refund of a paid order, unless the order was executed by now."""
    await tx.run(NOT_EXECUTED, account, order, refund, number, due_at)


async def surplus(
    tx: Tx,
    account: UUID,
    refund_id: UUID,
    *,
    cause_key: str,
    cause: str,
    order: UUID,
    attempt: UUID,
    payment: str,
    amount: int,
    number: str,
    due_at: datetime,
) -> int:
    """Begin the refund of `amount` rupiah of a payment, or of the part that is neither used nor refunded yet, if that is less.
    Return the rupiah of the refund; 0 if no refund began.
    """
    found = await tx.value(
        SURPLUS,
        account,
        refund_id,
        cause_key,
        cause,
        order,
        attempt,
        payment,
        amount,
        number,
        due_at,
    )
    assert isinstance(found, int)
    return found


async def ask(
    tx: Tx,
    account: UUID,
    order: UUID,
    refund: UUID,
    *,
    number: str,
    due_at: datetime,
    key: str | None,
    request: bytes,
) -> AskedRefund | None:
    """Request the refund of the unused stamps of an order; None if it has no unused stamp and no requested refund."""
    return await tx.one_as(
        _ASKED_REFUNDS, ASK, account, order, refund, number, due_at, key, request
    )


async def unused(
    tx: Tx,
    account: UUID,
    order: UUID,
    refund_id: UUID,
    *,
    cause_key: str,
    cause: str,
    number: str,
    due_at: datetime,
) -> int:
    """Give the unused stamps of an order back and begin their refund; return the number of stamps."""
    found = await tx.value(UNUSED, account, order, refund_id, cause_key, cause, number, due_at)
    assert isinstance(found, int)
    return found


# -- bank accounts that buyers name --------------------------------------------------------------


async def lock_claims(tx: Tx, account: UUID) -> None:
    """Lock the account claims and claim links of this buyer until the transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(16024, hashtext(%s))", str(account))


async def lock_bank_account(tx: Tx, bank_code: str, account_no: str) -> None:
    """Lock this bank account until the transaction ends, so that concurrent claims of other buyers to it are decided
    afterwards.

    Must be called after `lock_claims`, never before.
    """
    await tx.run("SELECT pg_advisory_xact_lock(16025, hashtext(%s))", f"{bank_code} {account_no}")


async def buyers_held(tx: ReadTx, account: UUID, bank_code: str, account_no: str) -> int:
    """The number of buyers other than `account` whose claim to this bank account is held for a decision by staff."""
    found = await tx.value(
        "SELECT count(DISTINCT account_id) FROM account_claims"
        " WHERE state = 'held' AND bank_code = %s AND account_no = %s AND account_id <> %s",
        bank_code,
        account_no,
        account,
    )
    assert isinstance(found, int)
    return found


async def claim_link(tx: ReadTx, account: UUID, link_id: UUID) -> ClaimLink | None:
    """The claim link with this id; None if the account has no such link."""
    return await tx.one_as(
        _LINKS,
        f"SELECT {_LINK} FROM claim_links WHERE account_id = %s AND link_id = %s",  # noqa: S608
        account,
        link_id,
    )


async def open_claim_link(tx: ReadTx, account: UUID) -> ClaimLink | None:
    """The open claim link of an account, even if it has expired; None if no link is open."""
    return await tx.one_as(
        _LINKS,
        f"SELECT {_LINK} FROM claim_links WHERE account_id = %s AND state = 'open'",  # noqa: S608
        account,
    )


async def expired_claim_links(tx: ReadTx, limit: int) -> list[ClaimLink]:
    """Open claim links that have expired, the oldest expiry first."""
    return await tx.all_as(_LINKS, _EXPIRED, limit)


async def insert_claim_link(
    tx: Tx, account: UUID, link_id: UUID, refund: UUID, expires_at: datetime
) -> None:
    """Insert an open claim link."""
    await tx.run(
        "INSERT INTO claim_links (account_id, link_id, refund_id, expires_at) VALUES (%s, %s, %s, %s)",
        account,
        link_id,
        refund,
        expires_at,
    )


async def end_claim_link(tx: Tx, account: UUID, used: UUID | None) -> None:
    """End the open claim link of an account: as used if its id is `used`, else as spent."""
    await tx.run(
        "UPDATE claim_links SET state = CASE WHEN link_id = %s THEN %s ELSE %s END, ended_at = now()"
        " WHERE account_id = %s AND state = 'open'",
        used,
        ClaimLinkState.USED,
        ClaimLinkState.SPENT,
        account,
    )


async def account_claim(tx: ReadTx, account: UUID, claim_id: UUID) -> AccountClaim | None:
    """The account claim with this id; None if the account has no such claim."""
    return await tx.one_as(
        _CLAIMS,
        f"SELECT {_CLAIM} FROM account_claims WHERE account_id = %s AND claim_id = %s",  # noqa: S608
        account,
        claim_id,
    )


async def account_claim_by_key(tx: ReadTx, account: UUID, key: str) -> AccountClaim | None:
    """The account claim with this Idempotency-Key; None if the account has no such claim."""
    return await tx.one_as(
        _CLAIMS,
        f"SELECT {_CLAIM} FROM account_claims WHERE account_id = %s AND claim_key = %s",  # noqa: S608
        account,
        key,
    )


async def has_held_claim(tx: ReadTx, account: UUID) -> bool:
    """True if an account claim of this buyer is held for a decision by staff."""
    found = await tx.value(
        "SELECT EXISTS (SELECT 1 FROM account_claims WHERE account_id = %s AND state = 'held')",
        account,
    )
    return bool(found)


async def account_claims_by_id(tx: ReadTx, claim_id: UUID) -> list[AccountClaim]:
    """A list with the account claim of this id, of any account; empty if there is no such claim."""
    return await tx.all_as(
        _CLAIMS,
        f"SELECT {_CLAIM} FROM account_claims WHERE claim_id = %s",  # noqa: S608
        claim_id,
    )


async def held_account_claims(tx: ReadTx, limit: int) -> list[AccountClaim]:
    """Account claims that are held for a decision by staff, oldest first."""
    return await tx.all_as(
        _CLAIMS,
        f"SELECT {_CLAIM} FROM account_claims WHERE state = 'held' ORDER BY asked_at LIMIT %s",  # noqa: S608
        limit,
    )


async def held_account_claim(tx: ReadTx, account: UUID) -> AccountClaim | None:
    """The newest account claim of a buyer that is held for a decision by staff; None if no claim is held."""
    return await tx.one_as(
        _CLAIMS,
        f"SELECT {_CLAIM} FROM account_claims WHERE account_id = %s AND state = 'held'"  # noqa: S608
        " ORDER BY asked_at DESC LIMIT 1",
        account,
    )


async def account_tries_of_day(tx: ReadTx, account: UUID) -> int:
    """The number of account claims of a buyer within the last day, without those that a bank left unanswered."""
    found = await tx.value(_OF_DAY, account, ANSWERS_WITHIN_SECONDS)
    assert isinstance(found, int)
    return found


async def account_tries_of_hour(tx: Tx) -> int:
    """The number of account claims of all buyers within the last hour, without held and unanswered claims.

    Takes a lock until the transaction ends, so that concurrent claims are counted one after the other.
    """
    await tx.run("SELECT pg_advisory_xact_lock(16026, 0)")
    found = await tx.value(_OF_HOUR)
    assert isinstance(found, int)
    return found


async def insert_account_claim(
    tx: Tx, account: UUID, claim_id: UUID, key: str, wanted: WantedAccount, link_id: UUID | None
) -> None:
    """Insert an account claim, before its bank is queried."""
    await tx.run(
        "INSERT INTO account_claims (account_id, claim_id, claim_key, request_hash, link_id, bank_code, account_no, typed)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        account,
        claim_id,
        key,
        wanted.digest,
        link_id,
        wanted.bank_code,
        wanted.account_no,
        wanted.holder,
    )


async def ask_account_claim_again(
    tx: Tx, of: AccountClaim, state: AccountClaimState, link_id: UUID | None
) -> AccountClaim:
    """Record that the bank is queried again about the holder of an account claim; return the updated claim."""
    found = await tx.one_as(_CLAIMS, _ASK_AGAIN, state, link_id, of.account, of.id, of.state)
    assert found is not None, "its buyer is locked"
    return found


async def decide_account_claim(
    tx: Tx,
    of: AccountClaim,
    state: AccountClaimState,
    confirmed: str,
    held_for: HeldFor | None = None,
) -> AccountClaim:
    """Record the outcome of an account claim; return the updated claim."""
    found = await tx.one_as(
        _CLAIMS,
        _DECIDE,
        state,
        confirmed,
        held_for,
        of.account,
        of.id,
        of.state,
    )
    assert found is not None, "its buyer is locked"
    return found
