"""Attacks on readers that look for the objects of a file by themselves, as soon as something has them do so.

Each is an update of evidence, for which nobody needs a key.  Some hide an object where such readers find it,
some lead them to what was hidden before sealing, and some are what has a reader look in the first place.
"""

import re
import zlib
from collections.abc import Callable

from tests.support.attacks.keyless import evidence
from tests.support.attacks.lab import Attack, Lab, changed
from tests.support.pdfmaker import Body, Row, Stream, letter, tail_of, update, whole, written

_WORDS = b"BT /F1 24 Tf 72 760 Td (Rp 99.000.000) Tj ET"
_CONTENT = written(5, Stream(b"", _WORDS))
_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents 5 0 R>>"
_CERTIFICATE = b"0\x82abc"
_FAR = 4_000_000  # of this number Ghostscript opens no table


def _with(data: bytes) -> Callable[[Lab], bytes]:
    return lambda lab: evidence(lab.sealed, data)


def _identified(second: bytes) -> Callable[[Lab], bytes]:
    """Evidence whose trailer has this as the second identifier."""

    def make(lab: Lab) -> bytes:
        kept = tail_of(lab.sealed)[2]
        other = re.sub(rb"<[0-9a-f]+>\]", lambda _: second + b"]", kept)
        assert other != kept
        return evidence(lab.sealed, _CERTIFICATE, trailer=other)

    return make


def _saying(entries: bytes) -> Callable[[Lab], bytes]:
    """Evidence whose trailer says more."""

    def make(lab: Lab) -> bytes:
        return evidence(lab.sealed, _CERTIFICATE, trailer=entries + tail_of(lab.sealed)[2])

    return make


def _numbered(number: int) -> Callable[[Lab], bytes]:
    def make(lab: Lab) -> bytes:
        made = evidence(lab.sealed, _CERTIFICATE)
        catalog = made[made.rindex(b"\n1 0 obj\n") + 9 :].split(b"\nendobj")[0]
        objects: dict[int, Body] = {
            1: re.sub(rb"/DSS \d+", b"/DSS %d" % number, catalog),
            number: b"<</Type/DSS/Certs[%d 0 R]>>" % (number + 1),
            number + 1: Stream(b"", _CERTIFICATE),
        }
        return update(lab.sealed, objects)

    return make


def _sized(size: int) -> Callable[[Lab], bytes]:
    def make(lab: Lab) -> bytes:
        made, start = evidence(lab.sealed, _CERTIFICATE), len(lab.sealed)
        return made[:start] + re.sub(rb"/Size \d+", b"/Size %d" % size, made[start:])

    return make


def _with_other_rows(lab: Lab, change: Callable[[bytes], bytes], more: bytes = b"") -> bytes:
    """Evidence whose cross-reference stream has other rows, and `more` behind the name of its filter."""
    sealed = lab.sealed_of(letter(2), style="stream")
    made = evidence(sealed, _CERTIFICATE, style="stream")
    at = made.index(b"/Type/XRef", len(sealed))
    [packed] = re.findall(rb"stream\n(.*)\nendstream", made[at:], re.DOTALL)
    other = zlib.compress(change(zlib.decompress(packed)))
    text = made[at:].replace(packed, other)
    text = text.replace(b"/Length %d" % len(packed), b"/Length %d" % len(other))
    return made[:at] + text.replace(b"/FlateDecode", b"/FlateDecode" + more, 1)


def _up(rows: bytes) -> bytes:
    """The rows, each of seven bytes, predicted from the row above."""
    lines = [rows[one : one + 7] for one in range(0, len(rows), 7)]
    return b"".join(
        b"\2" + bytes((one - up) & 255 for one, up in zip(line, above, strict=True))
        for line, above in zip(lines, [bytes(7), *lines], strict=False)
    )


def _predicted(parameters: bytes) -> Callable[[Lab], bytes]:
    """Evidence whose cross-reference stream is predicted in a way that not all readers know."""
    return lambda lab: _with_other_rows(lab, _up, parameters)


def _free_for_its_rows(lab: Lab) -> bytes:
    """Evidence whose cross-reference stream says of itself that its number is free."""
    return _with_other_rows(lab, lambda rows: rows[:-7] + b"\0\0\0\0\0\xff\xff")


def _before_the_pointer(comment: bytes) -> Callable[[Lab], bytes]:
    def make(lab: Lab) -> bytes:
        made = evidence(lab.sealed, _CERTIFICATE)
        at = made.rindex(b"startxref")
        return made[:at] + b"%" + comment + b"\n" + made[at:]

    return make


# -- what was prepared before sealing ------------------------------------------------------------------


def loose() -> bytes:
    """A letter whose first page goes on in an object without a row."""
    objects = letter(2)
    page = objects[4]
    assert isinstance(page, bytes)
    objects[4] = page.replace(b"/Contents 5 0 R", b"/Contents[5 0 R 40 0 R]")
    objects[40] = Stream(b"", _WORDS)
    document = whole(objects)
    other = re.sub(rb"\n40 1\n\d{10} \d{5} n \n", b"\n", document)
    assert other != document
    return other


def freed() -> bytes:
    """The same, the row of the object being free."""
    objects = letter(2)
    page = objects[4]
    assert isinstance(page, bytes)
    objects[4] = page.replace(b"/Contents 5 0 R", b"/Contents[5 0 R 40 0 R]")
    objects[40] = Stream(b"", _WORDS)
    return update(whole(objects), {}, rows={40: Row("f", 0, 1)})


