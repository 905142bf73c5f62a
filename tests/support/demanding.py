"""An installation that has what production demands, and ways to be without.

`tests/<room>/demanded.py` has `RIGHT`, settings that are right; `GOOD`, values of them that are as good; and `WRONG`, by the
name of a demand the ways not to meet it.
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
    """A data directory with everything that production demands, until a test takes some away."""

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
    """One way to be wrong for each value; None takes the setting away."""

    def change(value: object) -> Wrong:
        def to(one: Installation) -> None:
            one.given[name] = value

        return to

    return [change(value) for value in values]


def without_key(name: str) -> Wrong:
    """Without a file of this name."""
    return lambda one: (one.keys / name).unlink()


def good() -> Sequence[tuple[str, object]]:
    """Settings with values that are as good."""
    return [(name, one) for name, values in together("demanded", "GOOD").items() for one in values]


def wrong_ways() -> Mapping[str, Sequence[Wrong]]:
    """By the name of a demand, the ways not to meet it."""
    found: defaultdict[str, list[Wrong]] = defaultdict(list)
    for module in modules("demanded"):
        for name, ways in getattr(module, "WRONG", {}).items():
            found[name] += ways
    return found
