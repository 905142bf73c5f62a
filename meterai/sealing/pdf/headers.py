"""Where readers find objects that look for them by themselves, as some do when a file seems damaged to them.

They disagree on what begins an object: `12 0 obj` may have comments between its parts, which some pass
over however long they are, more letters behind the `obj`, no white space before it, a sign or a fraction.
Some look into the data of streams, into strings and into the trailer.  What any of them would take counts.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

# The last three octets are white space for PDFium, or for expressions of JavaScript.
_BLANK = rb"\0-\x20\x80\xff\xa0"
# Backwards, where the rarest letters come first; a comment then begins with the end of its line.
_GAP = rb"(?:[%b]|[\r\n][^\r\n]*?%%)" % _BLANK
_NUMBER = rb"([\d.+\-]++)"
_BACKWARDS = re.compile(rb"jbo%b*%b%b+%b" % (_GAP, _NUMBER, _GAP, _NUMBER))
# Where a reader takes lines in pieces, the two numbers may come from two of them.
_HALF = re.compile(rb"jbo%b*[\d.+\-]" % _GAP)
_INTEGER = re.compile(rb"[+-]?0*(\d{1,9})(?:\.\d*)?")
# What ends an object, or leads into the file.
_WORD = re.compile(rb"endobj|endstream|trailer|xref(?=[%b%%])|%%PDF-|%%%%EOF" % _BLANK)


class Header(NamedTuple):
    """The beginning of an object, from `start` to behind its `obj`.

    The number, or the generation, is -1 where readers disagree on it.
    """

    number: int
    generation: int
    start: int
    end: int


def headers(text: bytes) -> Iterator[Header]:
    """Every beginning of an object in some bytes, from the last to the first."""
    for found in _BACKWARDS.finditer(text[::-1]):
        generation, number = (_integer(one[::-1]) for one in found.groups())
        yield Header(number, generation, len(text) - found.end(), len(text) - found.start())


def holds_nothing(text: bytes) -> bool:
    """True if nothing in these bytes begins or ends an object, or leads into the file, for any reader."""
    return _WORD.search(text) is None and _HALF.search(text[::-1]) is None


def _integer(written: bytes) -> int:
    plain = _INTEGER.fullmatch(written)
    return int(plain[1]) if plain is not None else -1
