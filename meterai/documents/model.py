"""What a document is; pure."""

import re
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.kit.refusal import Refusal
from meterai.kit.text import file_name

_OBJECT = re.compile(r"[0-9a-f]{64}-[0-9a-f]{32}")


class UploadMissing(Refusal):
    """The request has no document."""

    code = "document_missing"
    status = 422


class DocumentForgotten(Refusal):
    """The original is not kept any more; its delta is."""

    code = "document_forgotten"
    status = 410


class DocumentUnavailable(Refusal):
    """The original should be in the object store and was not found there: try later, or elsewhere.

    Another machine may see it, or the store may come back; only the retention forgets.
    """

    code = "document_unavailable"
    status = 503
    retry_after_seconds = 60  # what a lease of a stamping lasts, or a mount


class DocumentMetadata(NamedTuple):
    """What is remembered of a document beside its bytes and its hash."""

    name: str
    bytes: int
    pages: int
    kept_until: datetime


class DocumentKey(NamedTuple):
    """Whose document it is, and which."""

    account: UUID
    sha256: bytes

    @property
    def object(self) -> str:
        """Where its bytes lie in the object store."""
        return object_name(self.account, self.sha256)


NO_NAME = "dokumen.pdf"  # what a document is called that has no name of its own, or not any more


def clean_name(name: str | None) -> str:
    """A file name that is safe to show, to mail and to send back; a document always has one."""
    return file_name(name or "") or NO_NAME


def object_name(account: UUID, sha256: bytes) -> str:
    """Where the bytes lie in the object store."""
    return f"{sha256.hex()}-{account.hex}"


def named_by(name: str) -> DocumentKey | None:
    """The document by the name of its object; None for other objects."""
    if not _OBJECT.fullmatch(name):
        return None
    sha256, account = name.split("-")
    return DocumentKey(UUID(account), bytes.fromhex(sha256))
