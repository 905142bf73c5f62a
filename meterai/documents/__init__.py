"""Documents: uploaded PDFs, their limits and their short stay.

Promises this room keeps
  * The document is the customer's: its bytes are kept encrypted, for a time, and then forgotten.
  * The same bytes are the same document within an account, however often they are sent.

Calls only plumbing.
"""

from meterai.documents.model import Document, DocumentForgotten, Particulars, UploadMissing
from meterai.documents.service import DocumentDesk, load

__all__ = [
    "Document",
    "DocumentDesk",
    "DocumentForgotten",
    "Particulars",
    "UploadMissing",
    "load",
]
