"""Attacks by how the structure of a file is written: rows, lines, brackets, types and deflated data that
some reader takes otherwise than the others.

Updates of evidence, for which nobody needs a key; and documents prepared before sealing, which are written
anew before that.
"""

import re
import zlib
from collections.abc import Callable

from tests.support.attacks.by_hand import (
    FIELD,
    PICTURE,
    SIGNATURE,
    objects_of,
    signed,
    value_of,
)
from tests.support.attacks.keyless import evidence
from tests.support.attacks.lab import Attack, Lab, changed
from tests.support.pdfmaker import (
    Body,
    Row,
    Stream,
    letter,
    packed_stream,
    tail_of,
    text_of,
    update,
    whole,
)

_CERTIFICATE = b"0\x82abc"
_WORDS = b"BT /F1 24 Tf 72 760 Td (Rp 99.000.000) Tj ET"
_OWN = 170  # an object that an update adds
_DEEP = 65  # brackets; some reader stops at 64
_LINE_PIECE = 255  # octets that some reader takes of a line at once
_Change = Callable[[bytes], bytes]


def _update(change: _Change, *, style: str = "table") -> Callable[[Lab], bytes]:
    """Evidence, the text of whose update is changed; nothing in it is found by its offset behind that."""

    def make(lab: Lab) -> bytes:
        sealed = lab.sealed_of(letter(2), style=style)
        made = evidence(sealed, _CERTIFICATE, style=style)
        other = change(made[len(sealed) :])
        assert other != made[len(sealed) :]
        return sealed + other

    return make


def _saying_of_all(entries: bytes) -> Callable[[Lab], bytes]:
    """Evidence beside more that the catalog says."""

    def make(lab: Lab) -> bytes:
        size, objects = _parts(lab.sealed)
        objects[1] = text_of(objects[1])[:-2] + entries + b">>"
        objects[size] = b"<</Type/DSS/Certs[%d 0 R]>>" % (size + 1)
        return update(lab.sealed, objects)

    return make


def _head_of_free(where: int) -> Callable[[Lab], bytes]:
    """Evidence whose rows begin with a free one that leads out of all bounds."""

    def make(lab: Lab) -> bytes:
        sealed = lab.sealed_of(letter(2), style="stream")
        return evidence(sealed, _CERTIFICATE, style="stream", rows={0: Row("f", where, 65_535)})

    return make


def _behind(blanks: bytes) -> Callable[[Lab], bytes]:
    """Evidence, the header of whose certificate does not begin a line, or begins far from the last object."""

    def make(lab: Lab) -> bytes:
        made = evidence(lab.sealed, _CERTIFICATE)
        number = tail_of(lab.sealed)[1] + 1
        header = made.rindex(b"%d 0 obj" % number)
        row = b"%010d 00000 n" % header
        start = int(re.findall(rb"startxref\n(\d+)", made)[-1])
        assert made.count(row) == 1
        other = made.replace(row, b"%010d 00000 n" % (header + len(blanks)))
        other = other[:header] + blanks + other[header:]
        return other.replace(b"startxref\n%d" % start, b"startxref\n%d" % (start + len(blanks)))

    return make


def deep(inside: bytes = b"", depth: int = _DEEP) -> bytes:
    """Brackets in brackets."""
    return b"<</A" * depth + (inside or b"/B") + b">>" * depth


def read_ahead(first: bytes, then: bytes) -> bytes:
    """Deflated data whose second block is stored behind a coded one."""
    engine = zlib.compressobj(9)
    made = engine.compress(first) + engine.flush(zlib.Z_FULL_FLUSH)
    return made + engine.compress(then) + engine.flush()


def _parts(sealed: bytes) -> tuple[int, dict[int, Body]]:
    """The first number that is free, which the evidence gets; and what else an update of evidence writes."""
    size, made = tail_of(sealed)[1], evidence(sealed, _CERTIFICATE)
    catalog = made[made.rindex(b"\n1 0 obj\n") + 9 :].split(b"\nendobj")[0]
    return size, {1: catalog, size + 1: Stream(b"", _CERTIFICATE)}


def _stored_behind_coded(lab: Lab) -> bytes:
    """Evidence in an object stream that two viewers may inflate otherwise than zlib does."""
    sealed = lab.sealed_of(letter(2), style="stream")
    size, objects = _parts(sealed)
    table = b"%d 0 " % size
    data = read_ahead(table, b"<</Type/DSS/Certs[%d 0 R]>>" % (size + 1))
    entries = b"/Type/ObjStm/N 1/First %d/Filter/FlateDecode" % len(table)
    objects[size + 2] = Stream(entries, data)
    return update(sealed, objects, style="stream", rows={size: Row("s", size + 2, 0)})


