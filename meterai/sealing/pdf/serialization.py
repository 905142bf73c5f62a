"""Serialization of PDF values: numbers, strings, streams."""

import re
from binascii import hexlify
from typing import NamedTuple

# Printable ASCII without the backslash and the parentheses, which would have to be escaped.
_PLAIN = re.compile(rb"[ -'*-\[\]-~]*+")


class Stream(NamedTuple):
    """A stream that has no object number yet.

    `entries` is the text of its dictionary between `<<` and `>>`, without the length, and `data` the encoded data.  The
    writer adds the length, because encryption may change it.
    """

    entries: bytes
    data: bytes


def number(value: float, places: int = 4) -> bytes:
    """Format a number, rounded to `places` decimal places, in the shortest form."""
    text = b"%.*f" % (places, value)
    return text.rstrip(b"0").rstrip(b".") if value else b"0"


def numbers(*values: float, places: int = 4) -> bytes:
    """Format numbers like `number`, separated by spaces."""
    return b" ".join([number(value, places) for value in values])


def text_octets(text: str) -> bytes:
    """Encode a text string: as ASCII if possible, else as UTF-16 with a byte order mark (ISO 32000-1, section 7.9.2)."""
    return text.encode("ascii") if text.isascii() else b"\xfe\xff" + text.encode("utf-16-be")


def string(octets: bytes) -> bytes:
    """Write bytes as a PDF string: in parentheses if nothing has to be escaped, else in hexadecimal."""
    if _PLAIN.fullmatch(octets):
        return b"(%b)" % octets
    return b"<%b>" % hexlify(octets)
