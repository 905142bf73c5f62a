"""Stored state of the bank, in SQLite: one method for each query; the rules are in the callers."""

# Only constants of this module are formatted into SQL (column lists, conditions); values are bound.
# ruff: noqa: S608

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import astuple
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from standins import faults
from standins.bank import accounts, fees, later, overrides, storm, transfers
from standins.bank.model import (
    Bill,
    Closing,
    Movement,
    Notification,
    NotificationState,
    NotifiedService,
    Payment,
    Refund,
    VirtualAccount,
)
from standins.clock import DAY_MS, wib
from standins.state import open_state, transaction

SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS bill (
    seq                  INTEGER PRIMARY KEY,
    reference_no         TEXT NOT NULL UNIQUE,
    partner_reference_no TEXT NOT NULL UNIQUE,
    amount               INTEGER NOT NULL CHECK (amount > 0),
    qr_content           TEXT NOT NULL UNIQUE,
    terminal_id          TEXT NOT NULL,
    created_at           INTEGER NOT NULL,
    valid_until          INTEGER NOT NULL,
    closing              TEXT,
    closed_at            INTEGER
);
CREATE TABLE IF NOT EXISTS payment (
    seq          INTEGER PRIMARY KEY,
    rrn          TEXT NOT NULL UNIQUE,
    reference_no TEXT NOT NULL REFERENCES bill (reference_no),
    amount       INTEGER NOT NULL CHECK (amount > 0),
    paid_at      INTEGER NOT NULL,
    denied_at    INTEGER,
    deny_at      INTEGER,                        -- when a fault charges it back
    request_id   TEXT NOT NULL DEFAULT '',       -- of a payment into a virtual account
    fee          INTEGER NOT NULL DEFAULT 0,     -- of this bank for it
    tax          INTEGER NOT NULL DEFAULT 0      -- on that fee
);
CREATE INDEX IF NOT EXISTS payment_of_bill ON payment (reference_no);
CREATE INDEX IF NOT EXISTS payment_by_time ON payment (paid_at);
CREATE INDEX IF NOT EXISTS payment_to_deny ON payment (deny_at) WHERE deny_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS virtual_account (
    reference_no TEXT PRIMARY KEY REFERENCES bill (reference_no),
    service_id   TEXT NOT NULL,
    customer_no  TEXT NOT NULL,
    number       TEXT NOT NULL,
    name         TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS virtual_account_of_number ON virtual_account (LTRIM(number));
CREATE TABLE IF NOT EXISTS chargeback (
    seq          INTEGER PRIMARY KEY,
    rrn          TEXT NOT NULL REFERENCES payment (rrn),
    amount       INTEGER NOT NULL CHECK (amount > 0),
    taken_at     INTEGER NOT NULL,
    won_at       INTEGER                         -- the merchant has it again
);
CREATE INDEX IF NOT EXISTS chargeback_of_payment ON chargeback (rrn);
CREATE TABLE IF NOT EXISTS refund (
    seq               INTEGER PRIMARY KEY,
    partner_refund_no TEXT NOT NULL UNIQUE,      -- the partner's idempotency key
    refund_no         TEXT NOT NULL UNIQUE,
    reference_no      TEXT NOT NULL REFERENCES bill (reference_no),
    rrn               TEXT NOT NULL,
    amount            INTEGER NOT NULL CHECK (amount > 0),
    reason            TEXT NOT NULL,
    refunded_at       INTEGER NOT NULL,
    reversed_at       INTEGER
);
CREATE INDEX IF NOT EXISTS refund_of_bill ON refund (reference_no);
CREATE TABLE IF NOT EXISTS notification (
    seq          INTEGER PRIMARY KEY,
    external_id  TEXT NOT NULL UNIQUE,
    reference_no TEXT NOT NULL,
    body         BLOB NOT NULL,
    copies       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    state        TEXT NOT NULL,
    door         TEXT NOT NULL DEFAULT '52'
);
CREATE INDEX IF NOT EXISTS notification_due ON notification (due_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS notification_of_bill ON notification (reference_no);
CREATE TABLE IF NOT EXISTS token (
    token      TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS call (
    day         TEXT NOT NULL,
    external_id TEXT NOT NULL,
    PRIMARY KEY (day, external_id)
) WITHOUT ROWID;
"""
    + faults.SCHEMA
    + overrides.SCHEMA
    + accounts.SCHEMA
    + transfers.SCHEMA
    + later.SCHEMA
    + storm.SCHEMA
    + fees.SCHEMA
)

# Former names of tables and indexes, in files of earlier versions.
_RENAMED = {"letter": "notification", "odd_answer": "response_override"}
_ADDED = {
    ("notification", "door"): "TEXT NOT NULL DEFAULT '52'",
    ("payment", "request_id"): "TEXT NOT NULL DEFAULT ''",
    ("chargeback", "won_at"): "INTEGER",
    ("refund", "reversed_at"): "INTEGER",
    ("payment", "fee"): "INTEGER NOT NULL DEFAULT 0",
    ("payment", "tax"): "INTEGER NOT NULL DEFAULT 0",
}
_FORMER_INDEXES = """
DROP INDEX IF EXISTS letter_due;
DROP INDEX IF EXISTS letter_of_bill;
DROP INDEX IF EXISTS odd_answer_of_service;
"""

_BILL = (
    "reference_no, partner_reference_no, amount, qr_content, terminal_id, "
    "created_at, valid_until, closing, closed_at"
)
_PAYMENT = (
    "reference_no, rrn, amount, paid_at, denied_at, "
    "(SELECT COALESCE(SUM(amount), 0) FROM chargeback"
    " WHERE chargeback.rrn = payment.rrn AND won_at IS NULL), "
    "request_id"
)
_ACCOUNT = "reference_no, service_id, customer_no, number, name"
# All movements of money: the lines of the transaction history (services 12 and 13).
_MOVEMENTS = """
SELECT 'payment' AS kind, p.paid_at AS moved_at, p.seq AS seq, p.reference_no AS reference_no,
       p.rrn AS rrn, p.amount AS amount, '' AS refund_no, '' AS partner_refund_no
FROM payment p
UNION ALL
SELECT 'chargeback', c.taken_at, c.seq, p.reference_no, p.rrn, c.amount, '', ''
FROM chargeback c JOIN payment p USING (rrn)
UNION ALL
SELECT 'chargeback_won', c.won_at, c.seq, p.reference_no, p.rrn, c.amount, '', ''
FROM chargeback c JOIN payment p USING (rrn) WHERE c.won_at IS NOT NULL
UNION ALL
SELECT 'refund', refunded_at, seq, reference_no, rrn, amount, refund_no, partner_refund_no
FROM refund
UNION ALL
SELECT 'refund_reversed', reversed_at, seq, reference_no, rrn, amount, refund_no, partner_refund_no
FROM refund WHERE reversed_at IS NOT NULL
"""
_REFUND = (
    "reference_no, partner_refund_no, refund_no, rrn, amount, reason, refunded_at, reversed_at"
)
_NOTIFICATION = "external_id, reference_no, body, copies, attempts, due_at, state, door"


class Store:
    """The stored state of the bank."""

    def __init__(self, path: Path) -> None:
        self.connection = open_state(path, _FORMER_INDEXES + SCHEMA, _RENAMED, _ADDED)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Make all changes of the body, or none."""
        return transaction(self.connection)

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, values).fetchall()

    def next_number(self, table: str) -> int:
        """Return the number of the next row of `table`, which is valid until the transaction ends."""
        # `table` is a constant of this package, never a value of a request.
        row = self._rows(f"SELECT COALESCE(MAX(seq), 0) + 1 FROM {table}")[0]
        return int(row[0])

    # Tokens and calls

    def add_token(self, token: str, now: int, expires_at: int) -> None:
        """Store a token, and delete expired tokens."""
        self._rows("DELETE FROM token WHERE expires_at <= ?", now)
        self._rows("INSERT INTO token (token, expires_at) VALUES (?, ?)", token, expires_at)

    def is_token_good(self, token: str, now: int) -> bool:
        """True if a token was issued and has not expired."""
        return bool(
            self._rows("SELECT 1 FROM token WHERE token = ? AND expires_at > ?", token, now)
        )

    def add_call(self, external_id: str, now: int) -> bool:
        """Store the external id of a call. Return False if it was used before on this day (Jakarta)."""
        day = wib(now).date().isoformat()
        added = self.connection.execute(
            "INSERT OR IGNORE INTO call (day, external_id) VALUES (?, ?)", (day, external_id)
        )
        return added.rowcount == 1

    def forget_calls(self, now: int) -> None:
        """Delete the external ids of days before yesterday."""
        self._rows("DELETE FROM call WHERE day < ?", wib(now - DAY_MS).date().isoformat())

    # Bills

    def add_bill(self, bill: Bill) -> None:
        """Write a new bill."""
        self._rows(
            "INSERT INTO bill (reference_no, partner_reference_no, amount, qr_content,"
            " terminal_id, created_at, valid_until) VALUES (?, ?, ?, ?, ?, ?, ?)",
            bill.reference_no,
            bill.partner_reference_no,
            bill.amount,
            bill.qr_content,
            bill.terminal_id,
            bill.created_at,
            bill.valid_until,
        )

    def add_account(self, account: VirtualAccount) -> None:
        """Write the virtual account of a new bill."""
        self._rows(
            f"INSERT INTO virtual_account ({_ACCOUNT}) VALUES (?, ?, ?, ?, ?)",
            *astuple(account),
        )

    def change_bill(self, reference_no: str, amount: int, valid_until: int, name: str) -> None:
        """Change amount, end or name of a virtual account that was not paid."""
        self._rows(
            "UPDATE bill SET amount = ?, valid_until = ? WHERE reference_no = ?",
            amount,
            valid_until,
            reference_no,
        )
        self._rows("UPDATE virtual_account SET name = ? WHERE reference_no = ?", name, reference_no)

    def close_bill(self, reference_no: str, closing: Closing, now: int) -> None:
        """Mark a bill as cancelled or declined."""
        self._rows(
            "UPDATE bill SET closing = ?, closed_at = ? WHERE reference_no = ?",
            closing,
            now,
            reference_no,
        )

    def bill(self, reference_no: str) -> Bill | None:
        """Return the bill with this number of the bank, or None."""
        return next(self._bills("reference_no = ?", reference_no), None)

    def bill_of_partner(self, partner_reference_no: str) -> Bill | None:
        """Return the bill with this number of the partner, or None."""
        return next(self._bills("partner_reference_no = ?", partner_reference_no), None)

    def bill_of_qr(self, qr_content: str) -> Bill | None:
        """Return the bill whose QR has this text, or None."""
        return next(self._bills("qr_content = ?", qr_content), None)

    def bill_of_account(self, number: str) -> Bill | None:
        """Return the latest bill of a virtual account, by its number without the leading spaces, or None."""
        where = (
            "seq = (SELECT MAX(b.seq) FROM bill b JOIN virtual_account v USING (reference_no)"
            " WHERE LTRIM(v.number) = LTRIM(?))"
        )
        return next(self._bills(where, number), None)

    def bill_of_request(self, request_id: str) -> Bill | None:
        """Return the bill with a payment of this paymentRequestId into its virtual account, or None."""
        where = "reference_no = (SELECT reference_no FROM payment WHERE request_id = ?)"
        return next(self._bills(where, request_id), None)

    def bills(self, limit: int = -1) -> list[Bill]:
        """Return the newest bills, newest first; -1 for all."""
        where = "seq IN (SELECT seq FROM bill ORDER BY seq DESC LIMIT ?)"
        return list(self._bills(where, limit))

    def _bills(self, where: str, value: object) -> Iterator[Bill]:
        # `where` is a constant of this class; values from requests are bound.
        known = f"SELECT reference_no FROM bill WHERE {where}"
        payments = self._by_bill(
            f"SELECT {_PAYMENT} FROM payment WHERE reference_no IN ({known})"
            " ORDER BY reference_no, seq",
            value,
        )
        refunds = self._by_bill(
            f"SELECT {_REFUND} FROM refund WHERE reference_no IN ({known})"
            " ORDER BY reference_no, seq",
            value,
        )
        virtual = self._by_bill(
            f"SELECT {_ACCOUNT} FROM virtual_account WHERE reference_no IN ({known})"
            " ORDER BY reference_no",
            value,
        )
        rows = self.connection.execute(
            f"SELECT {_BILL} FROM bill WHERE {where} ORDER BY seq DESC",
            (value,),
        )
        for row in rows.fetchall():
            facts = _named(_BILL, row)
            facts["closing"] = Closing(facts["closing"]) if facts["closing"] else None
            yield Bill(
                **facts,
                payments=tuple(Payment(*paid) for paid in payments.get(row[0], ())),
                refunds=tuple(Refund(*sent) for sent in refunds.get(row[0], ())),
                account=next((VirtualAccount(*one) for one in virtual.get(row[0], ())), None),
            )

    def _by_bill(self, sql: str, value: object) -> dict[str, list[tuple[Any, ...]]]:
        rows = self._rows(sql, value)
        return {str(key): list(group) for key, group in groupby(rows, itemgetter(0))}

    # Payments and refunds

    def add_payment(
        self, payment: Payment, deny_at: int | None, fee: int = 0, tax: int = 0
    ) -> None:
        """Write a payment with its fee, the tax on the fee, and the time of a planned chargeback."""
        self._rows(
            "INSERT INTO payment (rrn, reference_no, amount, paid_at, deny_at, request_id, fee, tax)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            payment.rrn,
            payment.reference_no,
            payment.amount,
            payment.paid_at,
            deny_at,
            payment.request_id,
            fee,
            tax,
        )

    def add_chargeback(self, rrn: str, amount: int, now: int) -> None:
        """Record that the payer's bank took this amount of a payment back."""
        self._rows(
            "INSERT INTO chargeback (rrn, amount, taken_at) VALUES (?, ?, ?)", rrn, amount, now
        )

    def charge_back_payment(self, rrn: str, now: int) -> None:
        """Record that the payer's bank took a whole payment back."""
        self._rows("UPDATE payment SET denied_at = ?, deny_at = NULL WHERE rrn = ?", now, rrn)

    def win_back(self, rrn: str, now: int) -> int:
        """Return the last chargeback of a payment to the merchant. Return its rupiah, 0 if there was none."""
        row = self.connection.execute(
            "UPDATE chargeback SET won_at = ? WHERE seq ="
            " (SELECT MAX(seq) FROM chargeback WHERE rrn = ? AND won_at IS NULL) RETURNING amount",
            (now, rrn),
        ).fetchone()
        self._rows("UPDATE payment SET denied_at = NULL WHERE rrn = ?", rrn)
        return 0 if row is None else int(row[0])

    def reverse_refund(self, partner_refund_no: str, now: int) -> None:
        """Record that a refund did not reach the payer."""
        self._rows(
            "UPDATE refund SET reversed_at = ? WHERE partner_refund_no = ?", now, partner_refund_no
        )

    def unschedule_chargeback(self, rrn: str) -> None:
        """Cancel the chargeback that `add_payment` planned for a payment."""
        self._rows("UPDATE payment SET deny_at = NULL WHERE rrn = ?", rrn)

    def payments_to_charge_back(self, now: int) -> list[tuple[str, str]]:
        """Return (reference_no, rrn) of payments whose planned chargeback is due."""
        return self.connection.execute(
            "SELECT reference_no, rrn FROM payment WHERE deny_at <= ?", (now,)
        ).fetchall()

    def next_chargeback(self) -> int | None:
        """Return the time of the next planned chargeback, or None."""
        row = self.connection.execute(
            "SELECT MIN(deny_at) FROM payment WHERE deny_at IS NOT NULL"
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def add_refund(self, refund: Refund) -> None:
        """Write a refund."""
        self._rows(
            f"INSERT INTO refund ({_REFUND}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *astuple(refund),
        )

    def refund(self, partner_refund_no: str) -> Refund | None:
        """Return the refund with this number of the partner, or None."""
        rows = self.connection.execute(
            f"SELECT {_REFUND} FROM refund WHERE partner_refund_no = ?",
            (partner_refund_no,),
        )
        return next((Refund(*row) for row in rows.fetchall()), None)

    def refunds(self) -> list[Refund]:
        """Return all refunds, newest first."""
        rows = self.connection.execute(f"SELECT {_REFUND} FROM refund ORDER BY seq DESC")
        return [Refund(*row) for row in rows.fetchall()]

    def totals(self) -> dict[str, int]:
        """Return the rupiah received in total (including later chargebacks), refunded, and charged back (`denied`).
        Reversed refunds and won chargebacks do not count.
        """
        received, denied, refunded = (
            self._rows(f"SELECT COALESCE(SUM(amount), 0) FROM {table}")[0][0]
            for table in (
                "payment",
                "chargeback WHERE won_at IS NULL",
                "refund WHERE reversed_at IS NULL",
            )
        )
        return {"received": received, "refunded": refunded, "denied": denied}

    def movements(self, begins: int, ends: int, skip: int, limit: int) -> list[Movement]:
        """Return movements from `begins` to before `ends`, in order of time, without the first `skip`."""
        rows = self._rows(
            "SELECT m.kind, m.moved_at, m.reference_no, b.partner_reference_no, m.rrn, m.amount,"
            " m.refund_no, m.partner_refund_no, COALESCE(p.fee, 0), COALESCE(p.tax, 0),"
            " m.amount = COALESCE(p.amount, 0), v.reference_no IS NOT NULL"
            f" FROM (SELECT * FROM ({_MOVEMENTS}) WHERE moved_at >= ? AND moved_at < ?"
            " ORDER BY moved_at, kind, seq LIMIT ? OFFSET ?) m"
            " JOIN bill b USING (reference_no) LEFT JOIN payment p USING (rrn)"
            " LEFT JOIN virtual_account v ON v.reference_no = m.reference_no"
            " ORDER BY m.moved_at, m.kind, m.seq",
            begins,
            ends,
            limit,
            skip,
        )
        return [Movement(*row[:-2], *map(bool, row[-2:])) for row in rows]

    def first_payment(self) -> int | None:
        """Return the time of the first payment, or None."""
        found = self._rows("SELECT MIN(paid_at) FROM payment")[0][0]
        return None if found is None else int(found)

    # Notifications

    def add_notification(self, notification: Notification) -> None:
        """Write a notification to send."""
        self._rows(
            f"INSERT INTO notification ({_NOTIFICATION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            notification.external_id,
            notification.reference_no,
            notification.body,
            notification.copies,
            notification.attempts,
            notification.due_at,
            notification.state,
            notification.service,
        )

    def is_notification_known(self, external_id: str) -> bool:
        """True if a notification has this external id."""
        return bool(self._rows("SELECT 1 FROM notification WHERE external_id = ?", external_id))

    def record_try(self, external_id: str, state: NotificationState, due_at: int) -> None:
        """Record one more try to send a notification."""
        self._rows(
            "UPDATE notification SET attempts = attempts + 1, state = ?, due_at = ?"
            " WHERE external_id = ?",
            state,
            due_at,
            external_id,
        )

    def waiting_notifications(self, limit: int) -> list[Notification]:
        """Return notifications to send, the earliest due first."""
        rows = self.connection.execute(
            f"SELECT {_NOTIFICATION} FROM notification WHERE state = 'waiting'"
            " ORDER BY due_at, seq LIMIT ?",
            (limit,),
        )
        return [_notification(row) for row in rows.fetchall()]

    def notifications_of(self, reference_no: str) -> list[Notification]:
        """Return the notifications of a bill, oldest first."""
        rows = self.connection.execute(
            f"SELECT {_NOTIFICATION} FROM notification WHERE reference_no = ? ORDER BY seq",
            (reference_no,),
        )
        return [_notification(row) for row in rows.fetchall()]


def _named(columns: str, row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(columns.split(", "), row, strict=True))


def _notification(row: tuple[Any, ...]) -> Notification:
    facts = _named(_NOTIFICATION, row)
    facts["state"] = NotificationState(facts["state"])
    facts["service"] = NotifiedService(facts.pop("door"))
    return Notification(**facts)
