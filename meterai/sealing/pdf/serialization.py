"""PDF values as they are written: numbers, strings, streams.  Nothing is read here."""

import re
from binascii import hexlify
from typing import NamedTuple

# Printable ASCII but the backslash and the parentheses, which would have to be escaped.
_PLAIN = re.compile(rb"[ -'*-\[\]-~]*+")


class Stream(NamedTuple):
    """One stream before it has a number: its dictionary's entries, and its encoded data.

    `entries` stand between `<<` and `>>`; the length is added by whoever writes it, because
    encryption may change it.
    """

    entries: bytes
    data: bytes


def number(value: float, places: int = 4) -> bytes:
    """A number to so many places, in the shortest form."""
    text = b"%.*f" % (places, value)
    return text.rstrip(b"0").rstrip(b".") if value else b"0"


def numbers(*values: float, places: int = 4) -> bytes:
    """Several numbers, spaces between."""
    return b" ".join([number(value, places) for value in values])


def text_octets(text: str) -> bytes:
    """The bytes of a text string: ASCII, or UTF-16 with its mark (ISO 32000-1, section 7.9.2)."""
    return text.encode("ascii") if text.isascii() else b"\xfe\xff" + text.encode("utf-16-be")


def string(octets: bytes) -> bytes:
    """A string of these bytes; readable where nothing has to be escaped."""
    if _PLAIN.fullmatch(octets):
        return b"(%b)" % octets
    return b"<%b>" % hexlify(octets)
