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

# Increased whenever an accepted document may be refused now, or has other pages or sizes: a result of
# another version is computed again.
RULES = 1


def examining(
    document: bytes, placements: Sequence[Placement], issuers: Issuers, at: datetime
) -> Work[tuple[PreparedDocument, Verdict]]:
    """Work that prepares a document for stamping, and its verdict.

    Refuses with the refusals of `ingest`, with `NotJudged` and `TooManySeals`, and with `ExistingSealInvalid` if a seal of
    ours in it does not hold by itself, or names of ours are in it without a seal: a new seal would
    be beside it.
    """
    prepared = yield from ingesting(document, placements)
    if not prepared.inspection.signatures and BYTE_RANGE not in prepared.document:
        return prepared, Verdict.NOT_SEALED
    check_room(prepared.document)
    report = yield from verifying(question(prepared.document, issuers, at))
    if report.is_spoilt or report.verdict is Verdict.UNREADABLE:
        raise ExistingSealInvalid(f"an earlier seal is {report.verdict}")
    return prepared, report.verdict
