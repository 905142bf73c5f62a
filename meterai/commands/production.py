"""Demands of production: conditions on settings that are checked before a command serves the public or moves money.

Outside production every stamp says SPECIMEN and no money is real, so everything has a working default. In production
such a default would pay a stand-in bank, print a QR code with a loopback address, or send a session unencrypted.
Demands forbid such defaults. A demand has a name, the settings that it reads, and a message (`production.<name>`). In
`demands.py` a room states its demands, and for each other setting the reason why any value is acceptable.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Configuration

# Common reasons for settings without a demand.
TIME = "a duration for which people wait or which they have; any value is safe"
LOAD = "a bound of simultaneous work; a low value is slow and has no other effect"


class DemandScope(StrEnum):
    """The demands of production that must be met before a command runs."""

    EVERYTHING = "everything"  # all: the command serves the public, or moves money or stamps
    # Demands on the database only: the command may be one that repairs the rest, or stops issuing.
    DATABASE = "database"
    NOTHING = "nothing"  # no demand: the command only inspects or repairs files
    # The command is for development only: it makes payments itself, or stamps without a sale.
    NEVER = "never"


Facts = dict[str, object]


@dataclass(frozen=True, slots=True)
class UnmetDemand:
    """An unmet demand; `facts` fill its message."""

    name: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Demand:
    """A condition on the settings of production; `check` yields the facts of each violation."""

    name: str
    settings: tuple[str, ...]
    check: Callable[[Configuration], Iterable[Facts]]
    is_of_the_database: bool = False


class NotForProduction(CommandRefusal):
    """The configuration does not meet the demands of production."""

    code = "not_for_production"
    status = 500

    def __init__(self, complaints: tuple[UnmetDemand, ...]) -> None:
        super().__init__(", ".join(one.name for one in complaints))
        self.count = len(complaints)
        self._complaints = complaints

    @property
    def complaints(self) -> tuple[UnmetDemand, ...]:
        """Return every unmet demand."""
        return self._complaints


class OnlyForDevelopment(CommandRefusal):
    """The command is not available in production."""

    code = "only_for_development"
    status = 500

    def __init__(self, command: str) -> None:
        super().__init__(f"{command} in production")
        self.command = command


def check_allowed(
    command: str, scope: DemandScope, configuration: Configuration, demands: Iterable[Demand]
) -> None:
    """Check that a command may run with this configuration. Refuses `NotForProduction`, `OnlyForDevelopment`."""
    if not configuration.settings.process.is_production:
        return
    if scope is DemandScope.NEVER:
        raise OnlyForDevelopment(command)
    found = tuple(complaints(configuration, demands, scope))
    if found:
        raise NotForProduction(found)


def complaints(
    configuration: Configuration,
    demands: Iterable[Demand],
    scope: DemandScope = DemandScope.EVERYTHING,
) -> Iterator[UnmetDemand]:
    """Check the demands of production that belong to a scope, and yield every violation by the configuration."""
    for demand in demands:
        if scope is DemandScope.EVERYTHING or (
            demand.is_of_the_database and scope is DemandScope.DATABASE
        ):
            for facts in demand.check(configuration):
                yield UnmetDemand(demand.name, facts)
