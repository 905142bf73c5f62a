"""What a document is; pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.refusal import CommandRefusal, Refusal
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


class StoreNotOurs(Refusal):
    """This process looks into another object store than its database knows: it takes no documents."""

    code = "store_not_ours"
    status = 503
    retry_after_seconds = 60  # somebody has to mount the right folder


class Hold(StrEnum):
    """Why nothing is deleted from the object store until an operator confirms."""

    RESTORED = "restored"  # the database lies elsewhere than when it claimed the store
    BEHIND = "behind"  # the store carries a claim that this database did not make, or lost
    CONTESTED = "contested"  # another database found a claim in the store that was not its own


class DeletionHeld(CommandRefusal):
    """Nothing is deleted from the object store until an operator confirms whose it is."""

    code = "deletion_held"
    status = 409
    passes = False

    def __init__(self, reason: Hold) -> None:
        super().__init__(f"the object store is held: {reason}")
        self.reason = reason


class RestoredUnconfirmed(CommandRefusal):
    """A worker of a restored database would send, ask and publish again what another may be doing."""

    code = "restored_unconfirmed"
    status = 500


class Lineage(NamedTuple):
    """Which database this is, as PostgreSQL says: a copy of the cluster has the same, a dump restored
    elsewhere another, and the timeline rises with each promotion."""

    system: str
    database: int
    timeline: int

    @property
    def cluster(self) -> tuple[str, int]:
        """The part that a failover does not change."""
        return self.system, self.database


@dataclass(frozen=True, slots=True)
class StoreClaim:
    """The database's claim on its object store."""

    store: UUID | None
    here: Lineage
    token: UUID | None
    token_before: UUID | None
    claimed_at: datetime | None
    claimed_by: Lineage | None
    held: Hold | None
    held_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoreSays:
    """The mark, claim and contest in the object store."""

    store: UUID | None
    token: UUID | None
    told: str  # who claimed it, for people
    contest: str  # who found a claim that was not its own, for people; empty: nobody


def hold_of(claim: StoreClaim, found: StoreSays) -> Hold | None:
    """Why the database must not delete from this store; None where it may.

    The database writes a claim before the store does, so that the store may be one claim behind, and
    never before.
    """
    # First, whatever else holds: a copy of a database that was held is a copy.
    if claim.claimed_by is not None and claim.claimed_by.cluster != claim.here.cluster:
        return Hold.RESTORED
    if claim.held is not None:
        return claim.held
    if found.token not in (claim.token, claim.token_before):
        return Hold.BEHIND
    return Hold.CONTESTED if found.contest else None


class CondemnedObject(NamedTuple):
    """An object that nobody wanted when it was condemned."""

    name: str
    condemned_at: datetime


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
        """Name of its object as the release before this one wrote it."""
        return object_name(self.account, self.sha256)


NO_NAME = "dokumen.pdf"  # what a document is called that has no name of its own, or not any more


def clean_name(name: str | None) -> str:
    """A file name that is safe to show, to mail and to send back; a document always has one."""
    return file_name(name or "") or NO_NAME


def content_name(sha256: bytes) -> str:
    """Name of the object of a content."""
    return sha256.hex()


def object_name(account: UUID, sha256: bytes) -> str:
    """Name of the object of a document as the release before this one wrote it."""
    return f"{sha256.hex()}-{account.hex}"


def named_by(name: str) -> DocumentKey | None:
    """The document by the name of its object; None for other objects."""
    if not _OBJECT.fullmatch(name):
        return None
    sha256, account = name.split("-")
    return DocumentKey(UUID(account), bytes.fromhex(sha256))
