"""SQL of outage records, one function for each query."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from meterai.outages.model import Findings, Outage, OutageState
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.periodic import not_paused

SEALING = "seal_outages"
LISTED_MAX = 200  # records shown at once
_SELECT = """
SELECT outage_id AS id, state, begins_at, ends_at, incident_id AS incident, replaces_id AS replaces, findings,
    findings_sha256, proposed_by, proposed_at, confirmed_at, sealed_at, ended_at
FROM outages o
"""
_ONE = f"{_SELECT} WHERE outage_id = %s"
_LOCKED = f"{_SELECT} WHERE outage_id = %s FOR UPDATE"
_NEWEST = f"{_SELECT} ORDER BY begins_at DESC, outage_id DESC LIMIT %s"
_PUBLIC = f"{_SELECT} WHERE sealed_at IS NOT NULL ORDER BY begins_at DESC, outage_id DESC LIMIT %s"
_AT = f"{_SELECT} WHERE sealed_at IS NOT NULL AND state = 'confirmed' AND begins_at <= %s AND ends_at > %s"
_OF_INCIDENT = f"{_SELECT} WHERE incident_id = %s ORDER BY outage_id"
_WAITING = f"""
{_SELECT} WHERE state = 'proposed' OR (confirmed_at < now() - interval '1 minute' AND sealed_at IS NULL)
ORDER BY proposed_at LIMIT %s
"""
_AFTER = f"{_SELECT} WHERE outage_id > %s AND proposed_at >= %s ORDER BY outage_id LIMIT %s"
_REPLACING = f"{_SELECT} WHERE replaces_id = %s AND confirmed_at IS NOT NULL"
# A record belongs to no account: its failed sealings are kept under the nil account.
_NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"
_TO_SEAL = f"""
{_SELECT} WHERE confirmed_at IS NOT NULL AND sealed_at IS NULL
    AND {not_paused(SEALING, "outage_id").replace("o.account_id", _NOBODY)}
ORDER BY confirmed_at LIMIT %s
"""
_INSERT = """
INSERT INTO outages (outage_id, begins_at, ends_at, incident_id, replaces_id, findings, findings_sha256, proposed_by,
    proposed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_MOVE = """
UPDATE outages SET state = %s, confirmed_at = coalesce(confirmed_at, %s), ended_at = %s WHERE outage_id = %s
"""
_SEALED = "UPDATE outages SET sealed_at = %s WHERE outage_id = %s"
_INSERT_FILE = "INSERT INTO outage_files (outage_id, file, sha256, content, added_at) VALUES (%s, %s, %s, %s, %s)"
_FILE = "SELECT content FROM outage_files WHERE outage_id = %s AND file = %s"
_SHA256 = "SELECT sha256 FROM outage_files WHERE outage_id = %s AND file = %s"


def _findings(found: Any) -> Findings:
    return msgspec.convert(found, Findings)


_OUTAGES = RowMapper(Outage, findings=_findings)


async def one(tx: ReadTx, outage: UUID) -> Outage | None:
    """Return one outage record in any state; None if it does not exist."""
    return await tx.one_as(_OUTAGES, _ONE, outage)


async def locked(tx: Tx, outage: UUID) -> Outage | None:
    """Lock and return one outage record; None if it does not exist."""
    return await tx.one_as(_OUTAGES, _LOCKED, outage)


async def newest(tx: ReadTx, limit: int = LISTED_MAX) -> Sequence[Outage]:
    """Return outage records in any state, sorted by the time that they cover, the latest first."""
    return await tx.all_as(_OUTAGES, _NEWEST, limit)


async def public(tx: ReadTx, limit: int = LISTED_MAX) -> Sequence[Outage]:
    """Return public outage records, sorted by the time that they cover, the latest first."""
    return await tx.all_as(_OUTAGES, _PUBLIC, limit)


async def public_at(tx: ReadTx, at: datetime) -> Outage | None:
    """Return the public record that covers a moment and was not replaced; None if no such record exists."""
    return await tx.one_as(_OUTAGES, _AT, at, at)


async def of_incident(tx: ReadTx, incident: UUID) -> Sequence[Outage]:
    """Return the outage records that name an incident."""
    return await tx.all_as(_OUTAGES, _OF_INCIDENT, incident)


async def waiting(tx: ReadTx, limit: int) -> Sequence[Outage]:
    """Return proposals, and records that were confirmed over a minute ago and are not sealed yet, the oldest first."""
    return await tx.all_as(_OUTAGES, _WAITING, limit)


async def after(
    tx: ReadTx, last: UUID, since: datetime, limit: int = LISTED_MAX
) -> Sequence[Outage]:
    """Return outage records in any state, proposed after the moment `since`, with ids after `last`, in the order of ids."""
    return await tx.all_as(_OUTAGES, _AFTER, last, since, limit)


async def replacing(tx: ReadTx, outage: UUID) -> Outage | None:
    """Return the confirmed record that replaced this one; None if it was not replaced."""
    return await tx.one_as(_OUTAGES, _REPLACING, outage)


async def to_seal(tx: ReadTx, limit: int) -> Sequence[Outage]:
    """Return confirmed records that are not sealed yet, the oldest first."""
    return await tx.all_as(_OUTAGES, _TO_SEAL, limit)


async def insert(tx: Tx, outage: Outage, files: Mapping[str, bytes]) -> None:
    """Insert a proposal with its readings."""
    await tx.run(
        _INSERT,
        outage.id,
        outage.begins_at,
        outage.ends_at,
        outage.incident,
        outage.replaces,
        jsonb(msgspec.to_builtins(outage.findings)),
        outage.findings_sha256,
        outage.proposed_by,
        outage.proposed_at,
    )
    await add_files(tx, outage.id, files, outage.proposed_at)


async def add_files(tx: Tx, outage: UUID, files: Mapping[str, bytes], at: datetime) -> None:
    """Insert files of an outage record; the keys of `files` are their names."""
    for name, content in files.items():
        await tx.run(_INSERT_FILE, outage, name, hashlib.sha256(content).digest(), content, at)


async def move(tx: Tx, outage: UUID, state: OutageState, at: datetime) -> None:
    """Set the state of a locked record, and the time of that state."""
    is_confirmed = state == OutageState.CONFIRMED
    await tx.run(_MOVE, state, at if is_confirmed else None, None if is_confirmed else at, outage)


async def sealed(tx: Tx, outage: UUID, at: datetime) -> None:
    """Store that a record is sealed, which makes it public."""
    await tx.run(_SEALED, at, outage)


async def file(tx: ReadTx, outage: UUID, name: str) -> bytes | None:
    """Return a file of a record; None if it does not exist."""
    row = await tx.one(_FILE, outage, name)
    return bytes(row["content"]) if row else None


async def sha256_of_file(tx: ReadTx, outage: UUID, name: str) -> str:
    """Return the SHA-256 of a stored file, in hexadecimal."""
    return bytes(await tx.value(_SHA256, outage, name)).hex()
