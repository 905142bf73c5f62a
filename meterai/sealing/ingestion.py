"""An upload before it is stamped: inspected, and verified."""

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
) -> Work[tuple[PreparedDocument, Verdict]]:
    """The work of taking a document in, and the verdict on it: a seal of ours that was taken out of the form, and
    its stamp left, would stand beside the new one.

    Refuses with what `ingest` refuses, and with `NotComparable` what is beyond its bounds: another
    seal would not make it genuine.
    """
    prepared = yield from ingesting(document, placements)
    report = yield from verifying(question(prepared.document, issuers, at))
    if report.verdict is Verdict.COULD_NOT_BE_COMPARED and prepared.inspection.signatures:
        raise NotComparable("what follows an earlier seal could not be compared")
    return prepared, report.verdict
