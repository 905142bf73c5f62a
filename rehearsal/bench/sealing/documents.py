"""Documents to seal: real PDFs of five sizes and structures, or generated PDFs like them."""

import io
import random
from dataclasses import dataclass
from pathlib import Path

import pikepdf

CORPUS = Path(__file__).parents[3].parent / "shared" / "corpus" / "plain"
_SEED = 7  # the same bytes in every run
_PAGE_BYTES = 600  # of a page without its content: object, cross-reference, fonts


@dataclass(frozen=True, slots=True)
class Document:
    """One PDF with its name; `is_real` if it is not generated."""

    name: str
    data: bytes
    is_real: bool


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    file: str
    pages: int
    size: int
    is_packed: bool


_KINDS = (
    _Kind("50 KB, stream", "pypdf__pdflatex-outline.pdf", 4, 48_722, is_packed=True),
    _Kind("80 KB, table", "pypdf__google-doc-document.pdf", 1, 80_100, is_packed=False),
    _Kind("270 KB, table", "pdfjs__issue269_2.pdf", 12, 271_024, is_packed=False),
    _Kind("1.4 MB, 286 pages", "deb__debian-reference.id.pdf", 286, 1_375_710, is_packed=True),
    _Kind("7 MB, 1,111 pages", "deb__cplusplus.pdf", 1_111, 7_195_103, is_packed=False),
)


def documents() -> list[Document]:
    """Return a document of each kind, the smallest first."""
    return [_document(kind) for kind in _KINDS]


def _document(kind: _Kind) -> Document:
    path = CORPUS / kind.file
    if path.is_file():
        return Document(kind.name, path.read_bytes(), is_real=True)
    made = generated(pages=kind.pages, size=kind.size, is_packed=kind.is_packed)
    return Document(kind.name, made, is_real=False)


def generated(*, pages: int, size: int, is_packed: bool) -> bytes:
    """Return a PDF of about `size` bytes, with text and an incompressible picture on every page.

    `is_packed` puts its objects into streams and ends it with a cross-reference stream.
    """
    noise, made = random.Random(_SEED), pikepdf.new()
    font = made.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
    )
    side = max(int(max(size / pages - _PAGE_BYTES, 1) ** 0.5), 1)
    for number in range(1, pages + 1):
        page = made.add_blank_page(page_size=(595, 842))
        picture = made.make_stream(
            noise.randbytes(side * side),
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=side,
            Height=side,
            ColorSpace=pikepdf.Name.DeviceGray,
            BitsPerComponent=8,
        )
        page.Resources = pikepdf.Dictionary(
            Font=pikepdf.Dictionary(F1=font), XObject=pikepdf.Dictionary(P=picture)
        )
        words = b"BT /F1 14 Tf 72 770 Td (Surat Perjanjian %d) Tj ET " % number
        page.Contents = made.make_stream(words + b"q 245 0 0 200 72 500 cm /P Do Q")
    out, modes = io.BytesIO(), pikepdf.ObjectStreamMode
    made.save(
        out, static_id=True, object_stream_mode=modes.generate if is_packed else modes.disable
    )
    return out.getvalue()
