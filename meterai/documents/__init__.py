"""Documents: uploaded PDFs, their limits and their short stay.

Promises this room keeps
  * The document is the customer's: its bytes are kept encrypted, for a time, and then forgotten.
  * The same bytes are the same document within an account, however often they are sent.
  * A missing original is unavailable until the retention forgets it, never forgotten before.
  * What nobody wants does not stay: an upload that came to nothing is deleted.

Calls accounts, audit.
"""

from meterai.documents.model import (
    Document,
    DocumentForgotten,
    DocumentUnavailable,
    Particulars,
    UploadMissing,
    object_name,
)
from meterai.documents.service import MARKER, DocumentService, load
from meterai.documents.settings import DocumentSettings

__all__ = [
    "MARKER",
    "Document",
    "DocumentForgotten",
    "DocumentService",
    "DocumentSettings",
    "DocumentUnavailable",
    "Particulars",
    "UploadMissing",
    "load",
    "object_name",
]
