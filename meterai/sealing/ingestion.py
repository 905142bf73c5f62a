"""Inspection and verification of an upload before it is stamped."""

from collections.abc import Sequence
from datetime import datetime

from meterai.sealing.checking.seals import BYTE_RANGE, check_room
from meterai.sealing.checking.verification import verifying
from meterai.sealing.model import ExistingSealInvalid, Placement, PreparedDocument, Verdict
from meterai.sealing.own_seals import question
from meterai.sealing.sandbox.bounded import Work
from meterai.sealing.signing.issuers import Issuers
from meterai.sealing.writing.engine import ingesting

# Version of the rules of examination.  It is increased whenever a document that was accepted may now be refused, or may
# get another number or size of pages; a stored result of another version is computed again.
RULES = 1


def examining(
    document: bytes, placements: Sequence[Placement], issuers: Issuers, at: datetime
) -> Work[tuple[PreparedDocument, Verdict]]:
    """Return a `Work` that prepares a document for stamping and verifies the seals in it.

    Its result is the prepared document and the verdict on it before stamping.  Refuses with the refusals of `ingest`, and with
    `NotJudged` and `TooManySeals`.  Refuses with `ExistingSealInvalid` if one of our seals in the document is invalid, or if
    the document has our identifiers but no seal: beside a new seal, these would look valid too.
    """
    prepared = yield from ingesting(document, placements)
    if not prepared.inspection.signatures and BYTE_RANGE not in prepared.document:
        return prepared, Verdict.NOT_SEALED
    check_room(prepared.document)
    report = yield from verifying(question(prepared.document, issuers, at))
    if report.is_spoilt or report.verdict is Verdict.UNREADABLE:
        raise ExistingSealInvalid(f"an earlier seal is {report.verdict}")
    return prepared, report.verdict