def _beside_its_table(lab: Lab) -> bytes:
    """Evidence beside a cross-reference stream that does not count, with a row of its own."""
    size = tail_of(lab.sealed)[1]
    rows = Stream(b"/Type/XRef/W[1 2 1]/Index[5 1]/Size %d" % (size + 3), b"\2\0\1\0")
    return evidence(lab.sealed, _CERTIFICATE, {size + 2: rows})


def _of_a_type_elsewhere(lab: Lab) -> bytes:
    """A certificate whose type is said by another object, and is that of an object stream."""
    size, objects = _parts(lab.sealed)
    objects[size] = b"<</Type/DSS/Certs[%d 0 R %d 0 R]>>" % (size + 1, size + 2)
    objects[size + 1] = Stream(b"/Type %d 0 R/N 1/First 4" % (size + 2), b"5 0 <<>>")
    objects[size + 2] = b"/ObjStm"
    return update(lab.sealed, objects)


def _picture_read_ahead(lab: Lab) -> bytes:
    """A later picture whose drawing two viewers may inflate otherwise."""
    objects = objects_of(lab.sealed)
    picture = objects[PICTURE]
    assert isinstance(picture, Stream)
    entries = picture.entries + b"/Filter/FlateDecode"
    objects[PICTURE] = Stream(entries, read_ahead(b"q\n", picture.data + b" Q"))
    return signed(lab, lab.sealed, objects)


def _certified_elsewhere(lab: Lab) -> bytes:
    """A later signature that certifies the document anew, in an object of its own."""
    objects = objects_of(lab.sealed)
    objects[SIGNATURE] = text_of(objects[SIGNATURE])[:-2] + b"/Reference[%d 0 R]>>" % _OWN
    parameters = b"<</Type/TransformParams/V/1.2/P 2>>"
    objects[_OWN] = b"<</Type/SigRef/TransformMethod/DocMDP/TransformParams%b>>" % parameters
    return signed(lab, lab.sealed, objects)


def _field_of_its_own(lab: Lab) -> bytes:
    """A field that stood in the list of annotations, in an object of its own: one reader then draws it."""
    field = (
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(b)/V(Rp 99)/DA(/F1 20 Tf)/Rect[60 740 340 800]/F 4>>"
    )
    made = letter(2)
    made[4] = text_of(made[4])[:-2] + b"/Annots[%b]>>" % field
    sealed = lab.sealed_of(made)
    objects = objects_of(sealed)
    page = value_of(sealed, 4)
    assert field in page
    hung = page.replace(field, b"%d 0 R" % _OWN)
    objects[4] = re.sub(rb"/Annots ?\[([^\]]*)\]", rb"/Annots[\1 %d 0 R]" % FIELD, hung)
    objects[_OWN] = field
    return signed(lab, sealed, objects)


CASES: dict[str, Attack] = {
    "picture-of-stored-behind-coded": changed(_picture_read_ahead, "unchanged"),
    "certified-in-another-object": changed(_certified_elsewhere, "unchanged"),
    "field-in-an-object-of-its-own": changed(_field_of_its_own, "unchanged"),
    "head-of-free-rows-beyond-the-file": changed(_head_of_free(1 << 31), "unchanged"),
    "header-behind-blanks": changed(_behind(b" \0" + b" " * 250), "unchanged"),
    "header-in-the-middle-of-a-line": changed(_behind(b"  "), "unchanged"),
    "header-far-behind": changed(_behind(b"\n" * 300), "unchanged"),
    "half-a-header-in-evidence": changed(
        lambda lab: evidence(lab.sealed, b"0\x82\n" + b" " * (_LINE_PIECE - 1) + b"50 obj\n"),
        "unchanged",
    ),
    "brackets-too-deep": changed(
        _saying_of_all(b"/Extensions<</ADBE<</URL%b>>>>" % deep(depth=40)), "unchanged"
    ),
    "string-below-deep-brackets": changed(
        _saying_of_all(b"/Extensions<</ADBE<</URL%b>>>>" % deep(b"( >> >> /Pages 9 0 R)", 40)),
        "unchanged",
    ),
    "blanks-behind-a-count": changed(
        _update(lambda made: re.sub(rb"\n(\d+ \d+)\n(?=\d{10} )", rb"\n\1  \n", made, count=1)),
        "unchanged",
    ),
    "trailer-of-a-table-with-rows": changed(
        _update(lambda made: made.replace(b"trailer\n<<", b"trailer\n<</W[1 2 1]")), "unchanged"
    ),
    "trailer-of-a-table-with-deep-brackets": changed(
        _update(lambda made: made.replace(b"trailer\n<<", b"trailer\n<</DL%b" % deep(depth=8))),
        "unchanged",
    ),
    "stored-behind-coded": changed(_stored_behind_coded, "unchanged"),
    "rows-beside-the-table": changed(_beside_its_table, "unchanged"),
    "type-in-another-object": changed(_of_a_type_elsewhere, "unchanged"),
}

HONEST: dict[str, Attack] = {
    "genuine-with-evidence-in-lines": Attack(_behind(b"\n"), "genuine"),
    "genuine-with-a-blank-behind-a-count": Attack(
        _update(lambda made: re.sub(rb"\n(\d+ \d+)\n(?=\d{10} )", rb"\n\1 \n", made, count=1)),
        "genuine",
    ),
}


# -- what was prepared before sealing ------------------------------------------------------------------


def _revised(first: bytes, second: bytes) -> bytes:
    """A letter with the content of its first page in another object, whose header is written otherwise."""
    objects = letter(2)
    objects[4] = text_of(objects[4]).replace(b"/Contents 5 0 R", b"/Contents 41 0 R")
    objects[40] = Stream(b"", _WORDS)
    document = whole({**objects, 41: b"[40 0 R]"})
    made = update(document, {41: b"[5 0 R]"})
    at = made.rindex(b"41 0 obj")
    other = made[:at] + first + made[at:].replace(b"endobj", b"endobj" + second, 1)
    for offset in {at, int(re.findall(rb"startxref\n(\d+)", made)[-1])}:
        grown = offset + len(first) + (len(second) if offset > at else 0)
        start = len(document)
        other = other[:start] + other[start:].replace(
            b"%010d 00000 n" % offset, b"%010d 00000 n" % grown
        ).replace(b"startxref\n%d" % offset, b"startxref\n%d" % grown)
    return other


def hidden_in_a_string() -> bytes:
    """What counts begins in a string for those who do not go by the rows."""
    return _revised(b"( x ", b"\n)\n")


def hidden_behind_a_word() -> bytes:
    """What counts does not begin a line."""
    return _revised(b"x ", b"")


def packed_and_plain() -> bytes:
    """An object stream holds what was written again outside of it."""
    objects = letter(2)
    objects[4] = text_of(objects[4]).replace(b"/Contents 5 0 R", b"/Contents 41 0 R")
    objects[40] = Stream(b"", _WORDS)
    first = whole({**objects, 41: b"[40 0 R]"}, style="stream", packed=[41])
    return update(first, {41: b"[5 0 R]"}, style="stream")


def packed_and_freed() -> bytes:
    """An object stream holds what was freed later, and is referred to."""
    objects = letter(2)
    objects[4] = text_of(objects[4]).replace(b"/Contents 5 0 R", b"/Contents[5 0 R 41 0 R]")
    first = whole({**objects, 41: b"null"}, style="stream", packed=[41])
    return update(first, {}, style="stream", rows={41: Row("f", 0, 1)})


def of_an_escaped_type() -> bytes:
    """An object stream that only those know who read escapes, and to which no row leads."""
    stream = packed_stream({5: b"<<>>"})
    entries = stream.entries.replace(b"/ObjStm", b"/Obj#53tm")
    assert entries != stream.entries
    return whole({**letter(2), 50: Stream(entries, stream.data)})


def of_an_object_zero() -> bytes:
    """A second table whose first row is in use."""
    return update(whole(letter(2)), {3: letter(2)[3]}, rows={0: Row("n", 0, 65_535)})


def of_deep_brackets() -> bytes:
    """A page that some reader ends earlier."""
    objects = letter(2)
    objects[4] = text_of(objects[4])[:-2] + b"/PieceInfo" + deep() + b">>"
    return whole(objects)


PREPARED: dict[str, Callable[[], bytes]] = {
    "hidden-in-a-string": hidden_in_a_string,
    "hidden-behind-a-word": hidden_behind_a_word,
    "packed-and-plain": packed_and_plain,
    "packed-and-freed": packed_and_freed,
    "of-an-escaped-type": of_an_escaped_type,
    "of-an-object-zero": of_an_object_zero,
}
