"""Receipts as tagged PDFs: lines of text on A4. The same content gives the same bytes; pure.

The PDF is written without a library, and uses one of the fourteen standard fonts.  Lengths are in points.  Text is in
WinAnsiEncoding (ISO 32000-1, annex D): a character outside it is displayed as `?`, but copying, searching and screen
readers get the right character.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

WIDTH, HEIGHT, MARGIN = 595, 842, 56
_VALUES_AT = 220  # left edge of values, behind their labels
_SIZE, _TITLE_SIZE, _LEADING = 10.5, 18, 15
# Widths of Helvetica's characters from space to tilde, in thousandths of the font size (Adobe AFM); other characters
# count as wide as a digit.
_WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500),
    *(667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500),
    *(
        222,
        833,
        556,
        556,
        556,
        556,
        333,
        500,
        278,
        556,
        500,
        722,
        500,
        500,
        500,
        334,
        260,
        334,
        584,
    ),
)
_OTHER = 556
_ENCODING = "cp1252"  # Python's name of WinAnsiEncoding


class PaperLine(NamedTuple):
    """A line of a receipt: a label with its value, or with an empty label a sentence."""

    label: str
    value: str


class Attached(NamedTuple):
    """A file to attach to a receipt (ISO 32000-1, section 7.11.4), unchanged, for people and programs."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """Content of a receipt; `mark` is printed across each page, unless it is empty."""

    title: str
    language: str
    lines: Sequence[PaperLine]
    mark: str = ""
    attached: Attached | None = None


class _Placed(NamedTuple):
    """A placed piece of text: its position and size in points, and whether it begins a new structure element of the tagged
    PDF.
    """

    x: float
    y: float
    size: float
    text: str
    is_first: bool = True


def width(text: str, size: float) -> float:
    """Return the width of a text at a font size, in points."""
    codes = (ord(letter) - 32 for letter in text)
    return (
        sum(_WIDTHS[code] if 0 <= code < len(_WIDTHS) else _OTHER for code in codes) * size / 1000
    )


def wrapped(text: str, size: float, most: float) -> Iterator[str]:
    """Yield the lines of a text, each at most `most` points wide; a wider word is broken."""
    line = ""
    for word in text.split():
        wanted = f"{line} {word}" if line else word
        if width(wanted, size) <= most:
            line = wanted
            continue
        if line:
            yield line
        line = word
        while width(line, size) > most:
            cut = next(end for end in range(len(line), 0, -1) if width(line[:end], size) <= most)
            yield line[:cut]
            line = line[cut:]
    yield line


def _pages(receipt: Receipt) -> list[list[_Placed]]:
    pages: list[list[_Placed]] = [
        [_Placed(MARGIN, HEIGHT - MARGIN - _TITLE_SIZE, _TITLE_SIZE, receipt.title)]
    ]
    y = float(HEIGHT - MARGIN - _TITLE_SIZE - 2 * _LEADING)
    for label, value in receipt.lines:
        at = _VALUES_AT if label else MARGIN
        texts = list(wrapped(value, _SIZE, WIDTH - MARGIN - at))
        if y - len(texts) * _LEADING < MARGIN:
            pages.append([])
            y = float(HEIGHT - MARGIN - _SIZE)
        if label:
            pages[-1].append(_Placed(MARGIN, y, _SIZE, label))
        for number, text in enumerate(texts):
            pages[-1].append(_Placed(at, y, _SIZE, text, is_first=number == 0 and not label))
            y -= _LEADING
        y -= 5
    return pages


def can_write(text: str) -> bool:
    """True if every character of the text is in WinAnsiEncoding, so that it can be displayed."""
    return text.encode(_ENCODING, "replace").decode(_ENCODING) == text


def _string(text: str) -> bytes:
    octets = text.encode(_ENCODING, "replace")
    return b"(" + octets.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") + b")"


def _text_string(text: str) -> bytes:
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"


def _content(page: Sequence[_Placed], mark: str) -> tuple[bytes, int]:
    """Return the content stream of a page, and its number of structure elements."""
    parts, elements = [], 0
    if mark:
        parts.append(
            b"/Artifact BMC q .85 g BT /F 84 Tf .7071 .7071 -.7071 .7071 140 210 Tm %b Tj ET Q EMC"
            % _string(mark)
        )
    for one in page:
        if one.is_first:
            parts.extend([b"EMC"] if elements else [])
            parts.append(b"/P <</MCID %d>> BDC" % elements)
            elements += 1
        size = b"%.1f" % one.size
        shown = b"BT /F %b Tf %.1f %.1f Td %b Tj ET" % (size, one.x, one.y, _string(one.text))
        if not can_write(one.text):
            # The text for copying, searching and screen readers (ISO 32000-1, section 14.9.4).
            shown = b"/Span <</ActualText%b>> BDC %b EMC" % (_text_string(one.text), shown)
        parts.append(shown)
    return b"\n".join([*parts, b"EMC"]), elements


def written(receipt: Receipt) -> bytes:
    """Return the receipt as a PDF file."""
    pages = _pages(receipt)
    # Numbers of objects: 1 catalogue, 2 pages, 3 font, 4 structure tree, 5 parent tree, 6 information; then each page
    # with its content, then the structure elements.
    first = 7
    element = first + 2 * len(pages)
    objects: dict[int, bytes] = {}
    kids, rows = [], []
    for number, page in enumerate(pages):
        at = first + 2 * number
        content, count = _content(page, receipt.mark)
        objects[at] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Resources<</Font<</F 3 0 R>>>>"
            b"/Contents %d 0 R/StructParents %d/Tabs/S>>" % (WIDTH, HEIGHT, at + 1, number)
        )
        objects[at + 1] = b"<</Length %d>>stream\n%b\nendstream" % (len(content), content)
        own = range(element, element + count)
        for mcid, one in enumerate(own):
            kind = b"H1" if (number, mcid) == (0, 0) else b"P"
            objects[one] = b"<</Type/StructElem/S/%b/P 4 0 R/Pg %d 0 R/K %d>>" % (kind, at, mcid)
        references = b" ".join(b"%d 0 R" % one for one in own)
        kids.append(references)
        rows.append(b"%d [%b]" % (number, references))
        element += count
    leaves = b" ".join(b"%d 0 R" % (first + 2 * number) for number in range(len(pages)))
    names = b""
    if receipt.attached:
        objects[element], objects[element + 1] = _attached(receipt.attached, element)
        names = b"/Names<</EmbeddedFiles<</Names[%b %d 0 R]>>>>/AF[%d 0 R]" % (
            *(_string(receipt.attached.name), element + 1, element + 1),
        )
    objects[1] = (
        b"<</Type/Catalog/Pages 2 0 R/Lang(%b)/MarkInfo<</Marked true>>/StructTreeRoot 4 0 R"
        b"/ViewerPreferences<</DisplayDocTitle true>>%b>>" % (receipt.language.encode(), names)
    )
    objects[2] = b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(pages), leaves)
    objects[3] = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    objects[4] = b"<</Type/StructTreeRoot/K[%b]/ParentTree 5 0 R/ParentTreeNextKey %d>>" % (
        b" ".join(kids),
        len(pages),
    )
    objects[5] = b"<</Nums[%b]>>" % b" ".join(rows)
    objects[6] = b"<</Title%b/Producer(meterai)>>" % _text_string(receipt.title)
    return _file(objects)


def _attached(file: Attached, number: int) -> tuple[bytes, bytes]:
    """Return two PDF objects for an attached file: its stream, whose object number is `number`, and its file
    specification.
    """
    kind = file.media_type.replace("/", "#2F").encode()
    stream = b"<</Type/EmbeddedFile/Subtype/%b/Length %d>>stream\n%b\nendstream" % (
        *(kind, len(file.content), file.content),
    )
    name = _string(file.name)
    return stream, (
        b"<</Type/Filespec/F%b/UF%b/AFRelationship/Data/EF<</F %d 0 R/UF %d 0 R>>>>"
        % (name, name, number, number)
    )


def attached(file: bytes, media_type: str) -> bytes | None:
    """Return the attached file of this media type from a receipt made by `written`, sealed or not; None if absent."""
    head = b"<</Type/EmbeddedFile/Subtype/%b/Length " % media_type.replace("/", "#2F").encode()
    _, found, rest = file.partition(head)
    length, stream, content = rest.partition(b">>stream\n")
    if not found or not stream or not re.fullmatch(rb"[0-9]{1,9}", length):
        return None
    return content[: int(length)]


def _file(objects: dict[int, bytes]) -> bytes:
    made = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number in sorted(objects):
        offsets.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, objects[number])
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    digest = hashlib.sha256(made).hexdigest()[:32].encode()
    return made + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d/Root 1 0 R/Info 6 0 R"
        b"/ID[<%b><%b>]>>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, digest, digest, len(made))
    )
