"""Fault switches: a test or a person sets them over HTTP, and the stand-in then fails accordingly. The value of a switch of
the kind COUNT is the number of next occasions that fail; -1 means all.  Values are stored in SQLite and survive a restart
of the stand-in.
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
COUNT_MAX = 1_000_000_000  # occasions; far below the largest integer in SQLite
SECONDS_MAX = 86_400.0  # a day; a longer wait is a typing error

Value = int | float | bool | None

SCHEMA = "CREATE TABLE IF NOT EXISTS fault (name TEXT PRIMARY KEY, value TEXT NOT NULL);"


class UnknownFault(Refusal):
    """No fault switch has this name."""

    code = "unknown_fault"
    status = 400


class FaultUnfit(Refusal):
    """The value has another kind than the switch takes, or the number is out of range."""

    code = "fault_unfit"
    status = 400


class Kind(Enum):
    """Kind of the value of a switch; after the semicolon its default."""

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
    """One fault: the kind of its value, and its description on the page of faults."""

    kind: Kind
    meaning: str


def _fits(kind: Kind, value: object) -> bool:
    # In Python bool is a subclass of int, so true would count as one.
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
        """Return every switch with its current value."""
        return {
            name: self._set.get(name, DEFAULTS[switch.kind])
            for name, switch in self.switches.items()
        }

    def apply(self, wanted: Mapping[str, object]) -> None:
        """Set these switches, and leave the others unchanged. Refuses `UnknownFault`, `FaultUnfit` before any of them is
        set.
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
        """Set every switch to its default, so that nothing fails any more."""
        self._set.clear()
        self._connection.execute("DELETE FROM fault")

    @contextmanager
    def armed(self, name: str | None) -> Iterator[None]:
        """Make the next occasion of this switch fail within the body, whatever its value. The body must not `await`."""
        self._armed = name
        try:
            yield
        finally:
            self._armed = None

    def take(self, name: str) -> bool:
        """Count an occasion of a switch. Return True if it must fail."""
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
        """Return the seconds that are set, 0 if none or null."""
        return float(self._set.get(name) or 0)

    def seconds_or_never(self, name: str) -> float | None:
        """Return the seconds that are set, or None."""
        value = self._set.get(name)
        return None if value is None else float(value)

    def _store(self, name: str, value: Value) -> None:
        self._connection.execute(
            "INSERT INTO fault (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )
