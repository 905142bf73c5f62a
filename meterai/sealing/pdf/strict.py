"""Objects read in the one way in which every reader reads them, or refused (ISO 32000-2, 7.3).

`syntax` reads what producers write; this reads what an update behind a seal may say.  Where readers
are known to differ there is no value here but `Ambiguous`: a key twice, a comment, a number that is
not plain, a reference that is not written as writers do, a key in `#` escapes, bytes that are no
white space between two tokens.  Values are those of `syntax`, but a dictionary is a `dict`.
"""

import re
from typing import NamedTuple, TypeAlias

from meterai.sealing.pdf.cross_reference import OBJECT_NUMBER_MAX
from meterai.sealing.pdf.syntax import DEPTH_MAX, Ref

TOKENS_MAX = 200_000  # in one object; the largest array of fields of a form has 20,000
# Brackets in brackets of what follows a seal.  Programs write four; some reader stops at 64, and takes what is
# left for something else.
DEPTH_BEHIND_MAX = 16

StrictValue: TypeAlias = (
    bool | int | float | str | bytes | Ref | list["StrictValue"] | dict[str, "StrictValue"] | None
)

_REGULAR = rb"[^\0-\x20\x7f()<>\[\]{}/%]"  # and no control character
_WHITE = rb"[\t\n\f\r ]"
_TOKEN = re.compile(
    rb"%b*+(?:(<<)|(>>)|(\[)|(\])"
    rb"|/((?:[^\0-\x20\x7f()<>\[\]{}/%%#]|#[0-9A-Fa-f]{2})*+)"
    rb"|(\()"
    rb"|<((?:[0-9A-Fa-f]|%b)*+)>"
    rb"|((?:0|[1-9]\d{0,6})%b++(?:0|[1-9]\d{0,4})%b++R)(?!%b)"
    rb"|([+-]?(?:\d{1,10}(?:\.\d{0,15})?|\.\d{1,15}))(?!%b)"
    rb"|(true|false|null)(?!%b))" % (_WHITE, _WHITE, _WHITE, _WHITE, _REGULAR, _REGULAR, _REGULAR)
)
(_DICT, _DICT_END, _ARRAY, _ARRAY_END, _NAME, _STRING, _HEX, _REF, _NUMBER, _WORD) = range(1, 11)
# White space for PDFium, and for expressions of JavaScript.
_WHITE_FOR_SOME = re.compile(rb"[\x80\xa0\xff]")
_COMMENT = re.compile(rb"%b*+%%[^\r\n]*+[\r\n]" % _WHITE)
_WORDS = {b"true": True, b"false": False, b"null": None}
_STRING_PIECE = re.compile(rb"[^()\\]*+(?:\\.[^()\\]*+)*+([()])", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)|\r\n?", re.DOTALL)
# An end of line with a carriage return that is not escaped: some keep what others read as a line feed.
_RETURN = re.compile(rb"(?<!\\)(?:\\\\)*+\r")
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")


class Uncertain(bytes):
    """A string of a sealed file that readers read differently: with an end of line as it is, or with half a
    byte.  It is as the standard has it (7.3.4), and the same as no other."""


class Ambiguous(ValueError):
    """Readers would not agree on what stands here.  `key` is the key that stands twice, if so."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class Read(NamedTuple):
    """A value, and where it ends."""

    value: StrictValue
    end: int


def read(buffer: bytes, start: int, *, comments: bool = False) -> Read:
    """The value at or behind `start`; refuses with `Ambiguous`.

    `comments` may stand in what was there before a seal: every reader skips them.  Names may then hold
    any octets, since nothing of that changes.
    """
    return _Reader(buffer, comments=comments).value(start, 0)


class _Reader:
    def __init__(self, buffer: bytes, *, comments: bool) -> None:
        self._buffer = buffer
        self._comments = comments
        self._depth_max = DEPTH_MAX if comments else DEPTH_BEHIND_MAX
        self._tokens = 0

    def _token(self, offset: int) -> re.Match[bytes]:
        self._tokens += 1
        while self._comments and (comment := _COMMENT.match(self._buffer, offset)):
            offset = comment.end()
        token = _TOKEN.match(self._buffer, offset)
        if token is None or self._tokens > TOKENS_MAX:
            raise Ambiguous("no token that all readers know, or too many")
        if token[_NAME] and not self._comments and _WHITE_FOR_SOME.search(token[_NAME]):
            raise Ambiguous("a name that ends earlier for some readers")
        return token

    def value(self, offset: int, depth: int) -> Read:
        """The value that begins here."""
        return self._value(self._token(offset), depth)

    def _value(self, token: re.Match[bytes], depth: int) -> Read:
        if depth > self._depth_max:
            raise Ambiguous("brackets nested too deep")
        kind, end = token.lastindex, token.end()
        match kind:
            case 1:
                return self._dictionary(end, depth)
            case 3:
                return self._array(end, depth)
            case 5:
                return Read("/" + _name(token[_NAME]), end)
            case 6:
                return self._literal(end)
            case 7:
                return Read(self._hexadecimal(token[_HEX]), end)
            case 8:
                return Read(_reference(token[_REF]), end)
            case 9:
                return Read(_number(token[_NUMBER]), end)
            case 10:
                return Read(_WORDS[token[_WORD]], end)
            case _:
                raise Ambiguous("a bracket that closes nothing")

    def _array(self, offset: int, depth: int) -> Read:
        items: list[StrictValue] = []
        while True:
            token = self._token(offset)
            if token.lastindex == _ARRAY_END:
                return Read(items, token.end())
            item, offset = self._value(token, depth + 1)
            items.append(item)

    def _dictionary(self, offset: int, depth: int) -> Read:
        entries: dict[str, StrictValue] = {}
        while True:
            token = self._token(offset)
            if token.lastindex == _DICT_END:
                return Read(entries, token.end())
            if token.lastindex != _NAME:
                raise Ambiguous("a dictionary with a key that is no name")
            key = "/" + _name(token[_NAME])
            if b"#" in token[_NAME] and not self._comments:
                raise Ambiguous("a key in escapes", key)
            if key in entries:
                raise Ambiguous("a key that stands twice", key)
            entries[key], offset = self.value(token.end(), depth + 1)

    def _hexadecimal(self, written: bytes) -> bytes:
        digits = b"".join(written.split()).decode("ascii")
        if len(digits) % 2:
            return self._uncertain(bytes.fromhex(digits + "0"))
        return bytes.fromhex(digits)

    def _literal(self, offset: int) -> Read:
        depth, start = 1, offset
        while depth:
            self._tokens += 1
            piece = _STRING_PIECE.match(self._buffer, offset)
            if piece is None or self._tokens > TOKENS_MAX:
                raise Ambiguous("a string without an end")
            depth += 1 if piece[1] == b"(" else -1
            offset = piece.end()
        written = self._buffer[start : offset - 1]
        found = _ESCAPE.sub(_unescaped, written)
        return Read(self._uncertain(found) if _RETURN.search(written) else found, offset)

    def _uncertain(self, found: bytes) -> bytes:
        if not self._comments:
            raise Ambiguous("a string that readers read differently")
        return Uncertain(found)


def _name(written: bytes) -> str:
    if b"#" in written:
        written = _NAME_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), written)
    return written.decode("latin-1")


def _reference(written: bytes) -> Ref:
    number, generation, _ = written.split()
    found = Ref(int(number), int(generation))
    if not 0 < found.number <= OBJECT_NUMBER_MAX:
        raise Ambiguous("a reference beyond all bounds")
    return found


def _number(written: bytes) -> int | float:
    return float(written) if b"." in written else int(written)


def _unescaped(found: re.Match[bytes]) -> bytes:
    escaped = found[1]
    if escaped is None:
        return b"\n"  # an end of line in a string is a line feed, however it is written
    if escaped[0] in b"01234567":
        return bytes([int(escaped, 8) & 0xFF])
    if escaped in (b"\n", b"\r", b"\r\n"):
        return b""
    return _ESCAPED.get(escaped, escaped)
