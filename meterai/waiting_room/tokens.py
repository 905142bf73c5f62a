"""Tickets and turns as a browser or program holds them: signed bytes, read without a database.

A token is version, kind, key, line, number, holder and two times, and a MAC over all of it
(HMAC-SHA256, cut to 16 bytes: RFC 2104, section 5).  Its length is fixed and each field has its place, so no
two different tokens have the same bytes under the MAC.
"""

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple
from uuid import UUID

from meterai.waiting_room.model import TicketInvalid

_VERSION = 1
_TICKET, _TURN, _EARLY_TURN = 1, 2, 3
_MAC_BYTES = 16
HOLDER_BYTES = 16
# version, kind, key, line, number, holder, when (ms), until or range
_BODY = struct.Struct(">BBB16sQ16sQQ")
_RANGE = struct.Struct(">II")
_LENGTH = _BODY.size + _MAC_BYTES
TEXT_LENGTH = (_LENGTH * 4 + 2) // 3  # in base 64, without padding


class Ticket(NamedTuple):
    """A place in a line.

    `holder` is 16 random bytes of whoever took it; `taken_at` in milliseconds since 1970; `low` and
    `high` the seconds of waiting that were shown when it was taken, both 0 where none were.
    """

    line: UUID
    number: int
    holder: bytes
    taken_at: int
    low: int
    high: int


class Turn(NamedTuple):
    """The right to do what a line stands before.

    `is_early`: of somebody who came while nobody had to wait; no row says so before it is used.
    """

    line: UUID
    number: int
    holder: bytes
    admitted_at: int
    until: int
    is_early: bool = False


class Tokens:
    """Makes and reads both.  One key for each installation, so that all processes read all."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._id = hashlib.sha256(key).digest()[0]

    def _sealed(self, kind: int, *fields: object) -> str:
        body = _BODY.pack(_VERSION, kind, self._id, *fields)
        mac = hmac.digest(self._key, body, hashlib.sha256)[:_MAC_BYTES]
        return urlsafe_b64encode(body + mac).rstrip(b"=").decode()

    def _opened(
        self, kinds: tuple[int, ...], text: str | bytes
    ) -> tuple[int, bytes, int, bytes, int, int]:
        told = text.encode("ascii", "replace") if isinstance(text, str) else text
        if len(told) != TEXT_LENGTH:
            raise TicketInvalid("the length is wrong")
        try:
            content = urlsafe_b64decode(told + b"=" * (-len(told) % 4))
        except ValueError:
            raise TicketInvalid("not base 64") from None
        body, mac = content[: _BODY.size], content[_BODY.size :]
        wanted = hmac.digest(self._key, body, hashlib.sha256)[:_MAC_BYTES]
        # The one text that we wrote: `+` and `/` are read as `-` and `_` are.
        if not hmac.compare_digest(mac, wanted) or urlsafe_b64encode(content).rstrip(b"=") != told:
            raise TicketInvalid("the MAC is wrong")
        version, found, _, *fields = _BODY.unpack(body)
        if version != _VERSION or found not in kinds:
            raise TicketInvalid("of another version or kind")
        line, number, holder, at, last = fields
        return found, line, number, holder, at, last

    def ticket(self, ticket: Ticket) -> str:
        """The text of a ticket."""
        line, number, holder, taken_at, low, high = ticket
        shown = int.from_bytes(_RANGE.pack(low, high))
        return self._sealed(_TICKET, line.bytes, number, holder, taken_at, shown)

    def read_ticket(self, text: str | bytes) -> Ticket:
        """Refuses `TicketInvalid`."""
        _, line, number, holder, taken_at, shown = self._opened((_TICKET,), text)
        low, high = _RANGE.unpack(shown.to_bytes(_RANGE.size))
        return Ticket(UUID(bytes=line), number, holder, taken_at, low, high)

    def turn(self, turn: Turn) -> str:
        """The text of a turn."""
        kind = _EARLY_TURN if turn.is_early else _TURN
        return self._sealed(
            kind, turn.line.bytes, turn.number, turn.holder, turn.admitted_at, turn.until
        )

    def read_turn(self, text: str | bytes) -> Turn:
        """Refuses `TicketInvalid`; whether its time is over is for the caller to see."""
        found = self._opened((_TURN, _EARLY_TURN), text)
        kind, line, number, holder, admitted_at, until = found
        is_early = kind == _EARLY_TURN
        return Turn(UUID(bytes=line), number, holder, admitted_at, until, is_early)
