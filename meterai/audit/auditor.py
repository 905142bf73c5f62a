"""One audit: checks every invariant, and compares old rows with the hashes that the last points of the chain contain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from meterai.audit.history import BEGINNING, Hashing
from meterai.audit.points import (
    SETTLED_AFTER,
    Past,
    Point,
    finding,
    points,
    record,
    wrong_links,
)
from meterai.audit.quiet_harm import quiet_harm
from meterai.audit.scopes import of_everything, of_what_moved
from meterai.ledger import explained
from meterai.notifications import told
from meterai.plumbing.db.checks import Registered
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import (
    Everything,
    Invariant,
    InvariantFinding,
    RowScope,
    check,
    look,
)
from meterai.plumbing.db.marks import Mark
from meterai.plumbing.db.schema import check_schema


def invariants_of(registered: Registered) -> tuple[Invariant, ...]:
    """Return every invariant: those that rooms registered, those about all tables, and two which require that a rule of some
    room explains each ledger entry and each mail.
    """
    of_all = quiet_harm(registered.audited)
    mails = told(registered.mail_causes)
    return (explained(registered.postings), mails, *of_all, *registered.invariants)


# Reports progress: number of parts done, number of all parts, name of the current part.
Tell = Callable[[int, int, str], None]


def silent(_done: int, _parts: int, _name: str) -> None:
    """Default function for reports of progress: does nothing."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Result of an audit: the finding of each invariant."""

    findings: tuple[InvariantFinding, ...]

    @property
    def holds(self) -> bool:
        """True if every invariant holds."""
        return all(finding.holds for finding in self.findings)

    def as_json(self) -> dict[str, object]:
        """Return the result as a JSON object: for every invariant the number of rows that break it, and some of these rows."""
        return {
            "holds": self.holds,
            "invariants": [
                {
                    "name": finding.invariant.name,
                    "promise": " ".join(finding.invariant.promise.split()),
                    "broken": finding.broken,
                    "evidence": [
                        {name: str(value) for name, value in row.items()}
                        for row in finding.evidence
                    ],
                }
                for finding in self.findings
            ],
        }


class Auditor:
    """One audit of all history, or of the rows written since the last clean audit.

    If everything holds, the caller adds the audit to the chain of points by `record`.
    """

    def __init__(
        self,
        database: Database,
        registered: Registered,
        tell: Tell = silent,
        settled_after: timedelta = SETTLED_AFTER,
    ) -> None:
        self._invariants = invariants_of(registered)
        self._audited = registered.audited
        self._database = database
        self._tell = tell
        self._settled_after = settled_after

    async def run(self, *, is_incremental: bool) -> tuple[list[InvariantFinding], "Coverage"]:
        """Run the audit; return the finding of each check, and the coverage.

        An incremental audit covers the rows written since the last point. All history is audited instead if there is no point
        yet, or if the last point was made in another database: then the current database was restored from a dump.
        """
        mark = await Mark.of_now(self._database)
        known = await points(self._database)
        until = await self._database_time() - self._settled_after
        past, since = Past(self._audited, known), None
        if is_incremental and past.stretches and known[-1].mark.is_of(mark):
            kind, since, begins = "incremental", known[-1].mark, known[-1].covers_until
            scopes = await of_what_moved(self._database, self._audited, since)
            findings = await self._check(scopes, None)
            wrong = await past.compare_young(self._database, since)
        else:
            kind, begins = "full", BEGINNING
            scopes = await of_everything(self._database, self._audited)
            findings = await self._check(scopes, past.hashing)
            wrong = past.compare_all()
        wrong += await past.compare_row_counts(self._database)
        findings += await check_schema(self._database)
        findings.append(finding(wrong_links(known) + wrong))
        return findings, Coverage(kind, known, until, mark, since, begins)

    async def record(self, coverage: "Coverage") -> Point | None:
        """Add a clean audit to the chain and return its point; None if the audit covers no time after the last point, or if
        another audit was recorded meanwhile.
        """
        known = coverage.known
        if known and coverage.until <= known[-1].covers_until:
            return None
        return await record(
            self._database, self._audited, coverage.kind, known, coverage.until, coverage.mark
        )

    async def _database_time(self) -> datetime:
        [row] = await look(self._database, "SELECT now() AS now")
        now: datetime = row["now"]
        return now

    async def _check(
        self, scopes: Sequence[RowScope], hashing: Hashing | None
    ) -> list[InvariantFinding]:
        found: dict[str, InvariantFinding] = {}
        everything = Everything(self._audited.subjects)
        for place, scope in enumerate(scopes):
            for one in self._invariants:
                if one.is_whole:
                    continue
                self._tell(place, len(scopes), one.name)
                finding = await check(self._database, one, scope)
                known = found.get(one.name)
                found[one.name] = known + finding if known else finding
            if hashing is not None:
                self._tell(place, len(scopes), "history")
                await hashing.take(self._database, scope)
        for one in self._invariants:
            if one.name not in found:
                nothing = InvariantFinding(one, 0, [])
                found[one.name] = (
                    await check(self._database, one, everything) if one.is_whole else nothing
                )
        return [found[one.name] for one in self._invariants]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of an audit: its kind (full or incremental), the earlier points of the chain, and the time that the audit
    covers.
    """

    kind: str
    known: Sequence[Point]
    until: datetime
    mark: Mark
    since: Mark | None  # only rows written after this mark; None: all history
    begins: datetime
