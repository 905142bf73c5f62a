"""Outage records of a shop: proposed from folders of watchers, confirmed by two members of staff, sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from meterai.outages import OutageService
from meterai.outages.invariants import as_derived
from meterai.outages.model import Outage
from meterai.outages.record import signer_of
from meterai.plumbing.db.checks import AuditedPart
from meterai.sealing import Issuers
from tests.support.pulling import Member, member
from tests.support.readings import BEGIN, Seen, SigningWatcher, at, fails
from tests.support.shop import TESTER, Shop

NAMES = ("jakarta", "surabaya", "makassar")
FAILED = range(10, 30)  # minutes since the begin in which affixing fails
MINUTES = 60


@dataclass
class Keeping:
    """Outage records of one shop, and its watchers."""

    shop: Shop
    folder: Path
    watchers: list[SigningWatcher] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch(fails(*FAILED))

    def watch(self, *seen: Seen, minutes: int = MINUTES) -> None:
        """Let three watchers measure and publish, each with its own view; the last view serves for the rest."""
        self.watchers = [
            SigningWatcher(name, self.shop.container.settings.process.url).measure(
                range(minutes), seen[min(number, len(seen) - 1)]
            )
            for number, name in enumerate(NAMES)
        ]
        for one in self.watchers:
            one.publish(self.folder / one.name)

    @property
    def service(self) -> OutageService:
        container = self.shop.container
        return OutageService(
            container.database,
            lambda: [one.known(str(self.folder / one.name)) for one in self.watchers],
            signer_of(container.keyring),
            container.of(Issuers),
            container.settings,
            container.clock,
        )

    def propose(
        self,
        begin: int = 0,
        end: int = MINUTES,
        replaces: UUID | None = None,
        incident: UUID | None = None,
    ) -> Outage:
        proposing = self.service.propose(
            at(begin), at(end), incident=incident, replaces=replaces, actor=TESTER
        )
        return self.shop.do(proposing)

    def staff(self) -> tuple[Member, Member]:
        """Two members of staff who may confirm a record."""
        return member(self.shop, "supervisor"), member(self.shop, "supervisor")

    def confirm(self, outage: Outage) -> None:
        """Let one member of staff request the confirmation, and another approve it."""
        one, other = self.staff()
        other.decide(one.pull("outage confirm", outage=outage.shown))

    def seal(self) -> int:
        """Run the worker's periodic task that seals, and return how many records it sealed."""
        return self.shop.do(self.service.seal_confirmed())

    def sealed(self, **more: UUID) -> Outage:
        """A sealed record, which is public."""
        outage = self.propose(**more)  # type: ignore[arg-type]
        self.confirm(outage)
        assert self.seal() == 1
        return self.again(outage)

    def again(self, outage: Outage) -> Outage:
        return self.shop.do(self.service.one(outage.id))

    def file(self, outage: Outage, name: str) -> bytes:
        return self.shop.do(self.service.file(outage.id, name))

    def keys(self, folder: Path) -> Path:
        """Write the file of public keys as it is published."""
        file = folder / "keys.pem"
        file.write_bytes(self.service.keys())
        return file

    def actions(self, outage: Outage) -> Sequence[str]:
        """The actions in the audit trail about a record."""
        rows = self.shop.rows(
            "SELECT action FROM audit_events WHERE subject = %s ORDER BY happened_at, event_id",
            outage.shown,
        )
        return [str(row["action"]) for row in rows]

    def assert_holds(self) -> None:
        """Check every invariant, and that each record follows from its readings."""
        self.shop.assert_books_hold()
        container = self.shop.container
        part = AuditedPart(container.database, container.settings, None, BEGIN)
        found = self.shop.do(as_derived(part))
        assert found.holds, found
