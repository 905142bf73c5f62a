"""Syntax of PDF objects (ISO 32000-2, section 7.3), read from untrusted bytes.

A value has a Python type: `None`, `bool`, `int`, `float`, a name as `str` with its slash, a string as
`bytes`, a `Ref`, a `list`, or a `Dictionary`.  A dictionary stores the position of each of its values
and parses a value only on request, since sealing reads a dozen values in a file of a thousand pages.  Sealing changes
values by inserting into the existing bytes.

Every function here refuses malformed input with `DocumentBroken`.  The regular expressions are possessive (`++`), so
that they never backtrack.
"""

import re
from binascii import Error as Base16Error
from binascii import unhexlify
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from meterai.sealing.model import DocumentBroken

TOKENS_MAX = 500_000  # in one value; the largest number tree of a book has 100,000
REF_LIST_BYTES_MAX = 4 * 1024 * 1024  # of one array of references; 20,000 kids have 240 KB
# Depth of nested brackets and of trees in a file; real files have less than ten levels.  A known reader stops at 64
# levels, and misreads the rest of deeper values.
DEPTH_MAX = 60

_WHITE = rb"[\0\t\n\f\r ]"
_REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
SKIP = rb"%b*+(?:%%[^\r\n]*+[\r\n]%b*+)*+" % (_WHITE, _WHITE)
_TOKEN = re.compile(
    SKIP
    + rb"(?:(<<)|(>>)|(\[)|(\])"
    + rb"|(/%b*+)" % _REGULAR
    + rb"|(\()"
    + rb"|(<[0-9A-Fa-f\0\t\n\f\r ]*+>)"
    + rb"|(\d++%b++\d++%b++R(?!%b))" % (_WHITE, _WHITE, _REGULAR)
    + rb"|(%b++))" % _REGULAR
)
# Most brackets contain no other bracket, string or comment, so the next closing bracket is their end.
_FLAT = rb"\[[^\[\]()%]*+\]", rb"<<[^<>()\[\]%]*+>>"
# Next item in a dictionary: its end; or a key with a complete simple value; or a key before a bracket or a string whose
# end has to be searched.
_ENTRY = re.compile(
    SKIP
    + rb"(?:(>>)|(/%b*+)" % _REGULAR
    + SKIP
    + rb"(?:(/%b*+" % _REGULAR
    + rb"|<[0-9A-Fa-f\0\t\n\f\r ]*+>"
    + rb"|\d++%b++\d++%b++R(?!%b)" % (_WHITE, _WHITE, _REGULAR)
    + rb"|%b++" % _REGULAR
    + rb"|%b|%b" % _FLAT
    + rb"|\([^()\\]*+\))|(?=[\[(<])))"
)
_ENTRY_END, _ENTRY_KEY, _ENTRY_VALUE = 1, 2, 3
# The next bracket, or a string with parentheses or a backslash inside; anything else is skipped.
_BRACKET = re.compile(
    rb"(?:[^()<>\[\]{}%]++|<[0-9A-Fa-f\0\t\n\f\r ]*+>|\([^()\\]*+\)|%[^\r\n]*+[\r\n])*+"
    rb"(?:(<<|\[)|(>>|\])|\()"
)
_OPENS, _CLOSES = 1, 2
_DICT, _DICT_END, _ARRAY, _ARRAY_END, _NAME, _STRING, _HEX, _REF, _WORD = range(1, 10)
_OPENING, _CLOSING = {_DICT, _ARRAY}, {_DICT_END, _ARRAY_END}

_STRING_PIECE = re.compile(rb"[^()\\]*+(?:\\.[^()\\]*+)*+([()])", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)|\r\n?", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_DIGITS = b"0123456789"
_DIGITS_MAX = 18  # of an integer; no number in a PDF has more digits
_INTEGER = re.compile(rb"[+-]?\d{1,18}")
_REAL = re.compile(rb"[+-]?(?:\d{1,18}\.?\d*|\.\d+)")
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")
_REF_PARTS = re.compile(rb"(\d{1,10})%b++(\d{1,5})(?!\d)" % _WHITE)

# The rest of an array of numbers, such as a box or a list of octets.
_NUMBERS = re.compile(rb"([0-9.+\-\t\n\f\r ]*+)\]")
_REF_ARRAY = re.compile(
    SKIP
    + rb"\[((?:%b*+\d{1,10}%b++\d{1,5}%b++R(?!%b))++)%b*+\]"
    % (_WHITE, _WHITE, _WHITE, _REGULAR, _WHITE)
)

Span: TypeAlias = tuple[int, int]


class Ref(NamedTuple):
    """A reference to an object by number and generation."""

    number: int
    generation: int


