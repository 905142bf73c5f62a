"""Whether some reader takes a file for linearized (ISO 32000-2, annex F), and sees none of its updates.

A linearized file says so in its first object, and how long it is.  Where it is as long as that, pdf.js and poppler
begin at its first cross-reference, and not at its last.  What they read there counts however one of them
reads it: names in escapes, comments, white space without end, numbers with signs, fractions or exponents.
"""

import re

_VERSION = re.compile(rb"%PDF-\d\.\d")  # behind which some readers go on in the same line
_HEADER_WITHIN_BYTES = 1024  # where readers look for it
_HEAD_BYTES = 2048  # in which every object is looked at, whatever stands before it
_BYTES_MAX = 1024 * 1024  # before the first object, and of its dictionary
_NUMBERS_MAX = 1_000  # in the dictionary; of a linearized file it has ten
_DIGITS_MAX = 64  # of a number
_EXPONENT_MAX = 99

_SKIP = rb"(?:[\0-\x20\x80\xff]++|%[^\r\n]*+(?:[\r\n]|\Z))*+"
_NUMBER = rb"[+-]*+[\r\n]*+[.\d][\d.+\-]*+(?:[eE][\d+\-]*+)?+"
_OBJECT = _NUMBER + _SKIP + _NUMBER + _SKIP + rb"obj" + _SKIP + rb"(?=<<)"
_SKIPPED, _FIRST = re.compile(_SKIP), re.compile(_SKIP + _OBJECT)
_ANY = re.compile(rb"(?<![\d.])" + _OBJECT)

_LEVELS = 4  # of brackets in the dictionary, and of parentheses; of a linearized file it has one


def _string(levels: int) -> bytes:
    inside = rb"[^()\\]++|\\."
    for _ in range(levels):
        inside = rb"[^()\\]++|\\.|\((?:%b)*+\)" % inside
    return rb"\((?:%b)*+\)" % inside


_FLAT = rb"[^()<>\[\]%%]++|%b|<[0-9A-Fa-f\0-\x20]*+>|%%[^\r\n]*+[\r\n]" % _string(_LEVELS)


def _dictionary(levels: int) -> bytes:
    inside = _FLAT
    for _ in range(levels):
        inside = rb"%b|<<(?:%b)*+>>|\[(?:%b)*+\]" % (_FLAT, inside, inside)
    return rb"<<(?:%b)*+>>" % inside


_DICTIONARY = re.compile(_dictionary(_LEVELS), re.DOTALL)
_NAME = re.compile(b"/" + b"".join(rb"(?:%c|(?i:#%x))" % (one, one) for one in b"Linearized"))
_LENGTH = re.compile(rb"([.\d][\d.+\-]*+)(?:[eE]([+-]?\d{1,4}+))?+")
_PARTS = re.compile(rb"\d*(?:\.\d*)?")
_WRAPS = 1 << 32, 1 << 64
_ROUNDED = 1 / (1 << 22)  # of a number; some readers calculate with 24 bits


def is_taken_for_linearized(file: bytes) -> bool:
    """True if a first object says that the file is linearized, and as long as it is, or cannot be read so far."""
    first = _first_objects(file)
    if first is None:
        return True
    return any(_says_so(file, start, _BYTES_MAX) for start in first) or any(
        _says_so(file, other.end(), _HEAD_BYTES)
        for other in _ANY.finditer(file, 0, _HEAD_BYTES)
        if other.end() not in first
    )


def _first_objects(file: bytes) -> set[int] | None:
    """Where the dictionary of an object begins that may be the first; `None` if it is too far away."""
    header = max(0, file.find(b"%PDF-", 0, _HEADER_WITHIN_BYTES))
    versioned = _VERSION.search(file, header, _HEADER_WITHIN_BYTES)
    starts = {0, header, *(versioned.end() + one for one in (0, 1) if versioned is not None)}
    found = set()
    for start in starts:
        end = start + _BYTES_MAX
        skipped = _SKIPPED.match(file, start, end)
        if skipped is not None and skipped.end() == end:
            return None
        first = _FIRST.match(file, start, end)
        if first is not None:
            found.add(first.end())
    return found


def _says_so(file: bytes, start: int, within: int) -> bool:
    """True if the dictionary says it; one that does not end within bounds may say everything."""
    whole = _DICTIONARY.match(file, start, start + within)
    if whole is not None:
        is_named = _NAME.search(whole[0]) is not None
        return is_named and _names_length(whole[0], len(file))
    is_cut = within == _BYTES_MAX and start + within < len(file)
    return is_cut or _NAME.search(file, start, start + within) is not None


def _names_length(dictionary: bytes, length: int) -> bool:
    """True if some reader may take a number in it for the length, or there are too many to tell."""
    for count, found in enumerate(_LENGTH.finditer(dictionary)):
        if count == _NUMBERS_MAX:
            return True
        digits, exponent = found[1], min(int(found[2] or 0), _EXPONENT_MAX)
        # A sign within is passed over by some readers, and ends the number for others.
        for one in (digits, digits.translate(None, b"+-")):
            if _may_be(_PARTS.match(one.lstrip(b"0"), 0, _DIGITS_MAX), exponent, length):
                return True
    return False


def _may_be(number: re.Match[bytes] | None, exponent: int, length: int) -> bool:
    text = number[0] if number is not None else b""
    if text.strip(b".") == b"":
        return False
    value = float(text)
    within = 1 + length * _ROUNDED
    if any(abs(one - length) <= within for one in (value, float(b"%be%d" % (text, exponent)))):
        return True
    return any(int(text.split(b".")[0] or b"0") % wrap == length for wrap in _WRAPS)
