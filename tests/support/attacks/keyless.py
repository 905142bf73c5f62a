"""Attacks by an update that holds nothing but evidence, for which nobody needs a key.

Some put into it what readers find that look for objects by themselves, or lead them there; some finish what
was left open in the sealed file; some take an object of the page for a list of evidence.
"""

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.attacks import later
from tests.support.attacks.lab import Attack, Lab, changed
from tests.support.pdfmaker import Body, Row, Stream, letter, tail_of, update, whole, written

_WORDS = b"BT /F1 24 Tf 72 760 Td (Rp 99.000.000) Tj ET"
_FAR = 60_000  # bytes; where a sealed letter says that something is, long behind its end
_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
_Change = Callable[[bytes], bytes]


def _root(document: bytes) -> bytes:
    start = document.rindex(b"\n1 0 obj")
    return document[document.index(b"<<", start) : document.index(b"endobj", start)].strip()


def evidence(
    document: bytes, data: bytes, more: Mapping[int, Body] | None = None, **section: object
) -> bytes:
    """The document with an update of one piece of evidence, which has these bytes."""
    size = tail_of(document)[1]
    objects: dict[int, Body] = {
        1: _root(document)[:-2] + b"/DSS %d 0 R>>" % size,
        size: b"<</Type/DSS/Certs[%d 0 R]>>" % (size + 1),
        size + 1: Stream(b"", data),
    }
    return update(document, objects | dict(more or {}), **section)  # type: ignore[arg-type]


def _leaf(lab: Lab) -> bytes:
    return lab.issuer.chain[0].public_bytes(Encoding.DER)


def _honest(lab: Lab) -> bytes:
    return evidence(lab.sealed, _leaf(lab))


def _with(data: bytes) -> Callable[[Lab], bytes]:
    return lambda lab: evidence(lab.sealed, data)


def _rewritten(change: _Change) -> Callable[[Lab], bytes]:
    """Honest evidence, the text of whose update was changed by hand."""

    def make(lab: Lab) -> bytes:
        made = _honest(lab)
        update_of = made[len(lab.sealed) :]
        other = change(update_of)
        assert other != update_of
        return made[: len(lab.sealed)] + other

    return make


def _freed(number: int, style: str = "table") -> Callable[[Lab], bytes]:
    def make(lab: Lab) -> bytes:
        sealed = lab.sealed_of(letter(2), style=style)
        rows = {number: Row("f", 0, 65535)}
        return evidence(sealed, _leaf(lab), rows=rows, style=style)

    return make


# -- a stream beside the table ------------------------------------------------------------------


def _beside(entries: bytes, rows: bytes = b"\1%(self)b\0\0") -> Callable[[Lab], bytes]:
    """Evidence in a hybrid update: `entries` are in the stream beside its table, `rows` of it are said
    of number 5."""

    def make(lab: Lab) -> bytes:
        made = _honest(lab)
        before = made.rindex(b"xref\n", 0, made.rindex(b"startxref"))
        number = tail_of(made)[1]
        index = b"/Index[5 1]" if rows == _FREE else b"/Index[%d 1]" % number
        data = rows if rows == _FREE else b"\1%b\0\0" % before.to_bytes(4, "big")
        stream = written(
            number,
            Stream(b"/Type/XRef/W[1 4 2]/Size %d%b%b" % (number + 1, index, entries), data),
        )
        table = made[before:]
        row = b"%d 1\n%010d 00000 n \ntrailer\n" % (number, before)
        table = table.replace(b"trailer\n", row).replace(
            b"/Size %d" % number, b"/Size %d/XRefStm %d" % (number + 1, before)
        )
        start = table.rindex(b"startxref\n")
        end = b"startxref\n%d\n%%%%EOF\n" % (before + len(stream))
        return made[:before] + stream + table[:start] + end

    return make


_FREE = b"\0\0\0\0\0\0\0"


# -- what was left open in the sealed file --------------------------------------------------------


def _drawing(number: int) -> dict[int, Body]:
    """A letter whose first page draws an object that is not there."""
    objects = letter(2)
    page, content = objects[4], objects[5]
    assert isinstance(page, bytes)
    assert isinstance(content, Stream)
    objects[4] = page.replace(
        b"/Font<</F1 3 0 R>>", b"/Font<</F1 3 0 R>>/XObject<</X %d 0 R>>" % number
    )
    objects[5] = Stream(content.entries, content.data + b" /X Do")
    return objects


def _padded(sealed: bytes, data: bytes, at: int) -> bytes:
    """Evidence whose `data` stand at this byte of the file."""
    start = evidence(sealed, b"#").rindex(b"#\nendstream")
    for spare in range(12):  # of digits that the length has more
        made = evidence(sealed, b" " * (at - start - spare) + data)
        if made.find(data, at) == at:
            return made
    raise AssertionError("the data stand elsewhere")


