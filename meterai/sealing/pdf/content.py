"""Content streams that every reader reads alike (ISO 32000-2, sections 7.8.2 and 8.9.7).

Nothing is drawn or measured here: the question is whether a content is written with nothing but tokens
and operators of the standard, each with its operands.  What is not, such as `--5`, `re` and `f` without
white space between them, three numbers before `re`, or an image that ends where only some readers see
its end, one reader draws and another does not.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import NamedTuple

CONTENT_BYTES_MAX = 8 * 1024 * 1024  # of one content; a map has 5 MB
_PIECE_BYTES = 1024 * 1024  # inflated at once
INLINE_MAX = 20_000  # images in one content; a page of letters made of images has 3,000

_WHITE = rb"[\0\t\n\f\r ]"
_REGULAR = rb"[^\0-\x20\x7f()<>\[\]{}/%]"
_NUMBER = rb"[+-]?(?:\d{1,9}(?:\.\d{0,40})?|\.\d{1,40})"
_NAME = rb"/%b*+" % _REGULAR
_ESCAPE = rb"\\[\0-\xff]"
_FLAT = rb"\((?:[^()\\]|%b)*+\)" % _ESCAPE
_NESTED = rb"\((?:[^()\\]|%b|%b)*+\)" % (_ESCAPE, _FLAT)
_STRING = rb"\((?:[^()\\]|%b|%b)*+\)" % (_ESCAPE, _NESTED)
_HEX = rb"<(?:[0-9A-Fa-f]|%b)*+>" % _WHITE
_COMMENT = rb"%[\t\x20-\x7e\x80-\xff]*+(?:[\r\n]|\Z)"


def _operators(names: str) -> bytes:
    """One of these operators, whole."""
    longest_first = sorted(names.split(), key=len, reverse=True)
    found = b"|".join(re.escape(one.encode("ascii")) for one in longest_first)
    return rb"(?:%b)(?!%b|\x7f)" % (found, _REGULAR)


_SKIP = rb"(?:%b|%b)*+" % (_WHITE, _COMMENT)
_ONE = rb"%b(?!%b|\x7f)%b" % (_NUMBER, _REGULAR, _SKIP)
_TEXT = rb"(?:%b|%b)%b" % (_STRING, _HEX, _SKIP)
_WORD = rb"(?:true|false|null)(?!%b)" % _REGULAR
_ITEM = b"|".join((_WHITE, _NUMBER, _NAME, _STRING, _HEX, _WORD, _COMMENT))
_LIST = rb"\[(?:%b)*+\]" % _ITEM
_INNER = rb"<<(?:%b|%b)*+>>" % (_ITEM, _LIST)
_DICTIONARY = rb"<<(?:%b|%b|%b)*+>>" % (_ITEM, _LIST, _INNER)
# Operators by their operands (ISO 32000-2, annex A), so that each number is read once.
_SIX = _ONE + _ONE + _operators("c cm Tm d1")
_FOUR = rb"%b(?:%b|%b)" % (_ONE, _operators("re k K v y"), _SIX)
_THREE = rb"%b(?:%b|%b)" % (_ONE, _operators("rg RG"), _FOUR)
_TWO = rb"%b(?:%b|%b\"|%b)" % (_ONE, _operators("m l Td TD d0"), _TEXT, _THREE)
_BY_NUMBERS = rb"%b(?:%b|%b)" % (_ONE, _operators("w J j M i Tc Tw Tz TL Tr Ts g G"), _TWO)
_BY_NAME = rb"%b%b(?:%b|%b%b|(?:%b|%b)%b%b)" % (
    *(_NAME, _SKIP, _operators("ri gs cs CS sh Do MP BMC"), _ONE, _operators("Tf")),
    *(_NAME, _DICTIONARY, _SKIP, _operators("DP BDC")),
)
_COLOUR = rb"(?:%b)*+(?:%b%b)?+%b" % (_ONE, _NAME, _SKIP, _operators("sc SC scn SCN"))
_ALONE = _operators("q Q h S s f F f* B B* b b* n W W* BT ET T* BX EX EMC")
_SHOWN = rb"%b%b|%b%b(?:%b|%b%b)" % (
    *(_TEXT, _operators("Tj '"), _LIST, _SKIP, _operators("TJ"), _ONE, _operators("d")),
)
_PLAIN = re.compile(
    rb"(?:%b)*+" % b"|".join((_WHITE, _ALONE, _BY_NUMBERS, _SHOWN, _BY_NAME, _COLOUR, _COMMENT))
)
_TOKENS = re.compile(
    rb"(?:%b|%b|%%[^\r\n]*+[\r\n]|%b|%b|<<|>>|[\[\]{}]|(?!BI(?!%b))%b++)*+"
    % (_WHITE, _NAME, _STRING, _HEX, _REGULAR, _REGULAR)
)
_LISTED = re.compile(rb"[\[\]{}<>]")
_GOES_ON = re.compile(rb"(?:/|%b)\Z" % _REGULAR)  # behind this a token goes on, if it can
_REGULAR_FIRST = re.compile(_REGULAR)
_VALUE = rb"(?:%b|%b|%b|%b|%b)" % (_NUMBER, _NAME, _WORD, _LIST, _INNER)
_INDEXED = re.compile(rb"\[%b*+/(?:I|Indexed)(?!%b)" % (_WHITE, _REGULAR))
_ENTRY = re.compile(rb"%b*+(%b)%b*+(%b)" % (_WHITE, _NAME, _WHITE, _VALUE))
_DATA = re.compile(rb"%b*+ID(?:\r\n|%b)" % (_WHITE, _WHITE))
_END = re.compile(rb"%b*+EI(?!%b)" % (_WHITE, _REGULAR))
# What pdf.js takes for the end of an image, whatever its size says: fifteen bytes of text follow.
_END_BY_LOOKS = re.compile(
    rb"EI[\0\t\n\f\r ](?:[\0\t\n\f\r\x20-\x7f]{15}|[\0\t\n\f\r\x20-\x7f]{0,14}\Z)"
)

# ISO 32000-2, table 91, and table 92 below.
_LONG = {
    b"/BPC": b"/BitsPerComponent",
    b"/CS": b"/ColorSpace",
    b"/D": b"/Decode",
    b"/DP": b"/DecodeParms",
    b"/F": b"/Filter",
    b"/H": b"/Height",
    b"/IM": b"/ImageMask",
    b"/I": b"/Interpolate",
    b"/L": b"/Length",
    b"/W": b"/Width",
}
_KEYS = {*_LONG.values(), b"/Intent"}
_SPACE = b"\0\t\n\f\r "
_COMPONENTS = {
    **dict.fromkeys((b"/G", b"/DeviceGray"), 1),
    **dict.fromkeys((b"/RGB", b"/DeviceRGB"), 3),
    **dict.fromkeys((b"/CMYK", b"/DeviceCMYK"), 4),
}
_NAMES = re.compile(_NAME)
# ISO 32000-2, table 92; JBIG2 and JPEG 2000 are not for inline images.
_FILTERS = {
    *(b"/AHx", b"/ASCIIHexDecode", b"/A85", b"/ASCII85Decode", b"/LZW", b"/LZWDecode"),
    *(b"/Fl", b"/FlateDecode", b"/RL", b"/RunLengthDecode"),
    *(b"/CCF", b"/CCITTFaxDecode", b"/DCT", b"/DCTDecode"),
}
_INFLATED = {b"/Fl", b"/FlateDecode"}
_IN_TEXT = {b"/A85": b"~>", b"/ASCII85Decode": b"~>", b"/AHx": b">", b"/ASCIIHexDecode": b">"}


def decoded(data: bytes, filters: Sequence[object]) -> bytes | None:
    """The data of a content out of its filters; `None` if they are others, or the data damaged.

    What is not whole, some readers draw as far as it goes.
    """
    for name in filters:
        try:
            if name == "/FlateDecode":
                engine = zlib.decompressobj()
                data = engine.decompress(data, CONTENT_BYTES_MAX + 1)
                if not engine.eof:
                    return None
            elif name == "/ASCII85Decode":
                data = base64.a85decode(data.rstrip(_SPACE).removesuffix(b"~>"), ignorechars=_SPACE)
            elif name == "/ASCIIHexDecode":
                digits = data.rstrip(_SPACE).removesuffix(b">").translate(None, _SPACE)
                data = binascii.unhexlify(digits + b"0" * (len(digits) % 2))
            else:
                return None
        except (zlib.error, ValueError):
            return None
    return data


def inflated_length(data: bytes, most: int) -> int:
    """How many bytes a deflated stream has, as far as it goes; `most` and more are `most`."""
    engine, length = zlib.decompressobj(), 0
    try:
        while length < most and not engine.eof:
            piece = engine.decompress(data, _PIECE_BYTES)
            data = engine.unconsumed_tail
            if not piece:
                break
            length += len(piece)
    except zlib.error:
        return 0
    return min(length, most)


def is_plain(content: bytes) -> bool:
    """True if a content is written with nothing that readers read differently."""
    return plain_parts(content) is not None


class InlineImage(NamedTuple):
    """An image in a content: its entries by their long keys, as they are written, and its data."""

    entries: dict[bytes, bytes]
    data: bytes


def plain_parts(content: bytes) -> list[bytes] | None:
    """The content without its inline images, in order; `None` where readers read it differently."""
    apart = taken_apart(content)
    return apart[0] if apart is not None else None


def taken_apart(content: bytes) -> tuple[list[bytes], list[InlineImage]] | None:
    """The content without its inline images, in order, and these; `None` where readers read it differently."""
    if len(content) > CONTENT_BYTES_MAX:
        return None
    offset, parts, images = 0, list[bytes](), list[InlineImage]()
    for _ in range(INLINE_MAX):
        plain = _PLAIN.match(content, offset)
        assert plain is not None
        parts.append(plain[0])
        if plain.end() == len(content):
            return parts, images
        end = _behind_image(content, plain.end(), images)
        if end is None:
            return None
        offset = end
    return None


def tokens_alone(content: bytes) -> list[bytes] | None:
    """The content, if nothing but the number of operands may be wrong in it: all readers see the same operators."""
    if len(content) > CONTENT_BYTES_MAX or _LISTED.search(content) is not None:
        return None
    whole = _TOKENS.match(content)
    return [content] if whole is not None and whole.end() == len(content) else None


def is_divided_between_tokens(pieces: Sequence[bytes]) -> bool:
    """True if no token, and no image, goes on from one piece of a content to the next (section 7.7.3.3).

    Some readers see white space between them, and pdf.js sees none.
    """
    pieces = [piece for piece in pieces if piece]
    for piece, following in pairwise(pieces):
        if _GOES_ON.search(piece, len(piece) - 1) and _REGULAR_FIRST.match(following):
            return False
        offset = 0
        while (offset := _TOKENS.match(piece, offset).end()) < len(piece):  # type: ignore[union-attr]
            behind = _behind_image(piece, offset, [])
            if behind is None:
                return False
            offset = behind
    return True


def _behind_image(content: bytes, start: int, found: list[InlineImage]) -> int | None:
    """The end of the inline image that begins here, which is put to those found; `None` if readers may see
    another end."""
    if not content.startswith(b"BI", start):
        return None
    offset, entries = start + 2, dict[bytes, bytes]()
    while (entry := _ENTRY.match(content, offset)) is not None:
        key = _LONG.get(entry[1], entry[1])
        if key in entries or key not in _KEYS:
            return None
        entries[key], offset = entry[2], entry.end()
    begin = _DATA.match(content, offset)
    stop = _data_end(content, begin.end(), entries) if begin is not None else None
    if begin is None or stop is None or _END_BY_LOOKS.search(content, begin.end(), stop):
        return None
    end = _END.match(content, stop)
    found.append(InlineImage(entries, content[begin.end() : stop]))
    return end.end() if end is not None else None


def _data_end(content: bytes, start: int, entries: dict[bytes, bytes]) -> int | None:
    """Where the data of an inline image end by their own account."""
    names = _NAMES.findall(entries.get(b"/Filter", b"[]"))
    if not _FILTERS.issuperset(names):
        return None  # some readers draw the data of a filter that they do not know as they are
    name = names[0] if names else b""
    if name in _IN_TEXT:
        found = content.find(_IN_TEXT[name], start)
        return found + len(_IN_TEXT[name]) if found >= 0 else None
    if name in _INFLATED:
        engine = zlib.decompressobj()
        try:
            engine.decompress(content[start:], CONTENT_BYTES_MAX)
        except zlib.error:
            return None
        return len(content) - len(engine.unused_data) if engine.eof else None
    if name:
        # Only its decoder knows: nothing else may be taken for its end.
        ends = list(islice(_END.finditer(content, start), 2))
        return ends[0].start() if len(ends) == 1 else None
    size = _size(entries)
    return start + size if size is not None and start + size <= len(content) else None


def _size(entries: dict[bytes, bytes]) -> int | None:
    """The bytes of an image without filters; `None` where only its colour space says."""
    try:
        wide, high = int(entries[b"/Width"]), int(entries[b"/Height"])
        if entries.get(b"/ImageMask") == b"true":
            bits = 1
        else:
            space = entries[b"/ColorSpace"]
            # A number for a colour of a list (section 8.6.6.3) is one component.
            components = 1 if _INDEXED.match(space) else _COMPONENTS[space]
            bits = int(entries[b"/BitsPerComponent"]) * components
    except (KeyError, ValueError):
        return None
    return (wide * bits + 7) // 8 * high if wide > 0 and high > 0 and bits > 0 else None
