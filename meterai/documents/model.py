"""What a document is; pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.kit.refusal import Refusal

NAME_LENGTH_MAX = 120
_UNWANTED = re.compile(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069]+")


class UploadMissing(Refusal):
    """The request has no document."""

    code = "document_missing"
    status = 422


class DocumentForgotten(Refusal):
    """The original is not kept any more; its delta is."""

    code = "document_forgotten"
    status = 410


class Particulars(NamedTuple):
    """What is remembered of a document beside its bytes and its hash."""

    name: str
    bytes: int
    pages: int
    kept_until: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """An uploaded PDF, without its bytes."""

    account: UUID
    sha256: bytes
    name: str
    bytes: int
    kept_until: datetime
    is_forgotten: bool


def clean_name(name: str | None) -> str:
    """A file name that is safe to show and to send back: no path, no control characters."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    text = _UNWANTED.sub("", last).strip(" .") or "dokumen.pdf"
    if len(text) > NAME_LENGTH_MAX:
        text = text[: NAME_LENGTH_MAX - 4].rstrip() + ".pdf"
    return text


def object_name(account: UUID, sha256: bytes) -> str:
    """Where the bytes lie in the object store."""
    return f"{sha256.hex()}-{account.hex}"