def _row_behind_the_end(lab: Lab) -> bytes:
    prepared = update(whole(_drawing(50)), {}, rows={50: Row("n", _FAR)})
    return _padded(lab.seal(prepared), written(50, Stream(_FORM, _WORDS)), _FAR)


def _stream_longer_than_the_file(lab: Lab) -> bytes:
    objects = letter(2)
    content = objects[5]
    assert isinstance(content, Stream)
    objects[5] = b"<</Length %d>>stream\n%b\nendstream" % (_FAR, content.data)
    sealed = lab.sealed_of(objects)
    start = sealed.index(b"stream\n", sealed.index(b"/Length %d" % _FAR)) + len(b"stream\n")
    tail = b"\nendstream\nendobj\n"
    return _padded(sealed, b" " + _WORDS + tail, start + _FAR - len(_WORDS) - 1)


def _open(text: bytes, closing: bytes) -> Callable[[Lab], bytes]:
    def make(lab: Lab) -> bytes:
        objects = _drawing(61)
        objects[60] = Stream(_FORM, _WORDS)
        objects[61] = text
        return evidence(lab.sealed_of(objects), closing)

    return make


def _way_that_is_no_whole_number(lab: Lab) -> bytes:
    sealed = lab.seal(
        whole(_drawing(50)).replace(b"/Root 1 0 R", b"/Root 1 0 R/XRefStm %d.0" % _FAR)
    )
    return evidence(sealed, _leaf(lab))


def with_twin(document: bytes) -> bytes:
    """A letter with the words of a page once more, behind the ones that count: no row leads there."""
    at = document.index(b"6 0 obj")
    twin = b"5 0 obj\n<</Length 44>>stream\n%b\nendstream\nendobj\n" % _WORDS
    assert len(_WORDS) == 44
    # The rows behind it, and the table, move by as much.
    moved = document[:at] + twin + document[at:]
    return _with_rows_moved(moved, at, len(twin))


def _with_rows_moved(document: bytes, at: int, by: int) -> bytes:
    head, table = document.split(b"\nxref\n", 1)
    lines = []
    for line in table.split(b"\n"):
        is_row = line.endswith(b"n ") and int(line[:10]) >= at
        lines.append(b"%010d" % (int(line[:10]) + by) + line[10:] if is_row else line)
    start = int(lines[lines.index(b"startxref") + 1])
    lines[lines.index(b"startxref") + 1] = b"%d" % (start + by)
    return head + b"\nxref\n" + b"\n".join(lines)


# -- an object of the page, taken for something else ------------------------------------------------


def _taken(entry: bytes, more: dict[int, Body]) -> Callable[[Lab], bytes]:
    """An update that writes the content of a page anew, as what an entry of the catalog now leads to."""

    def make(lab: Lab) -> bytes:
        objects: dict[int, Body] = {1: _root(lab.sealed)[:-2] + entry + b">>"}
        return update(lab.sealed, objects | more)

    return make


def _information_of_nobody(lab: Lab) -> bytes:
    _, _, kept = tail_of(lab.sealed)
    made = evidence(lab.sealed, _leaf(lab), {5: b"<</Producer(x)>>"}, trailer=kept + b"/Info 5 0 R")
    assert made.count(b"/Info 5 0 R") == 1
    return made


def _information_that_is_resources(lab: Lab) -> bytes:
    objects = letter(2)
    page, content = objects[4], objects[5]
    assert isinstance(page, bytes)
    assert isinstance(content, Stream)
    objects[4] = page.replace(b"/Font<</F1", b"/XObject 40 0 R/Font<</F1")
    objects[5] = Stream(content.entries, content.data + b" /Producer Do")
    objects[40] = b"<</Title(Surat)/Producer 60 0 R>>"
    objects[60] = Stream(_FORM, b"1 g 0 0 595 842 re f")
    kept = b"/ID[<31415926535897932384626433832795><31415926535897932384626433832795>]"
    sealed = lab.sealed_of(objects, trailer=kept + b"/Info 40 0 R")
    trailer = tail_of(sealed)[2] + b"/Info 40 0 R"
    return evidence(sealed, _leaf(lab), {40: b"<</Title(Surat)>>"}, trailer=trailer)


def _catalog_that_is_resources(lab: Lab) -> bytes:
    objects = letter(2)
    page, content, root = objects[4], objects[5], objects[1]
    assert isinstance(page, bytes)
    assert isinstance(content, Stream)
    assert isinstance(root, bytes)
    objects[1] = root[:-2] + b"/Extensions<</ca 0/CA 0>>>>"
    objects[4] = page.replace(b"/Font<</F1", b"/ExtGState 1 0 R/Font<</F1")
    objects[5] = Stream(content.entries, b"q /Extensions gs 60 400 300 200 re f Q " + content.data)
    sealed = lab.sealed_of(objects)
    made = evidence(sealed, _leaf(lab))
    update_of = made[len(sealed) :].replace(b"/Extensions<</ca 0/CA 0>>", b" " * 25)
    return made[: len(sealed)] + update_of


