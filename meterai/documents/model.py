"""Values of documents; pure."""

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
    """The original was forgotten; its delta is kept."""

    code = "document_forgotten"
    status = 410


class DocumentUnavailable(Refusal):
    """The original should be in the object store and was not found there; a later attempt or another machine may succeed.

    Only the retention forgets a document.
    """

    code = "document_unavailable"
    status = 503
    retry_after_seconds = 60  # lease of a stamping, or time of a mount


class StoreNotOurs(Refusal):
    """This process sees another object store than the one of its database, so it accepts no documents."""

    code = "store_not_ours"
    status = 503
    retry_after_seconds = 60  # somebody has to mount the right folder


class Hold(StrEnum):
    """Reason why nothing is deleted from the object store until an operator confirms."""

    RESTORED = "restored"  # the database is another one than when it claimed the store
    BEHIND = "behind"  # the store has a claim that this database did not make, or lost
    CONTESTED = "contested"  # another database found a claim in the store that was not its own


class DeletionHeld(CommandRefusal):
    """Nothing is deleted from the object store until an operator confirms that it belongs to this database."""

    code = "deletion_held"
    status = 409
    passes = False

    def __init__(self, reason: Hold) -> None:
        super().__init__(f"the object store is held: {reason}")
        self.reason = reason


class RestoredUnconfirmed(CommandRefusal):
    """A worker of a restored database would repeat mails, calls and publications that another one may be doing."""

    code = "restored_unconfirmed"
    status = 500


class Lineage(NamedTuple):
    """Identity of a database by PostgreSQL: a copy of the cluster has the same, a dump restored
    into another cluster has another, and the timeline rises with each promotion.
    """

    system: str
    database: int
    timeline: int

    @property
    def cluster(self) -> tuple[str, int]:
        """Part of the identity that a failover does not change."""
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
    """Mark, claim and contest in the object store."""

    store: UUID | None
    token: UUID | None
    told: str  # author of the claim, for people
    contest: str  # author of the contest, for people; empty: none


def hold_of(claim: StoreClaim, found: StoreSays) -> Hold | None:
    """Return the reason why the database must not delete from this store; None if it may.

    The database writes a claim before the store does, so that the store may be one claim behind, and
    never ahead.
    """
    # First: a copy of a held database is still a copy.
    if claim.claimed_by is not None and claim.claimed_by.cluster != claim.here.cluster:
        return Hold.RESTORED
    if claim.held is not None:
        return claim.held
    if found.token not in (claim.token, claim.token_before):
        return Hold.BEHIND
    return Hold.CONTESTED if found.contest else None


class CondemnedObject(NamedTuple):
    """An object that was unwanted when it was condemned."""

    name: str
    condemned_at: datetime


class DocumentMetadata(NamedTuple):
    """Facts of a document that are kept beside its bytes and its hash."""

    name: str
    bytes: int
    pages: int
    kept_until: datetime


class DocumentKey(NamedTuple):
    """Account and digest that identify a document."""

    account: UUID
    sha256: bytes

    @property
    def object(self) -> str:
        """Name of its object in the form of the previous release."""
        return object_name(self.account, self.sha256)


NO_NAME = "dokumen.pdf"  # name of a document without a name, or after its name was erased


def clean_name(name: str | None) -> str:
    """Return a file name that is safe to show, to mail and to send back; never empty."""
    return file_name(name or "") or NO_NAME


def content_name(sha256: bytes) -> str:
    """Return the name of the object of a content."""
    return sha256.hex()


def object_name(account: UUID, sha256: bytes) -> str:
    """Return the name of a document's object in the form of the previous release."""
    return f"{sha256.hex()}-{account.hex}"


def named_by(name: str) -> DocumentKey | None:
    """Return the document that an object name denotes; None for other objects."""
    if not _OBJECT.fullmatch(name):
        return None
    sha256, account = name.split("-")
    return DocumentKey(UUID(account), bytes.fromhex(sha256))
