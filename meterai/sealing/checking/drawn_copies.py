"""Copies of a document to be drawn: as it is, with all its layers, with pictures cut to their boxes.

A copy is the document with one more update, and is nothing but input of a renderer.
"""

from collections.abc import Iterable, Mapping

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.decoding import stream_bytes
from meterai.sealing.pdf.document import Document, is_number
from meterai.sealing.pdf.pages import Box
from meterai.sealing.pdf.syntax import Ref


def with_all_layers(document: Document) -> bytes:
    """The file without the settings of layers in its catalog, without which all are shown."""
    root, ref = document.root, document.root_ref
    if document.locate(ref.number) is None:
        raise DocumentBroken("no catalog")
    entries = b"".join(
        b"%b %b" % (key, root.raw(key) or b"null") for key in root.spans if key != b"/OCProperties"
    )
    return _updated(document, {ref: b"<<%b>>" % entries})


def with_pictures_cut(document: Document, widgets: Iterable[int]) -> bytes:
    """The file with the pictures of these widgets drawn inside of their boxes only.

    A reader cuts them itself (ISO 32000-2, section 8.10.2); one renderer does not.  Each becomes the
    picture of a box, cut, in which the old one is drawn.
    """
    made: dict[Ref, bytes] = {}
    number = document.size
    for widget in widgets:
        shown = document.dictionary(Ref(widget, 0))
        picture = document.dictionary(shown.get(b"/AP")) if shown is not None else None
        ref = picture.get(b"/N") if picture is not None else None
        box = _box(document, ref) if isinstance(ref, Ref) else None
        if isinstance(ref, Ref) and box is not None and ref not in made:
            made |= _cut(document, ref, box, Ref(number, 0))
            number += 1
    return _updated(document, made) if made else document.buffer


def _box(document: Document, ref: Ref) -> Box | None:
    corners = [
        float(one) for one in document.items(document.dictionary(ref), b"/BBox") if is_number(one)
    ]
    if len(corners) != 4:
        return None
    left, right = sorted((corners[0], corners[2]))
    low, top = sorted((corners[1], corners[3]))
    return left, low, right, top


def _cut(document: Document, ref: Ref, box: Box, inner: Ref) -> dict[Ref, bytes]:
    entries = document.dictionary(ref)
    assert entries is not None
    length = document.number(entries, b"/Length")
    data = stream_bytes(entries.buffer, entries, int(length or 0))
    kept = b"".join(
        b"%b %b" % (key, entries.raw(key) or b"null")
        for key in entries.spans
        if key not in (b"/Matrix", b"/Length")
    )
    left, low, right, top = box
    drawing = b"q %.4f %.4f %.4f %.4f re W n /X Do Q" % (left, low, right - left, top - low)
    cipher = document.cipher
    if cipher is not None:
        drawing = cipher.encrypt_stream(ref, drawing)
        data = cipher.encrypt_stream(inner, cipher.decrypt_stream(ref, data))
    head = b"/Type/XObject/Subtype/Form/BBox %b/Matrix %b/Resources<</XObject<</X %d 0 R>>>>" % (
        entries.raw(b"/BBox") or b"null",
        entries.raw(b"/Matrix") or b"[1 0 0 1 0 0]",
        inner.number,
    )
    outer = b"<<%b/Length %d>>stream\n%b\nendstream" % (head, len(drawing), drawing)
    kept += b"/Length %d" % len(data)
    return {ref: outer, inner: b"<<%b>>stream\n%b\nendstream" % (kept, data)}


def _updated(document: Document, objects: Mapping[Ref, bytes]) -> bytes:
    """The file with an update of these objects."""
    out = bytearray(document.buffer)
    if not out.endswith(b"\n"):
        out += b"\n"
    rows = b""
    for ref, body in objects.items():
        rows += b"%d 1\n%010d %05d n \n" % (ref.number, len(out) - document.shift, ref.generation)
        out += b"%d %d obj\n%b\nendobj\n" % (*ref, body)
    kept = b"".join(
        b"%b %b" % (key, document.trailer.raw(key) or b"null")
        for key in (b"/Root", b"/Info", b"/ID", b"/Encrypt")
        if key in document.trailer
    )
    size = max(document.size, *(ref.number + 1 for ref in objects))
    out += b"xref\n%btrailer\n<<%b/Size %d/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        rows,
        kept,
        size,
        document.startxref,
        len(out) - document.shift,
    )
    return bytes(out)
