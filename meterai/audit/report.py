"""A whole audit: tables, seals, objects, the bank's record, and the chain of points."""

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from meterai.audit.auditor import Audit, Auditor, Tell, silent
from meterai.audit.points import Point
from meterai.audit.seals import DeltaReader, DeltaSample, check_objects
from meterai.commands import Opens
from meterai.kit.clock import SystemClock
from meterai.payments import PaymentService
from meterai.plumbing.config import Settings
from meterai.plumbing.db.checks import AuditedPart, Registered
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import Invariant, InvariantFinding
from meterai.plumbing.db.schema import works_as
from meterai.plumbing.keyring import INSTANCE_KEY, keyring_of
from meterai.plumbing.objects import ObjectStore
from meterai.reconciliation import check_bank
from meterai.stamping import issuers_of

# Objects younger than this are not compared: an upload writes its object before its row.
YOUNG = timedelta(hours=6)
ROLE_USED = Invariant(
    "application_works_as_its_role",
    "The application's login can neither change nor delete records of past events.",
    "",
)


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """Options of an audit: the documents to open, whether only rows since the last point are audited (incremental), and the
    number of days to compare with the bank's record.
    """

    drawing: DeltaSample | None = None  # documents to open; None: no document is opened
    is_incremental: bool = False
    bank_days: int = 0  # days to compare with the bank's record; 0: the bank is not queried


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Result of a whole audit: findings, kind (full or incremental), notes for the operator, and the recorded point."""

    audit: Audit
    notes: tuple[str, ...]
    kind: str
    point: Point | None

    def as_json(self) -> dict[str, object]:
        """Return the report as one JSON object."""
        point = None
        if self.point is not None:
            point = {
                "number": self.point.number,
                "covers_until": self.point.covers_until.isoformat(),
                "chained": self.point.chained.hex(),
            }
        return self.audit.as_json() | {
            "kind": self.kind,
            "point": point,
            "notes": list(self.notes),
        }


async def audit_all(
    database: Database,
    settings: Settings,
    *,
    registered: Registered,
    request: AuditRequest,
    tell: Tell = silent,
    opens: Opens = MappingProxyType({}),
) -> AuditReport:
    """Make the requested audit, and add a point to the chain if everything holds.

    `opens` contains the function that opens the service of payments, by which the bank is queried.
    """
    auditor = Auditor(database, registered, tell)
    findings, coverage = await auditor.run(is_incremental=request.is_incremental)
    part = AuditedPart(database, settings, coverage.since, coverage.begins)
    findings += [await check(part) for check in registered.checks]
    notes = [f"{coverage.kind} audit"]
    if request.drawing is None:
        notes.append("documents were not opened")
    elif (settings.process.directory / "keys" / INSTANCE_KEY).exists():
        notes.append(f"documents drawn with --seed {request.drawing.seed}")
        findings += await _papers(database, settings, request.drawing)
    else:
        # The objects and keys are on another machine, or in another folder.
        notes.append(f"documents were not opened: {settings.process.directory} is of no instance")
    if request.bank_days:
        findings.append(await _bank(database, settings, request.bank_days, opens))
    if role := await works_as(database):
        notes.append(
            f"the role {role} can change records of past events: docs/operations.md, Rights"
        )
        if settings.process.environment == "production":
            findings.append(InvariantFinding(ROLE_USED, 1, [{"role": role}]))
    found = Audit(tuple(findings))
    point = await auditor.record(coverage) if found.holds else None
    if point is not None:
        until = point.covers_until.isoformat()
        notes.append(f"point {point.number} until {until}: {point.chained.hex()}")
    return AuditReport(found, tuple(notes), coverage.kind, point)


async def _papers(
    database: Database, settings: Settings, drawing: DeltaSample
) -> list[InvariantFinding]:
    clock = SystemClock()
    objects = ObjectStore(settings.process.directory, keyring_of(settings).derived("objects"))
    papers = DeltaReader(objects, issuers_of(settings, clock), clock)
    return [
        await papers.check(database, drawing),
        await check_objects(database, objects, clock.now() - YOUNG),
    ]


async def _bank(
    database: Database, settings: Settings, days: int, opens: Opens
) -> InvariantFinding:
    now = SystemClock().now()
    async with opens[PaymentService](database, settings) as payments:
        return await check_bank(database, payments, now - timedelta(days=days), now)
