"""Outage records of a shop: proposed from folders of watchers, confirmed by two of staff, sealed."""

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
    """Records of one shop, and its watchers."""

    shop: Shop
    folder: Path
    watchers: list[SigningWatcher] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch(fails(*FAILED))

    def watch(self, *seen: Seen, minutes: int = MINUTES) -> None:
        """Three watchers measure, each what is given for it, and publish."""
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
        """Two persons who may confirm a record."""
        return member(self.shop, "supervisor"), member(self.shop, "supervisor")

    def confirm(self, outage: Outage) -> None:
        """One asks, another approves."""
        one, other = self.staff()
        other.decide(one.pull("outage confirm", outage=outage.shown))

    def seal(self) -> int:
        """The periodic task of the worker."""
        return self.shop.do(self.service.seal_confirmed())

    def sealed(self, **more: UUID) -> Outage:
        """A record that is public."""
        outage = self.propose(**more)  # type: ignore[arg-type]
        self.confirm(outage)
        assert self.seal() == 1
        return self.again(outage)

    def again(self, outage: Outage) -> Outage:
        return self.shop.do(self.service.one(outage.id))

    def file(self, outage: Outage, name: str) -> bytes:
        return self.shop.do(self.service.file(outage.id, name))

    def keys(self, folder: Path) -> Path:
        """The file of keys as it is published."""
        file = folder / "keys.pem"
        file.write_bytes(self.service.keys())
        return file

    def actions(self, outage: Outage) -> Sequence[str]:
        """The acts of the trail about a record."""
        rows = self.shop.rows(
            "SELECT action FROM audit_events WHERE subject = %s ORDER BY happened_at, event_id",
            outage.shown,
        )
        return [str(row["action"]) for row in rows]

    def assert_holds(self) -> None:
        """Every invariant, and each record as its readings say."""
        self.shop.assert_books_hold()
        container = self.shop.container
        part = AuditedPart(container.database, container.settings, None, BEGIN)
        found = self.shop.do(as_derived(part))
        assert found.holds, found