class Dictionary:
    """One dictionary in `buffer`.

    `start` is the position behind its `<<`, and `stop` that of its `>>`; `spans` maps each key (with its slash) to the
    position of its value.  `owner` is the object in which the dictionary is, whose number is needed to decrypt strings;
    it is `None` inside an object stream, which is encrypted as a whole.  `is_ambiguous` is true if a key occurs twice.
    """

    __slots__ = ("buffer", "is_ambiguous", "owner", "spans", "start", "stop")

    def __init__(self, buffer: bytes, start: int, owner: Ref | None = None) -> None:
        """Read the dictionary at `start`; white space may precede it."""
        opening = _TOKEN.match(buffer, start)
        if opening is None or opening.lastindex != _DICT:
            raise DocumentBroken("a dictionary is expected")
        self.buffer = buffer
        self.owner = owner
        self.start = offset = opening.end()
        self.spans: dict[bytes, Span] = {}
        spans, match = self.spans, _ENTRY.match
        for count in range(TOKENS_MAX):
            entry = match(buffer, offset)
            if entry is None:
                raise DocumentBroken("a dictionary has an invalid key or value, or no end")
            kind = entry.lastindex
            if kind == _ENTRY_END:
                self.stop = entry.start(_ENTRY_END)
                # If a key occurs twice, readers disagree on the one that counts.
                self.is_ambiguous = len(spans) < count
                return
            name = entry[_ENTRY_KEY]
            if b"#" in name:
                name = _unescaped_name(name)
            if kind == _ENTRY_VALUE:
                spans[name] = span = entry.span(_ENTRY_VALUE)
                offset = span[1]
            else:
                start = entry.end()
                value = _TOKEN.match(buffer, start)
                if value is None:
                    raise DocumentBroken("a value is not an object")
                offset = _end(buffer, value)
                spans[name] = (start, offset)
        raise DocumentBroken("a dictionary has too many keys")

    @property
    def end(self) -> int:
        """The end of the dictionary: the position behind its `>>`."""
        return self.stop + 2

    @property
    def inside(self) -> bytes:
        """The bytes between `<<` and `>>`."""
        return self.buffer[self.start : self.stop]

    def raw(self, key: bytes) -> bytes | None:
        """Return the bytes of a value as written; `None` if the key is missing."""
        span = self.spans.get(key)
        return self.buffer[span[0] : span[1]] if span is not None else None

    def get(self, key: bytes) -> "Value":
        """Return the parsed value of a key, a reference unresolved; `None` if it is missing or null."""
        span = self.spans.get(key)
        if span is None:
            return None
        start, stop = span
        text = self.buffer[start:stop]
        if text.startswith(b"/"):
            return _unescaped_name(text).decode("latin-1")
        if text.isdigit() and len(text) < _DIGITS_MAX:
            return int(text)
        if text.endswith(b"R") and text[0] in _DIGITS:
            return ref_at(self.buffer, start)
        return value_at(self.buffer, start, self.owner)[0]

    def reference(self, key: bytes) -> Ref | None:
        """Return the reference under a key; `None` for any other value, which is then not parsed."""
        start, stop = self.spans.get(key, (0, 0))
        if not self.buffer.startswith(b"R", stop - 1) or self.buffer[start] not in _DIGITS:
            return None
        token = _TOKEN.match(self.buffer, start)
        return ref_at(self.buffer, start) if token and token.lastindex == _REF else None

    def __contains__(self, key: bytes) -> bool:
        return key in self.spans


Value: TypeAlias = bool | int | float | str | bytes | Ref | list["Value"] | Dictionary | None


def value_at(buffer: bytes, offset: int, owner: Ref | None, depth: int = 0) -> tuple[Value, int]:
    """Parse the value that begins at `offset`; return the value and the offset of its end.

    `owner` is the object that contains the value, as in `Dictionary`.
    """
    token = _TOKEN.match(buffer, offset)
    if token is None or token.lastindex in _CLOSING:
        raise DocumentBroken("a value is expected")
    kind = token.lastindex
    # The most frequent kinds come first, since most of the time of reading is spent here.
    if kind == _WORD:
        return _word(token[_WORD]), token.end()
    if kind == _REF:
        return ref_at(buffer, token.start(_REF)), token.end()
    if kind == _NAME:
        return _unescaped_name(token[_NAME]).decode("latin-1"), token.end()
    if kind == _DICT:
        found = Dictionary(buffer, token.start(_DICT), owner)
        return found, found.end
    if kind == _ARRAY:
        return _array(buffer, token.end(), owner, depth)
    if kind == _HEX:
        return _octets(token[_HEX]), token.end()
    end = _string_end(buffer, token.end())
    return _literal(buffer[token.end() : end - 1]), end


def ref_at(buffer: bytes, offset: int) -> Ref:
    """Return the reference that begins exactly at `offset`."""
    parts = _REF_PARTS.match(buffer, offset)
    if parts is None:
        raise DocumentBroken("a reference is expected")
    return Ref(int(parts[1]), int(parts[2]))


