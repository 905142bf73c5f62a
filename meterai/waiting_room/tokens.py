"""Tokens of visitors: tickets and turns as authenticated texts, verified without a database.

A token consists of version, kind, key, line, number, holder and two times, and a MAC over all of these (HMAC-SHA256, cut
to 16 bytes: RFC 2104, section 5).  Each kind has a fixed length, and each field a fixed position, so that different
tokens never have the same bytes under the MAC.
"""

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, NamedTuple
from uuid import UUID

from meterai.waiting_room.model import TicketInvalid

_VERSION = 1
_TICKET, _TURN, _EARLY_TURN, _SPACED_TICKET, _BOUND_EARLY_TURN, _BOUND_TURN = 1, 2, 3, 4, 5, 6
_TURNS = {  # by `is_early` and `is_bound`
    (False, False): _TURN,
    (True, False): _EARLY_TURN,
    (True, True): _BOUND_EARLY_TURN,
    (False, True): _BOUND_TURN,
}
_MAC_BYTES = 16
HOLDER_BYTES = 16
# version, kind, key, line, number, holder, time (ms since 1970), end of the turn (ms since 1970) or shown range
_BODY = struct.Struct(">BBB16sQ16sQQ")
# The same fields, then serial and since.
_SPACED_BODY = struct.Struct(_BODY.format + "QQ")
_RANGE = struct.Struct(">II")
# Lengths of the texts of tokens: base 64, without padding.
TEXT_LENGTH, SPACED_TEXT_LENGTH = (
    ((one.size + _MAC_BYTES) * 4 + 2) // 3 for one in (_BODY, _SPACED_BODY)
)
_BODIES = {TEXT_LENGTH: _BODY, SPACED_TEXT_LENGTH: _SPACED_BODY}


class Ticket(NamedTuple):
    """A place in a line, in the form of the token that its holder carries.

    The holder's turn comes when the line reaches `number`.  `holder` has 16 random bytes that identify the holder. `taken_at`
    is in milliseconds since 1970.  `low` and `high` are the range of waiting time, in seconds, that was shown when the place
    was taken, both 0 if none was shown.  A spaced place (`spacing.py`) also has a `serial`, and in `since` the number that was
    next in the line when the place was taken; for any other place both are 0.
    """

    line: UUID
    number: int
    holder: bytes
    taken_at: int
    low: int
    high: int
    serial: int = 0
    since: int = 0

    @property
    def key(self) -> int:
        """Key of the place and its turn, unique in the line: the serial of a spaced place, else the number."""
        return self.serial or self.number

    @property
    def is_behind(self) -> bool:
        """True if the place would be called earlier after a sign-in of its holder."""
        return self.number > self.since > 0


class Turn(NamedTuple):
    """The right to do a guarded act, valid until the time `until`; times in milliseconds since 1970.

    `is_early`: the visitor came while nobody had to wait; such a turn gets a row in the database only when it is used.
    `is_bound`: the turn is valid for one account only, from which `holder` is derived.
    """

    line: UUID
    number: int
    holder: bytes
    admitted_at: int
    until: int
    is_early: bool = False
    is_bound: bool = False


class LineTokens:
    """Encodes and verifies tickets and turns, with a key of the installation."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._id = hashlib.sha256(key).digest()[0]

    def _sealed(self, kind: int, *fields: object) -> str:
        form = _SPACED_BODY if kind == _SPACED_TICKET else _BODY
        body = form.pack(_VERSION, kind, self._id, *fields)
        mac = hmac.digest(self._key, body, hashlib.sha256)[:_MAC_BYTES]
        return urlsafe_b64encode(body + mac).rstrip(b"=").decode()

    def _opened(self, kinds: tuple[int, ...], text: str | bytes) -> list[Any]:
        octets = text.encode("ascii", "replace") if isinstance(text, str) else text
        if (form := _BODIES.get(len(octets))) is None:
            raise TicketInvalid("the length is wrong")
        try:
            content = urlsafe_b64decode(octets + b"=" * (-len(octets) % 4))
        except ValueError:
            raise TicketInvalid("not base 64") from None
        body, mac = content[: form.size], content[form.size :]
        wanted = hmac.digest(self._key, body, hashlib.sha256)[:_MAC_BYTES]
        # Only the exact text that we wrote is accepted: the decoder also reads `+` and `/` as `-` and `_`.
        if (
            not hmac.compare_digest(mac, wanted)
            or urlsafe_b64encode(content).rstrip(b"=") != octets
        ):
            raise TicketInvalid("the MAC is wrong")
        version, found, _, *fields = form.unpack(body)
        is_long = form is _SPACED_BODY
        if version != _VERSION or found not in kinds or is_long != (found == _SPACED_TICKET):
            raise TicketInvalid("the token has another version or kind")
        return [found, *fields]

    def ticket(self, ticket: Ticket) -> str:
        """Encode a ticket as the signed text that its holder carries."""
        line, number, holder, taken_at, low, high, serial, since = ticket
        shown = int.from_bytes(_RANGE.pack(low, high))
        kind, more = (_SPACED_TICKET, (serial, since)) if serial else (_TICKET, ())
        return self._sealed(kind, line.bytes, number, holder, taken_at, shown, *more)

    def read_ticket(self, text: str | bytes) -> Ticket:
        """Decode and verify a ticket.  Refuses `TicketInvalid`."""
        kinds = (_TICKET, _SPACED_TICKET)
        _, line, number, holder, taken_at, shown, *more = self._opened(kinds, text)
        low, high = _RANGE.unpack(shown.to_bytes(_RANGE.size))
        return Ticket(UUID(bytes=line), number, holder, taken_at, low, high, *more)

    def turn(self, turn: Turn) -> str:
        """Encode a turn as the signed text that its holder carries."""
        kind = _TURNS[turn.is_early, turn.is_bound]
        return self._sealed(
            kind, turn.line.bytes, turn.number, turn.holder, turn.admitted_at, turn.until
        )

    def read_turn(self, text: str | bytes) -> Turn:
        """Decode and verify a turn, expired or not.  Refuses `TicketInvalid`."""
        found = self._opened(tuple(_TURNS.values()), text)
        kind, line, number, holder, admitted_at, until = found
        is_early = kind in (_EARLY_TURN, _BOUND_EARLY_TURN)
        is_bound = kind in (_BOUND_EARLY_TURN, _BOUND_TURN)
        return Turn(UUID(bytes=line), number, holder, admitted_at, until, is_early, is_bound)
