"""Fault switches: a test or a person sets them over HTTP, and the stand-in then fails as they say.

A switch of the kind COUNT says how many of the next occasions fail; -1 means all of them.  Values
are stored in SQLite and survive a restart: a test that restarts a stand-in still has its faults.
"""

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

from standins.refusal import Refusal
from standins.state import transaction

ALL = -1
COUNT_MAX = 1_000_000_000  # occasions; far below the largest integer that SQLite holds
SECONDS_MAX = 86_400.0  # a day; a longer wait is a typing error

Value = int | float | bool | None

SCHEMA = "CREATE TABLE IF NOT EXISTS fault (name TEXT PRIMARY KEY, value TEXT NOT NULL);"


class UnknownFault(Refusal):
    """No fault switch has this name."""

    code = "unknown_fault"
    status = 400


class FaultUnfit(Refusal):
    """The switch takes another kind of value, or the number is out of its range."""

    code = "fault_unfit"
    status = 400


class Kind(Enum):
    """What a switch takes; after the semicolon, its value while it was not set."""

    COUNT = auto()  # int: the next n occasions, -1 all; 0
    SECONDS = auto()  # number of seconds; 0
    SECONDS_OR_NEVER = auto()  # number of seconds, or null; null
    BOOLEAN = auto()  # true or false; false


DEFAULTS: Mapping[Kind, Value] = {
    Kind.COUNT: 0,
    Kind.SECONDS: 0,
    Kind.SECONDS_OR_NEVER: None,
    Kind.BOOLEAN: False,
}


@dataclass(frozen=True, slots=True)
class FaultSwitch:
    """One fault: its kind of value, and what it does as the page of faults says it."""

    kind: Kind
    meaning: str


def _fits(kind: Kind, value: object) -> bool:
    # bool is an int to Python, so true would be taken for a count of one.
    match value:
        case bool():
            return kind is Kind.BOOLEAN
        case None:
            return kind is Kind.SECONDS_OR_NEVER
        case int() if kind is Kind.COUNT:
            return ALL <= value <= COUNT_MAX
        case int() | float() if kind in (Kind.SECONDS, Kind.SECONDS_OR_NEVER):
            return math.isfinite(value) and 0 <= value <= SECONDS_MAX
        case _:
            return False


class Faults:
    """The fault switches of one stand-in and their values, kept in its SQLite file."""

    def __init__(self, connection: sqlite3.Connection, switches: Mapping[str, FaultSwitch]) -> None:
        self.switches = switches
        self._connection = connection
        self._armed: str | None = None
        self._set: dict[str, Value] = {
            name: json.loads(value)
            for name, value in connection.execute("SELECT name, value FROM fault")
            if name in switches
        }

    def values(self) -> dict[str, Value]:
        """Every switch with its present value."""
        return {
            name: self._set.get(name, DEFAULTS[switch.kind])
            for name, switch in self.switches.items()
        }

    def apply(self, wanted: Mapping[str, object]) -> None:
        """Set these switches, leave the others.

        Refuses with `UnknownFault` or `FaultUnfit` before any of them is set.
        """
        checked: dict[str, Value] = {}
        for name, value in wanted.items():
            if name not in self.switches:
                raise UnknownFault(f"no fault is called {name!r}")
            kind = self.switches[name].kind
            if not _fits(kind, value) or not isinstance(value, int | float | None):
                raise FaultUnfit(f"{name} takes {kind.name.lower().replace('_', ' ')}")
            checked[name] = value
        self._set.update(checked)
        with transaction(self._connection):
            for name, stored in checked.items():
                self._store(name, stored)

    def clear(self) -> None:
        """Set every switch back to its default: nothing fails any more."""
        self._set.clear()
        self._connection.execute("DELETE FROM fault")

    @contextmanager
    def armed(self, name: str | None) -> Iterator[None]:
        """Within, the next occasion of this switch fails, whatever is set; its body must not `await`."""
        self._armed = name
        try:
            yield
        finally:
            self._armed = None

    def take(self, name: str) -> bool:
        """True if this occasion is to fail; counts it."""
        if name == self._armed:
            self._armed = None
            return True
        left = self._set.get(name, 0)
        if not isinstance(left, int) or left == 0:
            return False
        if left != ALL:
            self._set[name] = left - 1
            self._store(name, left - 1)
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

    def _store(self, name: str, value: Value) -> None:
        self._connection.execute(
            "INSERT INTO fault (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )
