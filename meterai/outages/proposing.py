"""Propose an outage record from signed readings that are fetched from the watchers; confirm or withdraw the proposal."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from meterai import incidents, trail
from meterai.accounts import NOBODY
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id, show
from meterai.outages import store
from meterai.outages.adapters.folders import readings_of
from meterai.outages.model import (
    OUTAGE,
    OUTAGE_KIND,
    Findings,
    Outage,
    OutageEvent,
    OutageNone,
    OutageNotReplaced,
    OutageState,
    OutageUnknown,
    OutageUnmeasured,
    RecordWrong,
    WatchersNone,
    WatcherSource,
    check_time,
)
from meterai.outages.record import findings, packed, read_readings
from meterai.outages.rules import Derived, Signed, derive
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.readings import Watcher

READINGS = "readings/"  # prefix of the file name of a watcher's readings
_log = structlog.get_logger()


async def derived_from(
    watchers: Sequence[Watcher], begin: datetime, end: datetime, installation: str, now: datetime
) -> tuple[Outage, Mapping[str, bytes]]:
    """Derive a proposal about the time from `begin` to before `end`; return it and its packed readings, by watcher.

    Refuses `WatchersNone`, `OutageTimeWrong`, `OutageUnmeasured`, `OutageNone`.
    """
    check_time(begin, end, now)
    if not watchers:
        raise WatchersNone("no file of watchers is configured")
    found = await readings_of(watchers, begin, end)
    kept = await asyncio.to_thread(
        lambda: {one.name: _packed(one, found[one.name]) for one in watchers}
    )
    readings = {name: own for name, (_, own) in kept.items()}
    derived = await asyncio.to_thread(derive, readings, begin, end, installation)
    if not derived.is_measured:
        raise OutageUnmeasured(", ".join(name for name, own in readings.items() if not own))
    if not any(derived.failed.values()):
        raise OutageNone("no act failed")
    files = {name: content for name, (content, _) in kept.items()}
    keys = {one.name: one.public_key for one in watchers}
    told = _findings(installation, derived, keys, readings, files)
    return Outage(new_id(), begin, end, told, sha256_of(told), proposed_at=now), files


def sha256_of(told: Findings) -> bytes:
    """Return the SHA-256 of the findings of an outage record; staff confirm a record by this hash."""
    return hashlib.sha256(told.as_json()).digest()


def _findings(
    installation: str,
    derived: Derived,
    keys: Mapping[str, bytes],
    found: Mapping[str, Sequence[Signed]],
    files: Mapping[str, bytes],
) -> Findings:
    """Return derived findings in the form that is stored, with the key, number of readings and file hash of each watcher."""
    sources = [
        WatcherSource(name, key.hex(), len(found[name]), hashlib.sha256(files[name]).hexdigest())
        for name, key in keys.items()
    ]
    return findings(installation, derived, sources)


async def kept_readings(
    database: Database, outage: Outage, installation: str
) -> Mapping[str, bytes]:
    """Return the packed readings of a record, by watcher.

    Refuses `RecordWrong` if the confirmed findings do not follow from the readings.
    """
    files: dict[str, bytes] = {}
    for one in outage.findings.watchers:
        content = await database.once(store.file, outage.id, READINGS + one.name)
        files[one.name] = content or b""
    again = await asyncio.to_thread(_again, outage, files, installation)
    if {sha256_of(again), sha256_of(outage.findings)} != {outage.findings_sha256}:
        raise RecordWrong("the findings do not follow from the readings")
    return files


def _again(outage: Outage, files: Mapping[str, bytes], installation: str) -> Findings:
    try:
        keys = {one.name: bytes.fromhex(one.public_key) for one in outage.findings.watchers}
    except ValueError:
        raise RecordWrong("a key cannot be read") from None
    found = {name: read_readings(name, files[name], key) for name, key in keys.items()}
    derived = derive(found, outage.begins_at, outage.ends_at, installation)
    return _findings(installation, derived, keys, found, files)


def _packed(watcher: Watcher, readings: Sequence[Signed]) -> tuple[bytes, Sequence[Signed]]:
    """Pack all readings of a watcher, or none if they exceed the limits of a record.

    Returns the packed bytes, and the readings unpacked from them.  Findings are derived from the unpacked readings, so that a
    later derivation has the same input.
    """
    try:
        return packed(watcher, readings)
    except RecordWrong as refusal:
        _log.warning("readings_left_out", watcher=watcher.name, fault=refusal.why)
        return packed(watcher, ())


async def keep(
    database: Database, outage: Outage, readings: Mapping[str, bytes], *, actor: Actor
) -> Outage:
    """Store a proposal.  Refuses `IncidentUnknown`, `OutageUnknown` for an unknown replaced record, `OutageNotReplaced`."""

    async def act(tx: Tx) -> None:
        if outage.incident is not None:
            await incidents.one(tx, outage.incident)
        await check_replaced(tx, outage)
        await store.insert(tx, outage, {READINGS + name: one for name, one in readings.items()})
        await record(tx, outage.id, "outage_proposed", actor, outage.findings_sha256)

    await database.run(act)
    return outage


async def record(tx: Tx, outage: UUID, action: str, actor: Actor, sha256: bytes) -> None:
    """Write to the audit trail that `actor` did `action` to an outage record, with the SHA-256 of the record's findings."""
    subject = show(OUTAGE_KIND, outage)
    await trail.record(tx, NOBODY, actor=actor, action=action, subject=subject, sha256=sha256.hex())


async def check_replaced(tx: ReadTx, outage: Outage) -> None:
    """Check that an outage record may replace the record that it names, if it names one. Refuses `OutageNotReplaced`."""
    if outage.replaces is None:
        return
    before = await needed(tx, outage.replaces)
    is_covered = outage.begins_at <= before.begins_at and before.ends_at <= outage.ends_at
    if before.state != OutageState.CONFIRMED or not before.is_public or not is_covered:
        raise OutageNotReplaced(
            "the old record is not sealed, or the new one does not cover its time"
        )


async def needed(tx: ReadTx, outage: UUID) -> Outage:
    """Return one outage record in any state.  Refuses `OutageUnknown`."""
    found = await store.one(tx, outage)
    if found is None:
        raise OutageUnknown("no such outage record")
    return found


async def confirm(tx: Tx, outage: UUID, *, actor: Actor, at: datetime) -> None:
    """Confirm a proposal, and mark the record that it replaces as replaced.

    Refuses `NotAllowedNow`, `OutageOverlaps`, `OutageNotReplaced`.
    """
    found = await _moved(tx, outage, OutageEvent.CONFIRMED)
    await check_replaced(tx, found)
    if found.replaces is not None:
        before = await _moved(tx, found.replaces, OutageEvent.REPLACED)
        await store.move(tx, before.id, OutageState.REPLACED, at)
        await record(tx, before.id, "outage_replaced", actor, before.findings_sha256)
    await store.move(tx, outage, OutageState.CONFIRMED, at)
    await record(tx, outage, "outage_confirmed", actor, found.findings_sha256)


async def withdraw(tx: Tx, outage: UUID, *, actor: Actor, at: datetime) -> None:
    """Withdraw a proposal.  Refuses `NotAllowedNow`, `OutageUnknown`."""
    found = await _moved(tx, outage, OutageEvent.WITHDRAWN)
    await store.move(tx, outage, OutageState.WITHDRAWN, at)
    await record(tx, outage, "outage_withdrawn", actor, found.findings_sha256)


async def _moved(tx: Tx, outage: UUID, event: OutageEvent) -> Outage:
    """Lock and return a record, if its state allows the event.  Refuses `OutageUnknown`, `NotAllowedNow`."""
    found = await store.locked(tx, outage)
    if found is None:
        raise OutageUnknown("no such outage record")
    OUTAGE.after(found.state, event)
    return found
