"""Writing and strict reading of elements in DER (X.690, section 10).

Strict reading: lengths are definite and as short as possible, tags are single bytes, and
no byte is left over.  Positions are offsets into the input, so nothing is copied.
"""

from typing import NamedTuple

SEQUENCE, SET, INTEGER, OCTETS, NAME = 0x30, 0x31, 0x02, 0x04, 0x06
CONTEXT_0, CONTEXT_1, CONTEXT_4 = 0xA0, 0xA1, 0xA4

MEMBERS_MAX = 256  # of one element, to bound the work; ours have at most six
DEPTH_MAX = 32  # of nested elements; certificates need about ten

_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_LONG_LENGTH = 0x80
_LENGTH_BYTES_MAX = 4


class NotDer(ValueError):
    """The bytes are not an element in DER, or not the expected element."""


class Element(NamedTuple):
    """One element: its tag, its offset `at`, the offset `start` of its value, and the offset `stop` of its end."""

    tag: int
    at: int
    start: int
    stop: int


def tlv(tag: int, *values: bytes) -> bytes:
    """Encode an element with this tag; its value is the concatenation of `values`."""
    value = b"".join(values)
    if len(value) < _LONG_LENGTH:
        return bytes((tag, len(value))) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_LENGTH | len(length))) + length + value


def element(text: bytes, at: int, end: int) -> Element:
    """Read the element that begins at `at` and ends at `end` or before; raises `NotDer`."""
    if at + 2 > end:
        raise NotDer("an element is cut off")
    tag, length, start = text[at], text[at + 1], at + 2
    if tag & _LONG_TAG == _LONG_TAG:
        raise NotDer("a tag of several bytes")
    if length >= _LONG_LENGTH:
        count = length - _LONG_LENGTH
        # Zero length bytes mean the indefinite form of BER.
        if not 1 <= count <= _LENGTH_BYTES_MAX:
            raise NotDer("a length that is indefinite or huge")
        start += count
        length = int.from_bytes(text[at + 2 : start], "big")
        if length < _LONG_LENGTH or not length >> 8 * (count - 1):
            raise NotDer("a length that could be shorter")
    stop = start + length
    if stop > end:
        raise NotDer("an element is cut off")
    return Element(tag, at, start, stop)


def only(text: bytes, tag: int, at: int, end: int) -> Element:
    """Read the element with this tag that fills the bytes from `at` to `end` exactly; raises `NotDer`."""
    found = element(text, at, end)
    if found.tag != tag or found.stop != end:
        raise NotDer("another element, or something after it")
    return found


def members(text: bytes, whole: Element) -> list[Element]:
    """Return the elements inside a constructed element; raises `NotDer`."""
    found: list[Element] = []
    at = whole.start
    while at < whole.stop:
        if len(found) == MEMBERS_MAX:
            raise NotDer("too many members")
        member = element(text, at, whole.stop)
        found.append(member)
        at = member.stop
    return found


def is_strict(text: bytes) -> bool:
    """True if the bytes are exactly one element in DER, and so are the elements inside it, recursively."""
    try:
        whole = element(text, 0, len(text))
        if whole.stop != len(text):
            return False
        level = [whole]
        for _ in range(DEPTH_MAX):
            level = [
                inner for one in level if one.tag & _CONSTRUCTED for inner in members(text, one)
            ]
            if not level:
                return True
    except NotDer:
        pass
    return False
