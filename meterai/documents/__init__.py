"""Documents: uploaded PDFs, their limits and how long they are kept.

Promises of this room
  * The bytes of a document are stored encrypted, for a limited time, and then forgotten.
  * The same bytes are the same document within an account, for any number of uploads.
  * Bytes are stored once, and stay until no row of any room or account wants them.
  * A missing original is unavailable until the retention forgets it, never forgotten before.
  * Bytes without a row of a document (an upload that was refused or cut off) are deleted.
  * Objects leave the store by one module, in two steps, and only while this database alone claims the store.
  * No document is written into a store that is not the database's.

Calls accounts, trail.
"""

from meterai.documents.contents import DocumentContents
from meterai.documents.model import (
    DocumentForgotten,
    DocumentMetadata,
    DocumentUnavailable,
    StoreNotOurs,
    UploadMissing,
    content_name,
    object_name,
)
from meterai.documents.removal import Keeper, Removal
from meterai.documents.service import DocumentService, keep_longer
from meterai.documents.settings import DocumentSettings
from meterai.documents.timeline import OBJECTS_OF_STORE, Timeline

__all__ = [
    "OBJECTS_OF_STORE",
    "DocumentContents",
    "DocumentForgotten",
    "DocumentMetadata",
    "DocumentService",
    "DocumentSettings",
    "DocumentUnavailable",
    "Keeper",
    "Removal",
    "StoreNotOurs",
    "Timeline",
    "UploadMissing",
    "content_name",
    "keep_longer",
    "object_name",
]
