"""Stamping: reserves, seals and delivers the stamps of one document.

Promises of this room
  * A stamp cannot be burned (lost without a stamped document): an interrupted stamping is resumed under the same serials,
    or its stamps are returned by its due time.
  * A repeated request with the same Idempotency-Key gets the same answer: it is never charged twice and never gets a
    second serial.
  * A document that was stamped before and is sent by a form again gets no other stamp unless its sender agrees; in the
    API a new Idempotency-Key expresses this agreement.
  * All the stamps of one request are held, or none.
  * The seal is made outside any transaction. If two processes seal the same stamping, only the first delivery counts.

Calls orders, stamps, sealing, documents, notifications.
"""

from meterai.stamping.facts import (
    DOCUMENT_TYPES,
    IDENTITY_KINDS,
    NO_FACTS,
    PARTY_NUMBER_DIGITS,
    DocumentFacts,
    DocumentFactsMissing,
    DocumentParty,
    day_of_document,
    facts_in_texts,
    read_facts,
)
from meterai.stamping.issuers import ends_soon, issuers_directory, issuers_of
from meterai.stamping.model import (
    KnownContent,
    StampedBefore,
    StampedDocument,
    Stamping,
    StampingState,
    StampingView,
    Upload,
    placements_json,
    read_placements,
)
from meterai.stamping.service import (
    StampingService,
    load,
    originals_of,
    sealing_seconds,
    stampings_of_orders,
)
from meterai.stamping.service.marks import marks
from meterai.stamping.service.reorder import ReorderService, may_reorder, reorder_key
from meterai.stamping.service.rows import ReadyRow, RowStamping, RowWish, TakenIn
from meterai.stamping.service.words import why_refused
from meterai.stamping.settings import StampingSettings
from meterai.stamping.store import (
    are_facts_demanded,
    stamped,
    stamping_of_digest,
    stampings,
    states,
    under_way,
)

__all__ = [
    "DOCUMENT_TYPES",
    "IDENTITY_KINDS",
    "NO_FACTS",
    "PARTY_NUMBER_DIGITS",
    "DocumentFacts",
    "DocumentFactsMissing",
    "DocumentParty",
    "KnownContent",
    "ReadyRow",
    "ReorderService",
    "RowStamping",
    "RowWish",
    "StampedBefore",
    "StampedDocument",
    "Stamping",
    "StampingService",
    "StampingSettings",
    "StampingState",
    "StampingView",
    "TakenIn",
    "Upload",
    "are_facts_demanded",
    "day_of_document",
    "ends_soon",
    "facts_in_texts",
    "issuers_directory",
    "issuers_of",
    "load",
    "marks",
    "may_reorder",
    "originals_of",
    "placements_json",
    "read_facts",
    "read_placements",
    "reorder_key",
    "sealing_seconds",
    "stamped",
    "stamping_of_digest",
    "stampings",
    "stampings_of_orders",
    "states",
    "under_way",
    "why_refused",
]
