"""Identifiers: 128 bits, ordered by time, made by the caller so that a retry can repeat them.

Inside they are UUIDs of version 7 (RFC 9562, section 5.7).  Outside they are shown with their
kind and 26 characters of Crockford's base 32: `ord_06f9k2...`, which is safe to read aloud and
to put into a URL.
"""

import secrets
import time
from datetime import datetime
from uuid import UUID

from meterai.kit.refusal import NotFound

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [one + other for one in ALPHABET for other in ALPHABET]
_LETTERS = frozenset(ALPHABET)
_BASE_32 = str.maketrans(ALPHABET, "0123456789ABCDEFGHIJKLMNOPQRSTUV")  # as `int` reads it
_LENGTH = 26  # characters that hold 128 bits, 5 bits each


def new_id() -> UUID:
    """A fresh identifier, later ones sorting after earlier ones to the millisecond."""
    random = secrets.randbits(74)
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | (random >> 62) << 64
    return UUID(int=value | 0b10 << 62 | random & (1 << 62) - 1)


def earliest_id(at: datetime, *, margin_seconds: int) -> UUID:
    """The bound below every identifier made at this moment less the margin, or later."""
    milliseconds = max(0, int(at.timestamp() - margin_seconds) * 1000)
    return UUID(int=(milliseconds & (1 << 48) - 1) << 80)


def encode(value: int, length: int) -> str:
    """`value` in `length` letters of the alphabet, most significant first."""
    pairs = []
    for _ in range((length + 1) // 2):
        pairs.append(_PAIRS[value & 1023])
        value >>= 10
    return "".join(reversed(pairs))[length % 2 :]


def decode(text: str) -> int:
    """The number that `encode` wrote; raises `KeyError` for a letter outside the alphabet."""
    if not _LETTERS.issuperset(text):
        raise KeyError(text)
    return int(text.translate(_BASE_32) or "0", 32)


def compact(identifier: UUID) -> str:
    """The 26 upper-case characters of an identifier."""
    return encode(identifier.int, _LENGTH)


def from_compact(text: str) -> UUID:
    """Read what `compact` wrote; raises `ValueError` for anything else."""
    try:
        value = decode(text) if len(text) == _LENGTH else 1 << 128
    except KeyError:
        raise ValueError(f"not an identifier: {text!r}") from None
    if value >> 128:
        raise ValueError(f"not an identifier: {text!r}")
    return UUID(int=value)


def show(kind: str, identifier: UUID) -> str:
    """The public form, for example `ord_06f9...`."""
    return f"{kind}_{compact(identifier).lower()}"


def show_hex(kind: str, digits: str) -> str:
    """The public form of an identifier in hexadecimal: a third of the time, where there are a million."""
    return f"{kind}_{encode(int(digits, 16), _LENGTH).lower()}"


def read(kind: str, text: str) -> UUID:
    """Read a public form of this kind, in groups or not, as people copy and type it; refuses with `NotFound`,
    since nothing can be called that."""
    prefix, _, rest = text.replace(" ", "").replace("-", "").partition("_")
    if prefix != kind or rest != rest.lower():
        raise NotFound(f"not an id of kind {kind}")
    try:
        return from_compact(rest.upper())
    except ValueError:
        raise NotFound(f"not an id of kind {kind}") from None


def read_typed(kind: str, text: str) -> UUID | None:
    """The same of what somebody typed to search for, in whatever case; None where it is no id of this kind."""
    try:
        return read(kind, text.lower())
    except NotFound:
        return None
