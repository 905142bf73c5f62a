"""Stored state of Midtrans, in SQLite: each transaction as JSON, and notifications."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from standins import faults
from standins.bank import overrides
from standins.midtrans.model import Kind, Movement, News, Status, Transaction
from standins.state import open_state, transaction

SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS charge (
    seq            INTEGER PRIMARY KEY,
    transaction_id TEXT NOT NULL UNIQUE,
    order_id       TEXT NOT NULL,                -- again after a cancel or an end
    shown          TEXT NOT NULL UNIQUE,
    happens_at     INTEGER,
    facts          TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS charge_of_order ON charge (order_id, seq);
CREATE INDEX IF NOT EXISTS charge_happens ON charge (happens_at) WHERE happens_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS news (
    seq            INTEGER PRIMARY KEY,
    transaction_id TEXT NOT NULL,
    body           BLOB NOT NULL,
    copies         INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    due_at         INTEGER NOT NULL,
    state          TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS news_due ON news (due_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS news_of_charge ON news (transaction_id);
"""
    + faults.SCHEMA
    + overrides.SCHEMA
)
_NEWS = "SELECT seq, body, copies, attempts, due_at, state FROM news WHERE "


class Store:
    """The stored state of Midtrans."""

    def __init__(self, path: Path) -> None:
        self.connection = open_state(path, SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Make all changes of the body, or none."""
        return transaction(self.connection)

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, values).fetchall()

    def next_number(self) -> int:
        """Return the number of the next charge, which is valid until the transaction ends."""
        return int(self._rows("SELECT COALESCE(MAX(seq), 0) + 1 FROM charge")[0][0])

    def keep(self, charge: Transaction) -> None:
        """Write a charge, new or changed."""
        self._rows(
            "INSERT INTO charge (transaction_id, order_id, shown, happens_at, facts)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (transaction_id) DO UPDATE"
            " SET happens_at = excluded.happens_at, facts = excluded.facts",
            charge.transaction_id,
            charge.order_id,
            charge.shown,
            charge.happens_at,
            json.dumps(asdict(charge)),
        )

    def find(self, name: str) -> Transaction | None:
        """Find a transaction by its id, QR or account number, or the newest of the merchant's order id."""
        where = "? IN (transaction_id, order_id, shown) ORDER BY seq DESC LIMIT 1"
        return next(self._charges(where, name), None)

    def charges(self, limit: int = -1) -> list[Transaction]:
        """Return the newest charges, newest first; -1 for all."""
        return list(self._charges("true ORDER BY seq DESC LIMIT ?", limit))

    def happening(self, now: int) -> list[Transaction]:
        """Return charges with a due scheduled act."""
        return list(self._charges("happens_at <= ? ORDER BY happens_at", now))

    def next_happening(self) -> int | None:
        """Return the time of the next scheduled act, or None."""
        found = self._rows("SELECT MIN(happens_at) FROM charge")[0][0]
        return None if found is None else int(found)

    def _charges(self, where: str, value: object) -> Iterator[Transaction]:
        # `where` is a constant of this class; the value is bound.
        for (text,) in self._rows(f"SELECT facts FROM charge WHERE {where}", value):  # noqa: S608
            facts = json.loads(text)
            moved = tuple(
                Movement(**one | {"kind": Kind(one["kind"])}) for one in facts["movements"]
            )
            named = {name: facts[name] and Status(facts[name]) for name in ("closing", "said")}
            yield Transaction(**facts | named | {"movements": moved})

    # Notifications

    def add_news(
        self, transaction_id: str, body: bytes, due_at: int, copies: int = 1, state: str = "waiting"
    ) -> None:
        """Write a notification, to be sent or (state `dropped`) never sent."""
        self._rows(
            "INSERT INTO news (transaction_id, body, copies, due_at, state) VALUES (?, ?, ?, ?, ?)",
            *(transaction_id, body, copies, due_at, state),
        )

    def record_try(self, number: int, state: str, due_at: int) -> None:
        """Record one more try to send a notification."""
        self._rows(
            "UPDATE news SET attempts = attempts + 1, state = ?, due_at = ? WHERE seq = ?",
            *(state, due_at, number),
        )

    def waiting_news(self, limit: int) -> list[News]:
        """Return notifications to send, the earliest due first."""
        rows = self._rows(_NEWS + "state = 'waiting' ORDER BY due_at, seq LIMIT ?", limit)
        return [News(*row) for row in rows]

    def news_of(self, transaction_id: str) -> list[News]:
        """Return the notifications of a transaction, oldest first."""
        return [
            News(*row)
            for row in self._rows(_NEWS + "transaction_id = ? ORDER BY seq", transaction_id)
        ]
