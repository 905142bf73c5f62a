"""Serialization of PDF values: numbers, strings, streams."""

import re
from binascii import hexlify
from typing import NamedTuple

# Printable ASCII but the backslash and the parentheses, which would have to be escaped.
_PLAIN = re.compile(rb"[ -'*-\[\]-~]*+")


class Stream(NamedTuple):
    """A stream without a number: its dictionary's entries, and its encoded data.

    `entries` are the text between `<<` and `>>`; the writer adds the length, because
    encryption may change it.
    """

    entries: bytes
    data: bytes


def number(value: float, places: int = 4) -> bytes:
    """Return a number with so many places, in the shortest form."""
    text = b"%.*f" % (places, value)
    return text.rstrip(b"0").rstrip(b".") if value else b"0"


def numbers(*values: float, places: int = 4) -> bytes:
    """Return several numbers, separated by spaces."""
    return b" ".join([number(value, places) for value in values])


def text_octets(text: str) -> bytes:
    """Return the bytes of a text string: ASCII, or UTF-16 with its mark (ISO 32000-1, section 7.9.2)."""
    return text.encode("ascii") if text.isascii() else b"\xfe\xff" + text.encode("utf-16-be")


def string(octets: bytes) -> bytes:
    """Return a string of these bytes; readable if nothing has to be escaped."""
    if _PLAIN.fullmatch(octets):
        return b"(%b)" % octets
    return b"<%b>" % hexlify(octets)
