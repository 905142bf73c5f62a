"""An upload before it is stamped: inspected, and verified where it bears a signature."""

from collections.abc import Sequence
from datetime import datetime

from meterai.sealing.checking.verification import verifying
from meterai.sealing.model import NotComparable, Placement, PreparedDocument, Verdict
from meterai.sealing.own_seals import question
from meterai.sealing.sandbox.bounded import Work
from meterai.sealing.signing.issuers import Issuers
from meterai.sealing.writing.engine import ingesting


def examining(
    document: bytes, placements: Sequence[Placement], issuers: Issuers, at: datetime
) -> Work[tuple[PreparedDocument, Verdict | None]]:
    """The work of taking a document in, and the verdict on it where somebody signed it before.

    Refuses with what `ingest` refuses, and with `NotComparable` what is beyond its bounds: another
    seal would not make it genuine.
    """
    prepared = yield from ingesting(document, placements)
    if not prepared.inspection.signatures:
        return prepared, None
    report = yield from verifying(question(prepared.document, issuers, at))
    if report.verdict is Verdict.COULD_NOT_BE_COMPARED:
        raise NotComparable("what follows an earlier seal could not be compared")
    return prepared, report.verdict
