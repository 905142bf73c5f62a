"""Repair with qpdf: the visible pages of a broken document in a new file.

qpdf is not safe with hostile files, so this code runs only in the processes of `bounded`.
"""

import logging
from io import BytesIO

import pikepdf

from meterai.sealing.model import DocumentBroken, DocumentEncrypted

PAGES_MAX = 20_000  # of a document that is repaired; each costs some microseconds


def repaired(document: bytes) -> bytes:
    """Return the repaired document.  Refuses with `DocumentBroken` or `DocumentEncrypted`."""
    # Log messages of the library would repeat the refusal.
    logging.disable(logging.CRITICAL)
    out = BytesIO()
    try:
        with pikepdf.open(BytesIO(document), suppress_warnings=True) as opened:
            if opened.is_encrypted:
                raise DocumentEncrypted("a repair would remove the protection")
            # Counting the pages makes qpdf repair the page tree too.
            if not 0 < len(opened.pages) <= PAGES_MAX:
                raise DocumentBroken("the document has no pages that can be repaired, or too many")
            # qpdf corrects an existing /Size, but adds none if the trailer was lost.
            opened.trailer["/Size"] = len(opened.objects)
            opened.save(
                out,
                deterministic_id=True,
                object_stream_mode=pikepdf.ObjectStreamMode.disable,
                fix_metadata_version=False,
            )
    except pikepdf.PasswordError as cause:
        raise DocumentEncrypted("the broken document is encrypted") from cause
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError) as cause:
        raise DocumentBroken("the document cannot be repaired") from cause
    return out.getvalue()
