"""Repair of a broken, unsigned document before it is stamped.

qpdf reads the damaged files that viewers read: wrong pointers, missing tables, junk before the header, cut ends.
Its output is a new file without the earlier signatures, so a signed document is refused.  Repairing the same bytes
always gives the same result.
"""

import re

from meterai.sealing.model import DOCUMENT_BYTES_MAX, DocumentBroken, DocumentTooLarge
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import NotAnswered
from meterai.sealing.sandbox.bounded import Task, Work

# Entries of a signature dictionary; one match suffices, since a broken dictionary may lack some of them.
_SIGNED = re.compile(rb"/ByteRange\s*\[|/Adobe\.PPKLite\b|/SubFilter\s*/(?:adbe|ETSI)\.")


def repairing(document: bytes) -> Work[bytes]:
    """Return a `Work` that repairs a document: its result has the pages that a viewer shows of the broken document.

    Refuses with `DocumentBroken` a document that qpdf cannot read within its limits, and a
    signed one; with `DocumentEncrypted` an encrypted one.
    """
    if len(document) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge(size_bytes=len(document), limit_bytes=DOCUMENT_BYTES_MAX)
    if _SIGNED.search(document):
        raise DocumentBroken(
            "the document is broken and signed: a repair would destroy the signature"
        )
    answer = yield Task("repair", document, answer_bytes_max=DOCUMENT_BYTES_MAX + 1)
    try:
        return answers.content_of(answer)
    except NotAnswered:
        raise DocumentBroken("repairing the document takes too long") from None
