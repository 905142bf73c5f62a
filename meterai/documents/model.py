"""Values of documents and of the object store; no input or output."""

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
    """The original was deleted at the end of its retention; the delta of its stamping is kept."""

    code = "document_forgotten"
    status = 410


class DocumentUnavailable(Refusal):
    """The original should be in the object store, but was not found; a later attempt or another machine may succeed.

    For an original that was deleted at the end of its retention there is `DocumentForgotten`.
    """

    code = "document_unavailable"
    status = 503
    retry_after_seconds = 60  # as long as the lease of a stamping, or as mounting a folder takes


class StoreNotOurs(Refusal):
    """The object store of this process does not belong to its database, so the process accepts no documents."""

    code = "store_not_ours"
    status = 503
    retry_after_seconds = 60  # somebody has to mount the right folder


class Hold(StrEnum):
    """Reason why nothing is deleted from the object store until an operator confirms."""

    RESTORED = "restored"  # the database is in another cluster than when it claimed the store
    BEHIND = "behind"  # the store has a claim that this database did not make, or lost in a restore
    CONTESTED = "contested"  # another database found a claim in the store that it had not made


class DeletionHeld(CommandRefusal):
    """Nothing is deleted from the object store until an operator confirms that it belongs to this database."""

    code = "deletion_held"
    status = 409
    passes = False

    def __init__(self, reason: Hold) -> None:
        super().__init__(f"the object store is held: {reason}")
        self.reason = reason


class RestoredUnconfirmed(CommandRefusal):
    """The database was restored, and no operator has confirmed that it is the only one.

    No worker starts, since it could repeat mails, calls and publications that another database has made.
    """

    code = "restored_unconfirmed"
    status = 500


class Lineage(NamedTuple):
    """Identity of a database, from PostgreSQL: identifier of the cluster, id of the database, and timeline.

    A copy of the cluster has the same identity.  A dump that is restored into another cluster gets the identity of that
    cluster.  The timeline increases with each promotion of a standby.
    """

    system: str
    database: int
    timeline: int

    @property
    def cluster(self) -> tuple[str, int]:
        """Cluster and database: the part of the identity that a failover does not change."""
        return self.system, self.database


@dataclass(frozen=True, slots=True)
class StoreClaim:
    """The database's claim that the object store is its own.

    `store` is the id of the store, `token` and `token_before` are the tokens of the last two claims, `here` is the current
    identity of the database, and `claimed_by` its identity at the last claim.
    """

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
    """Values read from the object store: its id, the claim in it, and the objection of another database to that claim."""

    store: UUID | None
    token: UUID | None
    told: str  # author of the claim, as text for people
    contest: str  # author of the contest, as text for people; empty if the store is not contested


def hold_of(claim: StoreClaim, found: StoreSays) -> Hold | None:
    """Return the reason why the database must not delete from this store; None if it may.

    A claim is written into the database first and then into the store.  So the store may be one claim behind, but
    never ahead.
    """
    # This is checked first: a restored copy of a database that holds deletion is reported as restored.
    if claim.claimed_by is not None and claim.claimed_by.cluster != claim.here.cluster:
        return Hold.RESTORED
    if claim.held is not None:
        return claim.held
    if found.token not in (claim.token, claim.token_before):
        return Hold.BEHIND
    return Hold.CONTESTED if found.contest else None


class CondemnedObject(NamedTuple):
    """A condemned object: no row referred to it at the time `condemned_at`."""

    name: str
    condemned_at: datetime


class DocumentMetadata(NamedTuple):
    """Metadata of a document: name, size in bytes, number of pages, and end of its retention."""

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
        """Name of the document's object, as the previous release formed it."""
        return object_name(self.account, self.sha256)


NO_NAME = "dokumen.pdf"  # name of a document without a name, or after its name was erased


def clean_name(name: str | None) -> str:
    """Return a file name without unsafe characters, so that it can be shown, mailed and sent back; never empty."""
    return file_name(name or "") or NO_NAME


def content_name(sha256: bytes) -> str:
    """Return the name of the object that stores the content with this digest."""
    return sha256.hex()


def object_name(account: UUID, sha256: bytes) -> str:
    """Return the name of a document's object, as the previous release formed it."""
    return f"{sha256.hex()}-{account.hex}"


def named_by(name: str) -> DocumentKey | None:
    """Return the document whose object had this name in the previous release; None if the name has another form."""
    if not _OBJECT.fullmatch(name):
        return None
    sha256, account = name.split("-")
    return DocumentKey(UUID(account), bytes.fromhex(sha256))
