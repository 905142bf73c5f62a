"""Documents: uploaded PDFs, their limits and how long they are kept.

Promises of this room
  * The bytes of a document are stored encrypted, for a limited time, and then deleted.
  * Within an account, the same bytes are the same document, for any number of uploads.
  * Bytes are stored once, and are kept until no row of any room or account refers to them.
  * A missing original is reported as unavailable, and as forgotten only after the end of its retention.
  * Bytes without a row of a document (of an upload that was refused or cut off) are deleted.
  * Only one module deletes objects from the store, in two steps, and only while this database alone claims the store.
  * No document is written into an object store that does not belong to the database.

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
