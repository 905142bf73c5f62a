"""Repairing a broken document before it is stamped, and only one that nobody has signed.

qpdf reads what viewers read: wrong pointers, missing tables, junk before the header, cut tails.
What it writes is a new file, so every earlier signature would be lost; a document that bears one
is refused instead.  The same bytes are always repaired to the same bytes.
"""

import re

from meterai.sealing.model import DOCUMENT_BYTES_MAX, DocumentBroken, DocumentTooLarge
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import NotAnswered
from meterai.sealing.sandbox.bounded import Task, Work

# What a signature dictionary has in it; a broken one may lack any of these.
_SIGNED = re.compile(rb"/ByteRange\s*\[|/Adobe\.PPKLite\b|/SubFilter\s*/(?:adbe|ETSI)\.")


def repairing(document: bytes) -> Work[bytes]:
    """A document that can be stamped, with the pages a viewer shows of the broken one.

    Refuses with `DocumentBroken` what qpdf cannot read either, or not within its bounds, and what
    has a signature; with `DocumentEncrypted` what is encrypted.
    """
    if len(document) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge(size_bytes=len(document), limit_bytes=DOCUMENT_BYTES_MAX)
    if _SIGNED.search(document):
        raise DocumentBroken("broken, and signed: repairing it would cost the signature")
    answer = yield Task("repair", document, answer_bytes_max=DOCUMENT_BYTES_MAX + 1)
    try:
        return answers.content_of(answer)
    except NotAnswered:
        raise DocumentBroken("repairing the document takes too long") from None