class RefList:
    """An array that holds only references, each parsed on request.

    For example, a page tree may have thousands of kids, of which only one is needed.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._count = text.count(b"R")
        self._written: list[bytes] | None = None

    def __len__(self) -> int:
        return self._count

    def names(self, ref: Ref) -> bool:
        """True if the array contains the reference."""
        written = rb"(?<!\d)0*%d%b++0*%d%b++R" % (ref.number, _WHITE, ref.generation, _WHITE)
        return re.search(written, self._text) is not None

    def __getitem__(self, index: int) -> Ref:
        if self._written is None:
            self._written = self._text.split(b"R")
        number, generation = self._written[index].split()
        return Ref(int(number), int(generation))


def ref_list_at(buffer: bytes, offset: int) -> RefList | None:
    """Return the array at `offset`, after optional white space; `None` if it has items other than references."""
    whole = _REF_ARRAY.match(buffer, offset)
    if whole is None or len(whole[1]) > REF_LIST_BYTES_MAX:
        return None
    return RefList(whole[1])


def with_strings(text: bytes, write: Callable[[bytes], bytes]) -> bytes:
    """Return the text of a value in which each string is replaced by the result of `write` for its decoded bytes."""
    pieces, offset, kept = [], 0, 0
    while (token := _TOKEN.match(text, offset)) is not None:
        offset = token.end()
        if token.lastindex in (_STRING, _HEX):
            start = token.start(token.lastindex)
            octets, offset = value_at(text, start, None)
            assert isinstance(octets, bytes)
            pieces += [text[kept:start], write(octets)]
            kept = offset
    pieces.append(text[kept:])
    return b"".join(pieces)


def _array(buffer: bytes, offset: int, owner: Ref | None, depth: int) -> tuple[list[Value], int]:
    if depth == DEPTH_MAX:
        raise DocumentBroken("arrays are nested too deep")
    numbers = _NUMBERS.match(buffer, offset)
    if numbers is not None:
        words = numbers[1].split()
        if len(words) < TOKENS_MAX:
            return list(map(_word, words)), numbers.end()
    items: list[Value] = []
    while len(items) < TOKENS_MAX:
        token = _TOKEN.match(buffer, offset)
        if token is None:
            break
        kind = token.lastindex
        if kind == _ARRAY_END:
            return items, token.end()
        if kind == _WORD:
            items.append(_word(token[_WORD]))
            offset = token.end()
        else:
            item, offset = value_at(buffer, offset, owner, depth + 1)
            items.append(item)
    raise DocumentBroken("an array has no end, or too many items")


def _end(buffer: bytes, token: re.Match[bytes]) -> int:
    """Return the offset of the end of the value that begins with the token."""
    kind, offset = token.lastindex, token.end()
    if kind == _STRING:
        return _string_end(buffer, offset)
    return _bracket_end(buffer, offset) if kind in _OPENING else offset


def _bracket_end(buffer: bytes, offset: int) -> int:
    """Return the end of an array or a dictionary; `offset` is behind its opening bracket."""
    depth = 1
    match = _BRACKET.match
    for _ in range(TOKENS_MAX):
        inner = match(buffer, offset)
        if inner is None:
            raise DocumentBroken("a value has no end")
        kind, offset = inner.lastindex, inner.end()
        if kind == _OPENS:
            depth += 1
            if depth > DEPTH_MAX:
                raise DocumentBroken("brackets are nested too deep")
        elif kind == _CLOSES:
            depth -= 1
            if not depth:
                return offset
        else:
            offset = _string_end(buffer, offset)
    raise DocumentBroken("a value has too many parts")


def _string_end(buffer: bytes, offset: int) -> int:
    """Return the end of a literal string; `offset` is behind its first parenthesis."""
    depth = 1
    for _ in range(TOKENS_MAX):
        piece = _STRING_PIECE.match(buffer, offset)
        if piece is None:
            break
        depth += 1 if piece[1] == b"(" else -1
        offset = piece.end()
        if not depth:
            return offset
    raise DocumentBroken("a string has no end, or too many parentheses")


def _octets(text: bytes) -> bytes:
    """Decode a hexadecimal string; `text` includes its angle brackets."""
    try:
        return unhexlify(text[1:-1])
    except Base16Error:
        digits = _NOT_HEX.sub(b"", text)
        return unhexlify(digits + b"0" * (len(digits) % 2))


def _literal(text: bytes) -> bytes:
    return _ESCAPE.sub(_unescaped, text) if b"\\" in text or b"\r" in text else text


def _unescaped(found: re.Match[bytes]) -> bytes:
    escaped = found[1]
    if escaped is None:
        return b"\n"  # every end of line in a string is read as a line feed
    if escaped[0] in b"01234567":
        return bytes([int(escaped, 8) & 0xFF])
    if escaped in (b"\n", b"\r", b"\r\n"):
        return b""
    return _ESCAPED.get(escaped, escaped)


def _unescaped_name(name: bytes) -> bytes:
    if b"#" not in name:
        return name
    return _NAME_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), name)


def _word(word: bytes) -> bool | int | float | None:
    if word.isdigit() and len(word) < _DIGITS_MAX:
        return int(word)
    if _INTEGER.fullmatch(word):
        return int(word)
    if _REAL.fullmatch(word):
        return float(word)
    match word:
        case b"true":
            return True
        case b"false":
            return False
        case b"null":
            return None
        case _:
            raise DocumentBroken("a value is not an object")
