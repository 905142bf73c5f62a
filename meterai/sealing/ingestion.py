"""An upload before it is stamped: inspected, and verified."""

from collections.abc import Sequence
from datetime import datetime

from meterai.sealing.checking.seals import BYTE_RANGE, check_room
from meterai.sealing.checking.verification import verifying
from meterai.sealing.model import ExistingSealInvalid, Placement, PreparedDocument, Verdict
from meterai.sealing.own_seals import question
from meterai.sealing.sandbox.bounded import Work
from meterai.sealing.signing.issuers import Issuers
from meterai.sealing.writing.engine import ingesting

# Raised whenever a document that was taken in may be refused, or has other pages or sizes: what was found by
# another number is found out once more.
RULES = 1


def examining(
    document: bytes, placements: Sequence[Placement], issuers: Issuers, at: datetime
) -> Work[tuple[PreparedDocument, Verdict]]:
    """The work of taking a document in, and the verdict on it.

    Refuses with what `ingest` refuses, with `NotJudged`, and with `TooManySeals`, and with `ExistingSealInvalid` if a seal of
    ours in it does not hold by itself, or names of ours stand in it without one: another seal would
    stand beside it.
    """
    prepared = yield from ingesting(document, placements)
    if not prepared.inspection.signatures and BYTE_RANGE not in prepared.document:
        return prepared, Verdict.NOT_SEALED
    check_room(prepared.document)
    report = yield from verifying(question(prepared.document, issuers, at))
    if report.is_spoilt or report.verdict is Verdict.UNREADABLE:
        raise ExistingSealInvalid(f"an earlier seal is {report.verdict}")
    return prepared, report.verdict
