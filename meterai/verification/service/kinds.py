"""Detects the kind of a file that is no PDF from the file's first bytes, so that an answer can name the kind."""

from enum import StrEnum

HEADER_WITHIN = 1024  # bytes in which a PDF has its header (ISO 32000-2, annex I)
_PHOTOS = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF8",
    b"II*\0",  # TIFF
    b"MM\0*",
)
_BRANDS = (b"hei", b"hev", b"mif", b"msf", b"avi")  # of HEIC and AVIF, formats of phone cameras
_OFFICE = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf")  # Word before 2007, and RTF


class FileKind(StrEnum):
    """Kind of a file that people send in place of a PDF."""

    PHOTO = "photo"
    OFFICE = "office"


def kind_of(content: bytes) -> FileKind | None:
    """Return the kind of a file; None for a PDF or an unknown kind.  A ZIP is detected by `archive`, not here."""
    if b"%PDF-" in content[:HEADER_WITHIN]:
        return None
    is_heic = content[4:8] == b"ftyp" and content[8:11] in _BRANDS
    if is_heic or content.startswith(_PHOTOS) or (content[:4], content[8:12]) == (b"RIFF", b"WEBP"):
        return FileKind.PHOTO
    return FileKind.OFFICE if content.startswith(_OFFICE) else None
