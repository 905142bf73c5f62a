"""Input of a rehearsal: plan, target and options, checked before anything is sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from meterai.kit.clock import Clock
from meterai.kit.refusal import CommandRefusal
from meterai_rehearsal.clients.sites import Site, site_of
from meterai_rehearsal.rehearsal import faults
from meterai_rehearsal.rehearsal.installation import Addresses, OwnInstallation
from meterai_rehearsal.rehearsal.journeys import CHECKING, PAYING
from meterai_rehearsal.rehearsal.plan import Plan
from meterai_rehearsal.rehearsal.progress import Shown
from meterai_rehearsal.rehearsal.promises import Audit
from meterai_rehearsal.results import Target


class StandinsUnknown(CommandRefusal):
    """A journey of the plan pays or signs in, but the address of the stand-in bank or mail server is unknown."""

    code = "standins_unknown"
    status = 422

    def __init__(self, journey: str) -> None:
        super().__init__(journey)
        self.journey = journey


@dataclass(frozen=True)
class Rehearsal:
    """Plan of a rehearsal with its target.

    `audit` runs `meterai audit` on the installation, if its directory is known; `own` is the installation that this
    run started, if it did.
    """

    text: str  # of the plan
    plan: Plan
    addresses: Addresses
    target: Target
    processes: int
    command: Sequence[str]
    clock: Clock
    shown: Shown
    audit: Audit | None = None
    own: OwnInstallation | None = None

    @property
    def site(self) -> Site:
        """The installation."""
        return site_of(self.addresses.web)

    @property
    def bank(self) -> Site | None:
        """The stand-in bank, if it is known."""
        return site_of(self.addresses.bank) if self.addresses.bank else None

    @property
    def mail(self) -> Site | None:
        """The stand-in mail server, if it is known."""
        return site_of(self.addresses.mail) if self.addresses.mail else None


def check(rehearsal: Rehearsal) -> None:
    """Check that the plan can be carried out. Refuses `StandinsUnknown`, `FaultImpossible`."""
    names = {one.name for one in rehearsal.plan.journeys}
    if rehearsal.bank is None or rehearsal.mail is None:
        for one in sorted(names & (PAYING | CHECKING)):
            raise StandinsUnknown(one.value)
    faults.check(rehearsal.plan.faults, rehearsal.own, rehearsal.plan.commands)
