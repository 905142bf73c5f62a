"""Identifiers: 128 bits, ordered by time. The caller makes them, so that a retry can use the same one.

Internally they are UUIDs of version 7 (RFC 9562, section 5.7). Externally they are shown as their kind and 26
characters of Crockford's base 32: `ord_06f9k2...`, which is safe to read aloud and in a URL.
"""

import secrets
import time
from datetime import datetime
from uuid import UUID

from meterai.kit.refusal import NotFound

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [one + other for one in ALPHABET for other in ALPHABET]
_LETTERS = frozenset(ALPHABET)
# To the digits that `int` expects.
_BASE_32 = str.maketrans(ALPHABET, "0123456789ABCDEFGHIJKLMNOPQRSTUV")
_LENGTH = 26  # characters of 5 bits each, enough for 128 bits


def new_id() -> UUID:
    """Return a new identifier. Identifiers sort by the millisecond in which they were made."""
    random = secrets.randbits(74)
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | (random >> 62) << 64
    return UUID(int=value | 0b10 << 62 | random & (1 << 62) - 1)


def earliest_id(at: datetime, *, margin_seconds: int) -> UUID:
    """Return a lower bound of the identifiers made at `at` or later; `margin_seconds` are subtracted from `at` first."""
    milliseconds = max(0, int(at.timestamp() - margin_seconds) * 1000)
    return UUID(int=(milliseconds & (1 << 48) - 1) << 80)


def encode(value: int, length: int) -> str:
    """Encode `value` in `length` letters of Crockford's alphabet, most significant letter first."""
    pairs = []
    for _ in range((length + 1) // 2):
        pairs.append(_PAIRS[value & 1023])
        value >>= 10
    return "".join(reversed(pairs))[length % 2 :]


def decode(text: str) -> int:
    """Decode a text written by `encode`. Raises `KeyError` for a letter outside the alphabet."""
    if not _LETTERS.issuperset(text):
        raise KeyError(text)
    return int(text.translate(_BASE_32) or "0", 32)


def compact(identifier: UUID) -> str:
    """Return the 26 upper-case characters of an identifier."""
    return encode(identifier.int, _LENGTH)


def from_compact(text: str) -> UUID:
    """Read an identifier written by `compact`. Raises `ValueError` for any other text."""
    try:
        value = decode(text) if len(text) == _LENGTH else 1 << 128
    except KeyError:
        raise ValueError(f"not an identifier: {text!r}") from None
    if value >> 128:
        raise ValueError(f"not an identifier: {text!r}")
    return UUID(int=value)


def show(kind: str, identifier: UUID) -> str:
    """Return the public form of an identifier of this kind, for example `ord_06f9...`."""
    return f"{kind}_{compact(identifier).lower()}"


def show_hex(kind: str, digits: str) -> str:
    """Return the public form of an identifier given as hexadecimal digits: three times as fast as `show`."""
    return f"{kind}_{encode(int(digits, 16), _LENGTH).lower()}"


def read(kind: str, text: str) -> UUID:
    """Read an identifier in public form and of this kind, with or without spaces between groups.

    Refuses `NotFound` for any other text, since no object has such an id.
    """
    prefix, _, rest = text.replace(" ", "").replace("-", "").partition("_")
    if prefix != kind or rest != rest.lower():
        raise NotFound(f"not an id of kind {kind}")
    try:
        return from_compact(rest.upper())
    except ValueError:
        raise NotFound(f"not an id of kind {kind}") from None


def read_typed(kind: str, text: str) -> UUID | None:
    """Read a typed identifier in upper or lower case; None if the text is no id of this kind."""
    try:
        return read(kind, text.lower())
    except NotFound:
        return None