def behind_a_long_comment() -> bytes:
    """A letter with another content of the page in the data of a stream, its header in three lines."""
    hidden = b"%%\n5 %%%b\n0 obj\n" % (b"A" * 300) + _CONTENT.split(b"obj\n", 1)[1]
    return whole({**letter(2), 50: Stream(b"", hidden)})


def of_two_generations() -> bytes:
    """A letter whose content is of a second generation; the first is another."""
    objects = letter(2)
    objects[5] = Stream(b"", _WORDS)
    content, page = letter(2)[5], objects[4]
    assert isinstance(page, bytes)
    later: dict[int, Body] = {5: content, 4: page.replace(b"5 0 R", b"5 1 R")}
    return update(whole(objects), later, generations={5: 1})


def of_two_catalogs() -> bytes:
    """A letter whose first revision has another catalog."""
    objects = letter(2)
    first = whole({**objects, 60: objects[1]}, root=60)
    kept = tail_of(first)[2].replace(b"/Root 60 0 R", b"/Root 1 0 R")
    return update(first, {1: objects[1]}, trailer=kept)


def of_two_trailers() -> bytes:
    """A letter in which a trailer stands that belongs to no section."""
    objects = letter(2)
    objects[50] = Stream(b"", b"\ntrailer\n<</Root 60 0 R/Size 61>>\n")
    return whole(objects)


PREPARED: dict[str, Callable[[], bytes]] = {
    "loose": loose,
    "freed": freed,
    "behind-a-long-comment": behind_a_long_comment,
    "of-two-generations": of_two_generations,
    "of-two-catalogs": of_two_catalogs,
    "of-two-trailers": of_two_trailers,
}


def _prepared(make: Callable[[], bytes]) -> Attack:
    return Attack(
        lambda lab: evidence(lab.seal(make()), _CERTIFICATE),
        "could_not_be_compared",
        frozenset({"compared"}),
    )


_INSIDE = {
    "behind-a-long-comment": b"5 %" + b"A" * 200 + b"\n0 obj\n<<>>\n",
    "behind-comments-with-signs": b"5 % 1 % 2\n%\n0 %%%\nobj\n<<>>\n",
    "with-a-number-behind": b"5 0 obj90\n",
    "with-a-letter-behind": b"5 0 objx\n",
    "without-white-space": b"5 0obj\n",
    "with-a-sign": b"+5 0 obj\n",
    "with-octets-that-are-white-for-some": b"5\xa00\xa0obj\n",
    "beyond-32-bits": b"4294967301 0 obj\n",
}

CASES: dict[str, Attack] = {
    **{
        f"evidence-with-an-object-{name}": changed(_with(b"0\x82abc\n" + data), "unchanged")
        for name, data in _INSIDE.items()
    },
    "evidence-that-ends-its-object": changed(_with(b"x\nendobj\n"), "unchanged"),
    "evidence-that-ends-its-stream": changed(_with(b"x\nendstream\n"), "unchanged"),
    "evidence-with-a-header": changed(_with(b"x\n%PDF-1.7\n"), "unchanged"),
    "evidence-with-an-end-of-file": changed(_with(b"x\n%%EOF\n"), "unchanged"),
    "evidence-far-beyond": changed(_numbered(_FAR), "unchanged"),
    "size-far-beyond": changed(_sized(_FAR), "unchanged"),
    "identifier-with-an-object": changed(_identified(b"(\n" + _CONTENT + b")"), "unchanged"),
    "identifier-with-a-pointer": changed(_identified(b"(\nstartxref\n5\n%%EOF\n)"), "unchanged"),
    "identifier-that-is-long": changed(_identified(b"<" + b"41" * 300 + b">"), "unchanged"),
    "three-identifiers": changed(_identified(b"<41><42>"), "unchanged"),
    "checksum-with-an-object": changed(_saying(b"/DocChecksum(\n" + _CONTENT + b")"), "unchanged"),
    "checksum-with-a-page-for-some": changed(
        _saying(b"/DocChecksum[/x\x80q\x80endobj\x804\x800\x80obj" + _PAGE + b"]"), "unchanged"
    ),
    "checksum-that-ends-for-some": changed(_saying(b"/DocChecksum/x\x80q"), "unchanged"),
    "streams-with-an-object": changed(
        _saying(b"/AdditionalStreams[/x(\n" + _CONTENT + b")]"), "unchanged"
    ),
    "predictor-of-no-standard": changed(_predicted(b"/DecodeParms<</Predictor 16/Columns 7>>")),
    "predictor-that-is-no-whole-number": changed(
        _predicted(b"/DecodeParms<</Predictor 12.0/Columns 7>>")
    ),
    "predicted-rows-of-no-whole-number": changed(
        _predicted(b"/DecodeParms<</Predictor 12/Columns 7.0>>")
    ),
    "predictor-of-colours": changed(
        _predicted(b"/DecodeParms<</Predictor 12/Colors 2/Columns 7>>")
    ),
    "object-before-the-pointer": changed(_before_the_pointer(b"5 0 obj<<>>endobj"), "unchanged"),
    **{f"prepared-{name}": _prepared(make) for name, make in PREPARED.items()},
}

HONEST: dict[str, Attack] = {
    "genuine-with-a-free-row-for-its-rows": Attack(_free_for_its_rows, "genuine"),
    "genuine-with-evidence-predicted": Attack(
        _predicted(b"/DecodeParms<</Predictor 12/Columns 7>>"), "genuine"
    ),
    "genuine-with-a-checksum": Attack(_saying(b"/DocChecksum/0123456789ABCDEF"), "genuine"),
}
