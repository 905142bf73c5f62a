"""Documents for visitors to stamp: small PDFs, each with unique bytes."""

import random  # noqa: TID251 - a seeded one is passed in

_HEAD = b"%PDF-1.4\n"
_PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
    b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
)


def _stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< %s/Length %d >>\nstream\n%s\nendstream" % (entries, len(content), content)


def document(drawing: random.Random, size: int) -> bytes:
    """Return a PDF of one page and of about `size` bytes (at least a thousand)."""
    name = b"Pelamar %016x" % drawing.getrandbits(64)
    text = b"BT /F1 14 Tf 72 770 Td (Surat Lamaran, %s) Tj ET" % name
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Attached 5 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _PAGE,
        _stream(text),
        # Invisible padding to the size of a scan.
        _stream(drawing.randbytes(max(size - 900, 1)), b"/Type /Scan "),
    ]
    return _written(objects)


def _written(objects: list[bytes]) -> bytes:
    """Return a PDF file with these objects and a cross-reference table (ISO 32000-1, section 7.5)."""
    found, offsets = bytearray(_HEAD), []
    for number, one in enumerate(objects, start=1):
        offsets.append(len(found))
        found += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    begin = len(found)
    found += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        found += b"%010d 00000 n \n" % offset
    found += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    found += b"startxref\n%d\n%%%%EOF\n" % begin
    return bytes(found)
