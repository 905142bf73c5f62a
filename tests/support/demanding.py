"""An installation that meets the demands of production, and ways to break each demand.

`tests/<room>/demanded.py` has `RIGHT`, valid settings; `GOOD`, alternative valid values; and `WRONG`, the ways
to break a demand, by the name of the demand.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from meterai.apps.production import demands_of
from meterai.apps.settings import load
from meterai.commands import complaints
from meterai.plumbing.config import Configuration
from tests.support.by_room import modules, together

DEMANDS = demands_of()


@dataclass
class Installation:
    """A data directory that meets every demand of production until a test changes it."""

    folder: Path
    given: dict[str, object] = field(default_factory=lambda: together("demanded", "RIGHT"))

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def configuration(self) -> Configuration:
        return load({"data": str(self.folder), **self.given})

    def lacks(self) -> list[tuple[str, dict[str, object]]]:
        return [(one.name, one.facts) for one in complaints(self.configuration(), DEMANDS)]


Wrong: TypeAlias = Callable[[Installation], None]


def setting(name: str, *values: object) -> list[Wrong]:
    """Ways to break a demand by a setting, one for each value. None removes the setting."""

    def change(value: object) -> Wrong:
        def to(one: Installation) -> None:
            one.given[name] = value

        return to

    return [change(value) for value in values]


def without_key(name: str) -> Wrong:
    """A way to break a demand by removing the file of a key."""
    return lambda one: (one.keys / name).unlink()


def good() -> Sequence[tuple[str, object]]:
    """Settings with alternative valid values."""
    return [(name, one) for name, values in together("demanded", "GOOD").items() for one in values]


def wrong_ways() -> Mapping[str, Sequence[Wrong]]:
    """Ways to break each demand, by the name of the demand."""
    found: defaultdict[str, list[Wrong]] = defaultdict(list)
    for module in modules("demanded"):
        for name, ways in getattr(module, "WRONG", {}).items():
            found[name] += ways
    return found