def _code_made_real(lab: Lab) -> bytes:
    """A whole number in the codes of a font, written anew as one that is none."""
    objects = letter(2)
    font = objects[3]
    assert isinstance(font, bytes)
    objects[3] = font[:-2] + b"/Encoding 50 0 R>>"
    encoding = b"<</Type/Encoding/Differences[%b/one 48/zero]>>"
    objects[50] = encoding % b"57"
    return evidence(lab.sealed_of(objects), _leaf(lab), {50: encoding % b"57.0"})


_PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>%b'
    b"</pdf:Producer></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def _metadata_that_are_content(
    reference: bytes = b"60 0 R", prepared: _Change = lambda document: document
) -> Callable[[Lab], bytes]:
    """Metadata that a page draws as well: a program may write its name into them, and that is drawn."""
    entries = b"/Type/Metadata/Subtype/XML"

    def make(lab: Lab) -> bytes:
        objects = letter(2)
        root, page = objects[1], objects[4]
        assert isinstance(root, bytes)
        assert isinstance(page, bytes)
        objects[1] = root[:-2] + b"/Metadata 60 0 R>>"
        objects[4] = page.replace(b"/Contents 5 0 R", b"/Contents[5 0 R %b]" % reference)
        objects[60] = Stream(entries, _PACKET % b"x")
        sealed = lab.seal(prepared(whole(objects)))
        return evidence(sealed, _leaf(lab), {60: Stream(entries, _PACKET % (b" %b " % _WORDS))})

    return make


def _with_a_row_into_the_page(document: bytes) -> bytes:
    """An older row leads into the page, before the reference; a newer one to an object."""
    into = document.index(b"60 0 R]")
    return update(update(document, {}, rows={99: Row("n", into)}), {99: b"null"})


def _list_shared_in_two_steps(lab: Lab) -> bytes:
    """A signature writes a list of evidence again as it was, which is the content of a page as well; the next
    update makes it longer."""
    objects = letter(6)
    page, root = objects[6], objects[1]
    assert isinstance(page, bytes)
    assert isinstance(root, bytes)
    objects[1] = root[:-2] + b"/DSS<</Type/DSS/Certs 50 0 R>>>>"
    objects[6] = page.replace(b"/Contents 7 0 R", b"/Contents 50 0 R")
    objects[50] = b"[7 0 R]"
    sealed = lab.sealed_of(objects)
    first = later.with_field(sealed, 200, {})
    first |= {200: b"<</FT/Sig/T(N)/V 201 0 R>>", 201: later.signature(), 50: b"[7 0 R]"}
    signed = later.completed(lab, update(sealed, first))
    catalog = later.object_of(signed, 1)
    size = max(tail_of(signed)[1], 300)
    second: dict[int, Body] = {
        1: catalog.replace(b"/Certs 50 0 R", b"/Certs 50 0 R/OCSPs[%d 0 R]" % size),
        50: b"[7 0 R %d 0 R]" % (size + 1),
        size: Stream(b"", _leaf(lab)),
        size + 1: Stream(b"", _WORDS),
    }
    return update(signed, second)


def _string_made_another(before: bytes, after: bytes) -> Callable[[Lab], bytes]:
    """A string that readers read differently, written again as only some of them read it."""

    def make(lab: Lab) -> bytes:
        objects = letter(2)
        objects[50] = b"[/Indexed/DeviceGray 1 %b]" % before
        return evidence(
            lab.sealed_of(objects), _leaf(lab), {50: b"[/Indexed/DeviceGray 1 %b]" % after}
        )

    return make


HONEST: dict[str, Attack] = {
    "genuine-with-evidence-by-hand": Attack(_honest, "genuine"),
    "genuine-with-a-string-written-otherwise": Attack(
        _string_made_another(rb"(\r0)", b"<0D30>"), "genuine"
    ),
    "genuine-with-evidence-beside-a-table": Attack(_beside(b""), "genuine"),
}

