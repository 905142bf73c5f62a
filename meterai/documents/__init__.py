"""Documents: uploaded PDFs, their limits and how long they are kept.

Promises this room keeps
  * The bytes of a document are kept encrypted, for a limited time, and then forgotten.
  * The same bytes are the same document within an account, however often they are sent.
  * A missing original is unavailable until the retention forgets it, never forgotten before.
  * Bytes without a row of a document (an upload that was refused or cut off) are deleted.

Calls accounts, audit.
"""

from meterai.documents.model import (
    DocumentForgotten,
    DocumentMetadata,
    DocumentUnavailable,
    UploadMissing,
    object_name,
)
from meterai.documents.service import MARKER, DocumentService, keep_longer
from meterai.documents.settings import DocumentSettings

__all__ = [
    "MARKER",
    "DocumentForgotten",
    "DocumentMetadata",
    "DocumentService",
    "DocumentSettings",
    "DocumentUnavailable",
    "UploadMissing",
    "keep_longer",
    "object_name",
]
