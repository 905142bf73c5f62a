"""Accounts of customers at all banks, and the two accounts of the merchant at this bank.

The merchant's own account gets settlements, its float account pays transfers.  A balance is the sum of
lines, and no line ever changes.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection

from standins.bank.model import BANK_CODE
from standins.refusal import NotUnderstood

OWN_ACCOUNT = "8800000001"
FLOAT_ACCOUNT = "8800000002"
SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    bank   TEXT NOT NULL,
    number TEXT NOT NULL,
    name   TEXT NOT NULL,
    state  TEXT NOT NULL,
    PRIMARY KEY (bank, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS account_line (
    seq       INTEGER PRIMARY KEY,
    bank      TEXT NOT NULL,
    number    TEXT NOT NULL,
    moved_at  INTEGER NOT NULL,
    amount    INTEGER NOT NULL,                  -- below zero: out of the account
    kind      TEXT NOT NULL,
    reference TEXT NOT NULL,
    remark    TEXT NOT NULL,
    FOREIGN KEY (bank, number) REFERENCES account (bank, number)
);
CREATE INDEX IF NOT EXISTS account_line_of_account ON account_line (bank, number, moved_at);
"""
_CUSTOMERS = tomllib.loads(Path(__file__).with_name("customers.toml").read_text(encoding="utf-8"))
BANKS: dict[str, str] = {code: name for code, (name, _) in _CUSTOMERS["banks"].items()}
_CODES = {bic: code for code, (_, bic) in _CUSTOMERS["banks"].items()}


class AccountState(StrEnum):
    """State of an account, which decides whether it takes money."""

    ACTIVE = "active"
    CLOSED = "closed"
    DORMANT = "dormant"


@dataclass(frozen=True, slots=True)
class Account:
    """One account at one bank."""

    bank: str
    number: str
    name: str
    state: AccountState


@dataclass(frozen=True, slots=True)
class AccountLine:
    """Money in or out (below zero) of one account."""

    seq: int
    moved_at: int
    amount: int
    kind: str
    reference: str
    remark: str


class Accounts:
    """All accounts that this bank can see.  `holder` is the merchant's name."""

    def __init__(self, connection: Connection, holder: str, float_opening: int, now: int) -> None:
        self._connection = connection
        for one in _CUSTOMERS["accounts"]:
            self.add(one["bank"], one["number"], one["name"], one.get("state", "active"))
        self.add(BANK_CODE, OWN_ACCOUNT, holder, AccountState.ACTIVE)
        self.add(BANK_CODE, FLOAT_ACCOUNT, holder, AccountState.ACTIVE)
        if float_opening and not self.lines(FLOAT_ACCOUNT):
            self.move(
                BANK_CODE, FLOAT_ACCOUNT, now, float_opening, "opening", "", "opening balance"
            )

    def add(self, bank: str, number: str, name: str, state: str) -> None:
        """Add an account, unless it exists."""
        self._connection.execute(
            "INSERT OR IGNORE INTO account (bank, number, name, state) VALUES (?, ?, ?, ?)",
            (bank, number, name, AccountState(state)),
        )

    def set(self, bank: str, number: str, name: str, state: str) -> None:
        """Add or change an account.  Refuses with `NotUnderstood`."""
        if bank not in BANKS or state not in set(AccountState) or not number or not name:
            raise NotUnderstood("an account has a known bank, a number, a name and a state")
        self.add(bank, number, name, state)
        self._connection.execute(
            "UPDATE account SET name = ?, state = ? WHERE bank = ? AND number = ?",
            (name, state, bank, number),
        )

    def find(self, bank: str, number: str) -> Account | None:
        """Return the account with this bank (see `bank_of`) and number, or None."""
        row = self._connection.execute(
            "SELECT bank, number, name, state FROM account WHERE bank = ? AND number = ?",
            (bank, number),
        ).fetchone()
        return None if row is None else _account(row)

    def all(self) -> list[Account]:
        """Return every account."""
        rows = self._connection.execute("SELECT bank, number, name, state FROM account").fetchall()
        return [_account(row) for row in rows]

    def move(
        self, bank: str, number: str, now: int, amount: int, kind: str, reference: str, remark: str
    ) -> None:
        """Add a line to an account: `amount` rupiah in, or out if below zero."""
        self._connection.execute(
            "INSERT INTO account_line (bank, number, moved_at, amount, kind, reference, remark)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (bank, number, now, amount, kind, reference, remark),
        )

    def balance(self, number: str, bank: str = BANK_CODE, before: int | None = None) -> int:
        """Return the balance in rupiah: the sum of all lines, or of those before a moment (milliseconds since 1970)."""
        row = self._connection.execute(
            "SELECT COALESCE(SUM(amount), 0) FROM account_line"
            " WHERE bank = ? AND number = ? AND (? IS NULL OR moved_at < ?)",
            (bank, number, before, before),
        ).fetchone()
        return int(row[0])

    def lines(self, number: str, begins: int = 0, ends: int = 2**62) -> list[AccountLine]:
        """Return the lines of an account of the merchant from `begins` to before `ends`, in order of time."""
        rows = self._connection.execute(
            "SELECT seq, moved_at, amount, kind, reference, remark FROM account_line WHERE bank = ?"
            " AND number = ? AND moved_at >= ? AND moved_at < ? ORDER BY moved_at, seq",
            (BANK_CODE, number, begins, ends),
        )
        return [AccountLine(*row) for row in rows.fetchall()]


def _account(row: tuple[str, str, str, str]) -> Account:
    bank, number, name, state = row
    return Account(bank, number, name, AccountState(state))


def bank_of(told: str) -> str:
    """Return the 3-digit code of a bank from that code, from code and branch, or from the BIC; empty if unknown."""
    code = _CODES.get(told[:8], told[:3] if told.isdigit() else "")
    return code if code in BANKS else ""