CASES: dict[str, Attack] = {
    "evidence-with-an-object-inside": changed(
        _with(b"\n5 0 obj\n<</Length 44>>\nstream\n%b\nendstream\nendobj\n" % _WORDS), "unchanged"
    ),
    "evidence-with-an-object-behind-comments": changed(
        _with(b"\n5 %x\n0 %y\nobj\n<<>>\nendobj\n"), "unchanged"
    ),
    "evidence-with-a-trailer-inside": changed(_with(b"\ntrailer\n<</Root 60 0 R>>\n"), "unchanged"),
    "evidence-with-a-table-inside": changed(
        _with(b"\nxref\n0 1\n0000000000 65535 f \n"), "unchanged"
    ),
    "row-behind-the-end": changed(_row_behind_the_end, "unchanged"),
    "stream-longer-than-the-file": changed(_stream_longer_than_the_file, "unchanged"),
    "string-without-an-end": changed(
        _open(b"<</A" + b"(" * 300, b")" * 300 + b"/X 60 0 R>>\nendobj\n"), "unchanged"
    ),
    "array-without-an-end": changed(_open(b"[" * 20, b"]" * 20 + b"\nendobj\n"), "unchanged"),
    "dictionary-without-an-end": changed(
        _open(b"<</A " * 20, b">>" * 20 + b"\nendobj\n"), "unchanged"
    ),
    "way-that-is-no-whole-number": changed(_way_that_is_no_whole_number, "unchanged"),
    "free-row-of-no-object": changed(_freed(90), "unchanged"),
    "free-row-of-no-object-in-a-stream": changed(_freed(90, "stream"), "unchanged"),
    "free-row-far-beyond": changed(_freed(8_388_606), "unchanged"),
    "content-freed-beside-the-table": changed(_beside(b"", _FREE), "unchanged"),
    "other-way-beside-the-table": changed(_beside(b"/Prev 15"), "unchanged"),
    "other-root-beside-the-table": changed(_beside(b"/Root 4 0 R"), "unchanged"),
    "no-filter-beside-the-table": changed(_beside(b"/Filter null"), "unchanged"),
    "pointer-far-from-its-number": changed(
        _rewritten(lambda text: text.replace(b"startxref\n", b"startxref" + b" " * 6000 + b"\n")),
        "unchanged",
    ),
    "mark-far-from-the-pointer": changed(
        _rewritten(lambda text: text.replace(b"\n%%EOF", b" " * 6000 + b"\n%%EOF")), "unchanged"
    ),
    "form-feeds-around-the-pointer": changed(
        _rewritten(lambda text: text.replace(b"startxref\n", b"startxref\f")), "unchanged"
    ),
    "words-waiting-behind-those-that-count": Attack(
        lambda lab: evidence(lab.seal(with_twin(lab.original)), _leaf(lab)),
        "could_not_be_compared",
        frozenset({"compared"}),
    ),
    "content-taken-for-evidence": changed(
        _taken(b"/DSS 5 0 R", {5: b"<</Type/DSS/Certs[90 0 R]>>", 90: Stream(b"", _WORDS)}),
        "unchanged",
    ),
    "content-taken-for-a-list-of-evidence": changed(
        _taken(
            b"/DSS 90 0 R",
            {
                5: b"[91 0 R]",
                90: b"<</Type/DSS/Certs 5 0 R>>",
                91: Stream(b"", _WORDS),
            },
        ),
        "unchanged",
    ),
    "content-taken-for-metadata": changed(
        _taken(b"/Metadata 5 0 R", {5: Stream(b"/Type/Metadata/Subtype/XML", _WORDS)}), "unchanged"
    ),
    "content-taken-for-the-information": changed(_information_of_nobody, "unchanged"),
    "information-that-is-resources": changed(_information_that_is_resources, "unchanged"),
    "catalog-that-is-resources": changed(_catalog_that_is_resources, "unchanged"),
    "metadata-that-a-page-draws": changed(_metadata_that_are_content(), "unchanged"),
    **{
        f"metadata-that-a-page-draws-{name}": changed(
            _metadata_that_are_content(reference), "unchanged"
        )
        for name, reference in (
            ("behind-a-comment", b"60%x\n0 R"),
            ("with-comments", b"60 %x\n%y\n0 R"),
            ("before-a-comment", b"60 0%x\nR"),
            ("with-a-fraction", b"60.0 0 R"),
            ("with-a-sign", b"+60 0 R"),
            ("beyond-32-bits", b"4294967356 0 R"),
        )
    },
    "metadata-that-a-page-draws-behind-a-row": changed(
        _metadata_that_are_content(prepared=_with_a_row_into_the_page), "unchanged"
    ),
    "list-shared-in-two-steps": changed(_list_shared_in_two_steps, "unchanged"),
    "string-with-a-carriage-return": changed(
        _string_made_another(b"(0\r)", b"<300A>"), "unchanged"
    ),
    "string-with-both-ends-of-a-line": changed(
        _string_made_another(b"(\r\n0)", b"<0A30>"), "unchanged"
    ),
    "string-with-half-a-byte": changed(_string_made_another(b"<304>", b"(0@)"), "unchanged"),
    "code-made-real": changed(_code_made_real, "unchanged"),
}
