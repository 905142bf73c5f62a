"""Faults on demand: knobs a test or a person turns to make a stand-in misbehave.

A knob that counts says how many of the next occasions are spoilt; -1 means all of them.
What is set survives a restart, because a fault that heals by itself hides bugs.
"""

import json
import math
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from standins.refusal import Refusal
from standins.state import transaction

ALL = -1
COUNT_MAX = 1_000_000_000  # occasions; protects the books from numbers SQLite cannot hold
SECONDS_MAX = 86_400.0  # a day; a longer wait is a typing error

Value = int | float | bool | None

SCHEMA = "CREATE TABLE IF NOT EXISTS fault (name TEXT PRIMARY KEY, value TEXT NOT NULL);"


class UnknownFault(Refusal):
    """No knob has this name."""

    code = "unknown_fault"
    status = 400


class FaultUnfit(Refusal):
    """The knob takes another kind of value."""

    code = "fault_unfit"
    status = 400


class Kind(Enum):
    """What a knob takes, and what it is when nobody touched it."""

    COUNT = auto()  # int: the next n occasions, -1 all; 0
    SECONDS = auto()  # number of seconds; 0
    SECONDS_OR_NEVER = auto()  # number of seconds, or null; null
    SWITCH = auto()  # true or false; false


REST: Mapping[Kind, Value] = {
    Kind.COUNT: 0,
    Kind.SECONDS: 0,
    Kind.SECONDS_OR_NEVER: None,
    Kind.SWITCH: False,
}


@dataclass(frozen=True, slots=True)
class Knob:
    """One fault: its kind of value and what it does, in words for the page."""

    kind: Kind
    meaning: str


def _fits(kind: Kind, value: object) -> bool:
    # bool is an int to Python, so true would be taken for a count of one.
    match value:
        case bool():
            return kind is Kind.SWITCH
        case None:
            return kind is Kind.SECONDS_OR_NEVER
        case int() if kind is Kind.COUNT:
            return ALL <= value <= COUNT_MAX
        case int() | float() if kind in (Kind.SECONDS, Kind.SECONDS_OR_NEVER):
            return math.isfinite(value) and 0 <= value <= SECONDS_MAX
        case _:
            return False


class Faults:
    """The knobs of one stand-in and how they stand."""

    def __init__(self, connection: sqlite3.Connection, knobs: Mapping[str, Knob]) -> None:
        self.knobs = knobs
        self._connection = connection
        self._set: dict[str, Value] = {
            name: json.loads(value)
            for name, value in connection.execute("SELECT name, value FROM fault")
            if name in knobs
        }

    def standing(self) -> dict[str, Value]:
        """Every knob with its present value."""
        return {name: self._set.get(name, REST[knob.kind]) for name, knob in self.knobs.items()}

    def turn(self, wanted: Mapping[str, object]) -> None:
        """Set some knobs, leave the others.  Refuses all of it if one name or value is wrong."""
        fit: dict[str, Value] = {}
        for name, value in wanted.items():
            if name not in self.knobs:
                raise UnknownFault(f"no fault is called {name!r}")
            kind = self.knobs[name].kind
            if not _fits(kind, value) or not isinstance(value, int | float | None):
                raise FaultUnfit(f"{name} takes {kind.name.lower().replace('_', ' ')}")
            fit[name] = value
        self._set.update(fit)
        with transaction(self._connection):
            for name, kept in fit.items():
                self._keep(name, kept)

    def clear(self) -> None:
        """Everything works again."""
        self._set.clear()
        self._connection.execute("DELETE FROM fault")

    def take(self, name: str) -> bool:
        """True if this occasion is to be spoilt; counts it."""
        left = self._set.get(name, 0)
        if not isinstance(left, int) or left == 0:
            return False
        if left != ALL:
            self._set[name] = left - 1
            self._keep(name, left - 1)
        return True

    def is_on(self, name: str) -> bool:
        """True if the switch is on."""
        return self._set.get(name) is True

    def seconds(self, name: str) -> float:
        """The seconds set, 0 if none or never."""
        return float(self._set.get(name) or 0)

    def seconds_or_never(self, name: str) -> float | None:
        """The seconds set, or None."""
        value = self._set.get(name)
        return None if value is None else float(value)

    def _keep(self, name: str, value: Value) -> None:
        self._connection.execute(
            "INSERT INTO fault (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )
