"""The mailboxes in SQLite: one row for every recipient of every mail."""

# Only constants of this module are formatted into SQL (column lists, conditions); values are bound.
# ruff: noqa: S608

import email
import email.policy
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from standins import clock, faults
from standins.state import open_state, transaction

MAILS_MAX = 5_000  # older mails are deleted, so that a rehearsal cannot fill the disk

SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS mail (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- a number is never used again
    recipient   TEXT NOT NULL COLLATE NOCASE,
    sender      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    text        TEXT NOT NULL,
    html        TEXT NOT NULL,
    received_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS mail_of_recipient ON mail (recipient);
"""
    + faults.SCHEMA
)

_MAIL = "id, recipient, sender, subject, text, html, received_at"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in the mailbox of one recipient. `recipient` is from the envelope, not from the header."""

    id: int
    recipient: str
    sender: str
    subject: str
    text: str
    html: str
    received_at: int


class MailStore:
    """The mailboxes of all addresses; every address has a mailbox."""

    def __init__(self, path: Path) -> None:
        self.connection: sqlite3.Connection = open_state(path, SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def add(self, recipients: Sequence[str], raw: bytes) -> None:
        """Put a mail into the mailbox of each recipient; delete the oldest beyond `MAILS_MAX`."""
        message = email.message_from_bytes(raw, policy=email.policy.default)
        now = clock.now_ms()
        read = (
            _header(message, "from"),
            _header(message, "subject"),
            _part(message, "plain"),
            _part(message, "html"),
            now,
        )
        with transaction(self.connection):
            self.connection.executemany(
                "INSERT INTO mail (recipient, sender, subject, text, html, received_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(recipient, *read) for recipient in recipients],
            )
            self.connection.execute(
                "DELETE FROM mail WHERE id <= (SELECT MAX(id) FROM mail) - ?", (MAILS_MAX,)
            )

    def mails(self, recipient: str = "", limit: int = MAILS_MAX) -> list[Mail]:
        """Return the newest mails of a recipient (empty: of all), newest first."""
        where = "recipient = ?" if recipient else "? = ''"
        rows = self.connection.execute(
            f"SELECT {_MAIL} FROM mail WHERE {where} ORDER BY id DESC LIMIT ?",
            (recipient, limit),
        )
        return [Mail(*row) for row in rows.fetchall()]

    def mail(self, number: int) -> Mail | None:
        """Return the mail with this number, or None."""
        row = self.connection.execute(
            f"SELECT {_MAIL} FROM mail WHERE id = ?",
            (number,),
        ).fetchone()
        return None if row is None else Mail(*row)

    def delete_all(self) -> int:
        """Delete all mails. Return their number."""
        return self.connection.execute("DELETE FROM mail").rowcount


def _header(message: EmailMessage, name: str) -> str:
    # A mail with an unparsable header is shown nevertheless.
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, LookupError, AttributeError):
        return "(unreadable)"


def _part(message: EmailMessage, kind: str) -> str:
    """Return the first part of this kind (`plain`, `html`) that is not an attachment; empty if there is none."""
    for part in message.walk():
        if part.get_content_type() == f"text/{kind}" and not part.is_attachment():
            return _decoded(part)
    return ""


def _decoded(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")
