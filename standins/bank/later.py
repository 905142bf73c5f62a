"""Scheduled acts of this bank or of a payer's bank."""

import json
import logging
from collections.abc import Callable
from sqlite3 import Connection
from typing import Any

from standins import clock
from standins.bank.answers import Refused
from standins.refusal import Refusal

SCHEMA = """
CREATE TABLE IF NOT EXISTS later (
    seq    INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,
    act    TEXT NOT NULL,
    facts  TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS later_due ON later (due_at);
"""

log = logging.getLogger(__name__)

Act = Callable[..., object]


class Later:
    """Scheduled acts, which are stored and survive a restart. `wake` is called when an act is scheduled."""

    def __init__(self, connection: Connection, wake: Callable[[], None]) -> None:
        self._connection = connection
        self._wake = wake
        self._acts: dict[str, Act] = {}

    def can(self, act: str, carry_out: Act) -> None:
        """Register an act under a name; it is called with the facts that were given to `plan`, and may refuse."""
        self._acts[act] = carry_out

    def plan(self, act: str, seconds: float, **facts: Any) -> None:
        """Schedule an act after so many seconds, with these facts."""
        self._connection.execute(
            "INSERT INTO later (due_at, act, facts) VALUES (?, ?, ?)",
            (clock.now_ms() + round(seconds * 1000), act, json.dumps(facts)),
        )
        self._wake()

    def carry_out_due(self) -> float | None:
        """Carry out due acts. Return the seconds until the next, or None. A refused act is dropped, since an earlier act
        made it impossible.
        """
        for seq, act, facts in self._connection.execute(
            "SELECT seq, act, facts FROM later WHERE due_at <= ? ORDER BY due_at, seq",
            (clock.now_ms(),),
        ).fetchall():
            try:
                self._acts[act](**json.loads(facts))
            except (Refusal, Refused) as refusal:
                log.info("%s %s was not carried out: %s", act, facts, refusal)
            self._connection.execute("DELETE FROM later WHERE seq = ?", (seq,))
        row = self._connection.execute("SELECT MIN(due_at) FROM later").fetchone()
        return None if row[0] is None else max(0, row[0] - clock.now_ms()) / 1000
