"""Attacks on our stamping: documents prepared with hidden, damaged or foreign seals."""

import io
from collections.abc import Callable

import pikepdf

from tests.support.attacks.lab import Attack, Lab, refused
from tests.support.pdfmaker import Stream, letter, update, whole

_TURNED = Stream(b"", b"BT /F1 24 Tf 72 760 Td (Rp 999) Tj ET")


def false_ranges(count: int, start: int) -> bytes:
    """`count` gaps that look like those of seals, to be placed at an offset of a file."""
    data = b""
    for _ in range(count):
        at = start + len(data)
        data += b"<0000>/ByteRange[0 %d %d 9]\n" % (at, at + 6)
    return data


def with_false_ranges(count: int) -> bytes:
    """A letter with such gaps in a stream."""
    before = whole(letter(2))
    opening = b"90 0 obj\n<</Length 000000>>stream\n"
    data = false_ranges(count, len(before) + len(opening))
    stream = opening.replace(b"000000", b"%06d" % len(data)) + data + b"endstream\nendobj\n"
    return update(before + stream, {})


def many_ranges(count: int) -> bytes:
    """A letter with `count` byte ranges that contain nothing."""
    return whole({**letter(2), 90: Stream(b"", b">/ByteRange[0 " * count)})


def without_its_seal(sealed: bytes) -> bytes:
    """A sealed letter with another first page, and without our form, field and stamp.

    The seal is still in the bytes, but no object refers to it.
    """
    objects = letter(2)
    return update(sealed, {1: objects[1], 4: objects[4], 5: _TURNED})


def _spoilt(lab: Lab) -> bytes:
    return lab.sealed.replace(b"Surat Pernyataan 1", b"Surat Pernyataan 9", 1)


def _taken_out(lab: Lab) -> bytes:
    """The document, rewritten without its form. The picture of the stamp stays, with its name."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(lab.sealed)) as opened:
        for annotation in opened.pages[0].Annots:
            annotation.Subtype = pikepdf.Name.Stamp
            del annotation["/V"]
            del annotation["/FT"]
        del opened.Root.AcroForm
        del opened.Root.Perms
        opened.save(out, static_id=True)
    return out.getvalue()


def _self_made(lab: Lab) -> bytes:
    return lab.seal(lab.original, issuer=lab.forger)


def _before_the_header(lab: Lab) -> bytes:
    return b"%!PS-Adobe\n" + lab.signed(lab.original)


def _portfolio(_: Lab) -> bytes:
    objects = letter(1)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/Collection<</Type/Collection/View/D>>>>"
    return whole(objects)


def _leaving(action: bytes) -> Callable[[Lab], bytes]:
    objects = letter(1)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/OpenAction%b>>" % action
    return lambda _: whole(objects)


def _dynamic(_: Lab) -> bytes:
    objects = letter(1)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]/XFA 90 0 R>>>>"
    objects[90] = Stream(b"", b"<xdp/>")
    return whole(objects)


def _signed_for_no_change(lab: Lab) -> bytes:
    lock = b"/Reference[<</TransformMethod/DocMDP/TransformParams<</P 1>>>>]"
    objects = letter(1)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[90 0 R]>>>>"
    objects[90] = b"<</FT/Sig/T(A)/V 91 0 R>>"
    objects[91] = b"<</Type/Sig/Contents<00>/ByteRange[0 9 12 9]%b>>" % lock
    return whole(objects)


CASES: dict[str, Attack] = {
    "false-ranges-beyond-the-bound": refused(lambda _: with_false_ranges(70), "too_many_seals"),
    "byte-ranges-beyond-the-bound": refused(lambda _: many_ranges(10_001), "too_many_seals"),
    "stamped-upon-a-spoilt-seal": refused(_spoilt, "seal_spoilt"),
    "stamped-upon-a-spoilt-seal-outside-the-form": refused(
        lambda lab: without_its_seal(_spoilt(lab)), "seal_spoilt"
    ),
    "stamped-beside-a-stamp-without-seal": refused(_taken_out, "stray_stamp"),
    "stamped-upon-a-self-made-seal": refused(_self_made, "seal_spoilt"),
    "stamped-behind-the-name-of-a-field": refused(
        lambda lab: lab.signed(lab.original, f"Meterai_{lab.serial()}"), "seal_spoilt"
    ),
    "stamped-with-something-before-the-header": refused(_before_the_header, "document_broken"),
    "stamped-portfolio": refused(_portfolio, "portfolio"),
    "stamped-where-opening-leads-away": refused(
        _leaving(b"<</S/GoToR/F(lain.pdf)/D[0/Fit]>>"), "leaves_when_opened"
    ),
    "stamped-where-a-second-action-leads-away": refused(
        _leaving(b"<</S/GoTo/D[4 0 R/Fit]/Next[<</S/URI/URI(https://lain.example)>>]>>"),
        "leaves_when_opened",
    ),
    "stamped-dynamic-form": refused(_dynamic, "dynamic_form"),
    "stamped-where-no-change-is-allowed": refused(_signed_for_no_change, "changes_forbidden"),
}
