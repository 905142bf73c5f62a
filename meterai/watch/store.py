"""State of a watcher in one SQLite file, from which it continues after a kill.

Every call is a separate transaction.  Old rows are removed once a day (`prune`).
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from meterai.kit.clock import WIB
from meterai.kit.components import Component, ComponentState
from meterai.plumbing.readings import FAULTS_MAX, Measured
from meterai.watch.model import ComponentChange, WatcherNote

KEPT = timedelta(days=90)
DOCUMENTS_KEPT = timedelta(days=3)  # readings; older ones are in their files
_SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS state (component TEXT PRIMARY KEY, own INTEGER, agreed INTEGER, since TEXT, measured_at TEXT);
CREATE TABLE IF NOT EXISTS tried (minute TEXT, component TEXT, tries INTEGER, failures INTEGER, slow INTEGER,
    worst_ms INTEGER, faults TEXT, PRIMARY KEY (minute, component)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reading (minute TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS change (id INTEGER PRIMARY KEY, at TEXT, component TEXT, is_agreed INTEGER, was INTEGER,
    becomes INTEGER, faults TEXT, document TEXT);
CREATE TABLE IF NOT EXISTS day (day TEXT, component TEXT, state INTEGER, minutes INTEGER,
    PRIMARY KEY (day, component, state)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bought (id TEXT PRIMARY KEY, at TEXT, stage TEXT, refund TEXT);
CREATE TABLE IF NOT EXISTS stamped (at TEXT, seconds REAL);
CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, at TEXT, component TEXT, state INTEGER, id_text TEXT, en_text TEXT);
"""
_KEEP = "INSERT OR REPLACE INTO fact VALUES (?, ?)"
_PRUNE = (
    "DELETE FROM tried WHERE minute < ?",
    "DELETE FROM change WHERE at < ?",
    "DELETE FROM note WHERE at < ?",
    "DELETE FROM stamped WHERE at < ?",
    "DELETE FROM day WHERE day < ?",
)


T = TypeVar("T")


class ReadingChain(msgspec.Struct, frozen=True):
    """The last signed minute: its begin, its number in the chain, and the SHA-256 of its signed document."""

    minute: datetime = datetime.min.replace(tzinfo=UTC)
    sequence: int = -1
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """State of a component: by this watcher (`own`), and as agreed by a majority since `since`.

    `measured_at` is the time at which a majority last measured it; None if a majority never did.
    """

    own: ComponentState
    agreed: ComponentState
    since: datetime
    measured_at: datetime | None


class Store:
    """The SQLite file with the state of a watcher.

    One process writes measurements; the command `watch note` in another process may write notes.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=5)
        self._db.execute("PRAGMA journal_mode = WAL")
        # A signed minute is on disk before it is published, so that it is never signed again.
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)
        self._version = self._data_version()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _data_version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def has_changed_elsewhere(self) -> bool:
        """True if another process wrote a note since the last call."""
        before, self._version = self._version, self._data_version()
        return self._version != before

    def _write(self, statement: str, *values: object) -> sqlite3.Cursor:
        with self._db:
            return self._db.execute(statement, values)

    # -- facts -------------------------------------------------------------------------------

    def fact(self, name: str, kind: type[T]) -> T | None:
        """Return the value stored under a name; None if no value is stored."""
        found = self._db.execute("SELECT value FROM fact WHERE name = ?", [name]).fetchone()
        return None if found is None else msgspec.json.decode(found[0], type=kind)

    def keep(self, name: str, value: object) -> None:
        """Store a value under a name."""
        self._write(_KEEP, name, _json(value))

    # -- states and changes ------------------------------------------------------------------

    def states(self) -> Mapping[Component, ComponentRow]:
        """Return the state of each component."""
        return {
            Component(one): ComponentRow(
                ComponentState(own), ComponentState(agreed), _moment(since), at and _moment(at)
            )
            for one, own, agreed, since, at in self._db.execute("SELECT * FROM state")
        }

    def keep_state(self, component: Component, kept: ComponentRow) -> None:
        """Store the state of a component."""
        since, at = kept.since.isoformat(), kept.measured_at and kept.measured_at.isoformat()
        row = component, int(kept.own), int(kept.agreed), since, at
        self._write("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?)", *row)

    def add_change(
        self, component: Component, at: datetime, facts: Mapping[str, Any], document: str
    ) -> None:
        """Store a change of a component's state; `document` is the signed change, `facts` its content."""
        before, after = (ComponentState.of(facts[name]) for name in ("from", "to"))
        faults = json.dumps(list(facts["faults"]))
        self._write(
            "INSERT INTO change (at, component, is_agreed, was, becomes, faults, document)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(
                at.isoformat(),
                component,
                facts["agreed"],
                int(before),
                int(after),
                faults,
                document,
            ),
        )

    def changes(self, most: int) -> Sequence[ComponentChange]:
        """Return the newest changes of agreed states, newest first."""
        rows = self._db.execute(
            "SELECT id, at, component, was, becomes, faults FROM change WHERE is_agreed"
            " ORDER BY id DESC LIMIT ?",
            [most],
        )
        return [
            ComponentChange(
                number, _moment(at), Component(one), ComponentState(was), ComponentState(becomes),
                json.loads(faults),
            )
            for number, at, one, was, becomes, faults in rows
        ]  # fmt: skip

    def change_documents(self) -> Sequence[str]:
        """Return the signed document of every change, the earliest first."""
        return [one for (one,) in self._db.execute("SELECT document FROM change ORDER BY id")]

    # -- tries and readings ------------------------------------------------------------------

    def add_try(self, minute: str, component: Component, outcome: int, ms: int, fault: str) -> None:
        """Count one try of a component in the minute of the try; `outcome` is a `ProbeOutcome`, `ms` its duration."""
        failed, slow = int(outcome == 2), int(outcome == 1)
        row = self._db.execute(
            "SELECT faults FROM tried WHERE minute = ? AND component = ?", [minute, component]
        ).fetchone()
        faults = json.loads(row[0]) if row else []
        if fault and fault not in faults and len(faults) < FAULTS_MAX:
            faults.append(fault)
        self._write(
            "INSERT INTO tried VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET tries = tries + 1,"
            " failures = failures + excluded.failures, slow = slow + excluded.slow,"
            " worst_ms = max(worst_ms, excluded.worst_ms), faults = excluded.faults",
            *(minute, component, failed, slow, ms, json.dumps(faults)),
        )

    def last_tried(self, before: datetime) -> datetime | None:
        """Return the last minute before a moment in which a component was tried; None if there is no such minute."""
        found = self._db.execute(
            "SELECT max(minute) FROM tried WHERE minute < ?", [before.isoformat()]
        ).fetchone()
        return None if found[0] is None else _moment(found[0])

    def measured(self, minute: str) -> Mapping[Component, Measured]:
        """Return the counts of tries and of failures in a minute, by component."""
        rows = self._db.execute("SELECT * FROM tried WHERE minute = ?", [minute])
        return {
            Component(one): Measured(tries, failures, slow, worst, tuple(json.loads(faults)))
            for _, one, tries, failures, slow, worst, faults in rows
        }

    def end_minute(
        self, chain: ReadingChain, document: str, states: Mapping[Component, int]
    ) -> None:
        """Store the signed reading of a minute, and the worst state of each component in that minute."""
        day = chain.minute.astimezone(WIB).date().isoformat()
        with self._db:
            # The primary key refuses a second reading of the same minute.
            self._db.execute(
                "INSERT INTO reading VALUES (?, ?)", [chain.minute.isoformat(), document]
            )
            self._db.execute(_KEEP, ["chain", _json(chain)])
            self._db.executemany(
                "INSERT INTO day VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET minutes = minutes + 1",
                [(day, component, state) for component, state in states.items()],
            )

    def readings(self, day: str) -> Sequence[str]:
        """Return the signed readings of a day (UTC), the earliest first."""
        rows = self._db.execute(
            "SELECT document FROM reading WHERE minute >= ? AND minute < ? ORDER BY minute",
            [day, day + "U"],
        )
        return [one for (one,) in rows]

    def days(self) -> Mapping[Component, Mapping[str, Mapping[ComponentState, int]]]:
        """Return the number of minutes in each state, by component and day (WIB)."""
        found: dict[Component, dict[str, dict[ComponentState, int]]] = {
            one: {} for one in Component
        }
        for day, component, state, minutes in self._db.execute("SELECT * FROM day ORDER BY day"):
            found[Component(component)].setdefault(day, {})[ComponentState(state)] = minutes
        return found

    # -- orders of the watcher ---------------------------------------------------------------------

    def bought(self, stage: str) -> list[tuple[str, str]]:
        """Return (order id, refund id) of the watcher's orders in a stage, the earliest first.

        Stages: `paid` (the payment is not seen yet), `stock` (stamps are unused), `asked` (a refund is requested).
        """
        rows = self._db.execute(
            "SELECT id, refund FROM bought WHERE stage = ? ORDER BY at", [stage]
        )
        return [(one, refund) for one, refund in rows]

    def put(self, order: str, stage: str, at: datetime, refund: str = "") -> None:
        """Set the stage of an order."""
        self._write(
            "INSERT INTO bought VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET stage = excluded.stage, refund = excluded.refund",
            *(order, at.isoformat(), stage, refund),
        )

    def done_with(self, order: str) -> None:
        """Remove a finished order."""
        self._write("DELETE FROM bought WHERE id = ?", order)

    def add_stamped(self, at: datetime, seconds: float) -> None:
        """Record the seconds from a payment to its stamped document."""
        self._write("INSERT INTO stamped VALUES (?, ?)", at.isoformat(), seconds)

    def stamped_since(self, at: datetime) -> list[float]:
        """Return, for each document stamped since a moment, the seconds from its payment to its stamping, shortest first."""
        rows = self._db.execute(
            "SELECT seconds FROM stamped WHERE at >= ? ORDER BY seconds", [at.isoformat()]
        )
        return [one for (one,) in rows]

    # -- notes of staff ----------------------------------------------------------------------

    def add_note(
        self, at: datetime, component: Component, state: ComponentState, texts: Mapping[str, str]
    ) -> int:
        """Store a note of staff and return its number."""
        added = self._write(
            "INSERT INTO note (at, component, state, id_text, en_text) VALUES (?, ?, ?, ?, ?)",
            *(at.isoformat(), component, int(state), texts["id"], texts["en"]),
        )
        return int(added.lastrowid or 0)

    def notes(self) -> Sequence[WatcherNote]:
        """Return all notes, newest first."""
        return [
            WatcherNote(number, _moment(at), Component(one), ComponentState(state), {"id": local, "en": english})
            for number, at, one, state, local, english in self._db.execute(
                "SELECT id, at, component, state, id_text, en_text FROM note ORDER BY id DESC"
            )
        ]  # fmt: skip

    def prune(self, now: datetime) -> None:
        """Remove rows beyond their retention."""
        old, documents = (now - KEPT).isoformat(), (now - DOCUMENTS_KEPT).isoformat()
        with self._db:
            for statement in _PRUNE:
                self._db.execute(statement, [old])
            self._db.execute("DELETE FROM reading WHERE minute < ?", [documents])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
