"""Everything a watcher knows, in one SQLite file of its own: it goes on after a kill where it was.

Every call commits by itself.  What became too old is removed once a day (`prune`).
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from meterai.kit.clock import WIB
from meterai.kit.components import Component, ComponentState
from meterai.plumbing.readings import Measured

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


class Store:
    """The file.  One process writes measurements; `watch note` of another may write notes."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(
            "PRAGMA synchronous = FULL"
        )  # a minute that was signed is never signed again
        self._db.executescript(_SCHEMA)
        self._version = self._data_version()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _data_version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def has_changed_elsewhere(self) -> bool:
        """Whether another process wrote since this was asked: a note."""
        before, self._version = self._version, self._data_version()
        return self._version != before

    @contextmanager
    def _whole(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # -- facts -------------------------------------------------------------------------------

    def fact(self, name: str) -> Any:
        """What was kept under a name; None where nothing was."""
        found = self._db.execute("SELECT value FROM fact WHERE name = ?", [name]).fetchone()
        return None if found is None else json.loads(found[0])

    def keep(self, name: str, value: object) -> None:
        """Keep something under a name."""
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", [name, json.dumps(value)])

    # -- states and changes ------------------------------------------------------------------

    def states(self) -> Mapping[Component, sqlite3.Row]:
        """own, agreed, since and measured_at of each component that has any."""
        cursor = self._db.execute("SELECT * FROM state")
        cursor.row_factory = sqlite3.Row
        return {Component(row["component"]): row for row in cursor}

    def keep_state(
        self,
        component: Component,
        own: ComponentState,
        agreed: ComponentState,
        since: datetime,
        measured_at: datetime | None,
    ) -> None:
        """Keep the state of a component."""
        at = measured_at and measured_at.isoformat()
        row = [component, int(own), int(agreed), since.isoformat(), at]
        self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?)", row)

    def add_change(
        self, component: Component, at: datetime, facts: Mapping[str, Any], document: str
    ) -> None:
        """Keep a change, signed."""
        before, after = (ComponentState.of(facts[name]) for name in ("from", "to"))
        row = [at.isoformat(), component, facts["agreed"], int(before), int(after)]
        self._db.execute(
            "INSERT INTO change (at, component, is_agreed, was, becomes, faults, document)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [*row, json.dumps(list(facts["faults"])), document],
        )

    def changes(self, most: int) -> Sequence[sqlite3.Row]:
        """The newest agreed changes, newest first."""
        cursor = self._db.execute(
            "SELECT * FROM change WHERE is_agreed ORDER BY id DESC LIMIT ?", [most]
        )
        cursor.row_factory = sqlite3.Row
        return cursor.fetchall()

    def change_documents(self) -> Sequence[str]:
        """Every signed change, the earliest first."""
        return [one for (one,) in self._db.execute("SELECT document FROM change ORDER BY id")]

    # -- tries and readings ------------------------------------------------------------------

    def add_try(self, minute: str, component: Component, outcome: int, ms: int, fault: str) -> None:
        """Count one try in its minute."""
        failed, slow = int(outcome == 2), int(outcome == 1)
        row = self._db.execute(
            "SELECT faults FROM tried WHERE minute = ? AND component = ?", [minute, component]
        ).fetchone()
        faults = json.loads(row[0]) if row else []
        if fault and fault not in faults:
            faults.append(fault)
        self._db.execute(
            "INSERT INTO tried VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET tries = tries + 1,"
            " failures = failures + excluded.failures, slow = slow + excluded.slow,"
            " worst_ms = max(worst_ms, excluded.worst_ms), faults = excluded.faults",
            [minute, component, failed, slow, ms, json.dumps(faults)],
        )

    def last_tried(self, before: str) -> str | None:
        """The last minute with a try, before this one."""
        found = self._db.execute(
            "SELECT max(minute) FROM tried WHERE minute < ?", [before]
        ).fetchone()
        return None if found[0] is None else str(found[0])

    def measured(self, minute: str) -> Mapping[Component, Measured]:
        """What was counted in a minute."""
        rows = self._db.execute("SELECT * FROM tried WHERE minute = ?", [minute])
        return {
            Component(one): Measured(tries, failures, slow, worst, tuple(json.loads(faults)))
            for _, one, tries, failures, slow, worst, faults in rows
        }

    def end_minute(
        self, minute: str, document: str, chain: Mapping[str, object], lost: Mapping[Component, int]
    ) -> bool:
        """Keep the reading of a minute and what was lost in it; false where it was kept before."""
        day = datetime.fromisoformat(minute).astimezone(WIB).date().isoformat()
        with self._whole():
            added = self._db.execute(
                "INSERT OR IGNORE INTO reading VALUES (?, ?)", [minute, document]
            )
            if not added.rowcount:
                return False
            self.keep("chain", chain)
            self._db.executemany(
                "INSERT INTO day VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET minutes = minutes + 1",
                [(day, component, state) for component, state in lost.items()],
            )
        return True

    def readings(self, day: str) -> Sequence[str]:
        """The signed readings of a day (UTC), the earliest first."""
        rows = self._db.execute(
            "SELECT document FROM reading WHERE minute >= ? AND minute < ? ORDER BY minute",
            [day, day + "U"],
        )
        return [one for (one,) in rows]

    def days(self) -> Mapping[Component, Mapping[str, Mapping[ComponentState, int]]]:
        """Minutes in each state, by component and day (WIB)."""
        found: dict[Component, dict[str, dict[ComponentState, int]]] = {
            one: {} for one in Component
        }
        for day, component, state, minutes in self._db.execute("SELECT * FROM day ORDER BY day"):
            found[Component(component)].setdefault(day, {})[ComponentState(state)] = minutes
        return found

    # -- what was bought ---------------------------------------------------------------------

    def bought(self, stage: str) -> list[tuple[str, str]]:
        """(order, refund) of this stage: `paid`, `stock` or `asked`; the earliest first."""
        rows = self._db.execute(
            "SELECT id, refund FROM bought WHERE stage = ? ORDER BY at", [stage]
        )
        return [(one, refund) for one, refund in rows]

    def put(self, order: str, stage: str, at: datetime, refund: str = "") -> None:
        """An order is in this stage now."""
        self._db.execute(
            "INSERT INTO bought VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET stage = excluded.stage, refund = excluded.refund",
            [order, at.isoformat(), stage, refund],
        )

    def done_with(self, order: str) -> None:
        """Nothing is left of an order."""
        self._db.execute("DELETE FROM bought WHERE id = ?", [order])

    def add_stamped(self, at: datetime, seconds: float) -> None:
        """A document was stamped so many seconds after its payment."""
        self._db.execute("INSERT INTO stamped VALUES (?, ?)", [at.isoformat(), seconds])

    def stamped_since(self, at: datetime) -> list[float]:
        """Seconds from paid to stamped, shortest first."""
        rows = self._db.execute(
            "SELECT seconds FROM stamped WHERE at >= ? ORDER BY seconds", [at.isoformat()]
        )
        return [one for (one,) in rows]

    # -- words of staff ----------------------------------------------------------------------

    def add_note(
        self, at: datetime, component: Component, state: ComponentState, texts: Mapping[str, str]
    ) -> int:
        """Keep a note; its number."""
        row = [at.isoformat(), component, int(state), texts["id"], texts["en"]]
        added = self._db.execute(
            "INSERT INTO note (at, component, state, id_text, en_text) VALUES (?, ?, ?, ?, ?)", row
        )
        return int(added.lastrowid or 0)

    def notes(self) -> Sequence[sqlite3.Row]:
        """All notes, newest first."""
        cursor = self._db.execute("SELECT * FROM note ORDER BY id DESC")
        cursor.row_factory = sqlite3.Row
        return cursor.fetchall()

    def prune(self, now: datetime) -> None:
        """Remove what is older than it is kept."""
        old, documents = (now - KEPT).isoformat(), (now - DOCUMENTS_KEPT).isoformat()
        with self._whole():
            for table, moment in (
                ("tried", "minute"), ("change", "at"), ("note", "at"), ("stamped", "at"), ("day", "day"),
            ):  # fmt: skip
                self._db.execute(f"DELETE FROM {table} WHERE {moment} < ?", [old])  # noqa: S608 - of constants
            self._db.execute("DELETE FROM reading WHERE minute < ?", [documents])
