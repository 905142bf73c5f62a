"""Verdicts that combine the register with the document; pure."""

from enum import StrEnum

from meterai.kit.refusal import Refusal
from meterai.kit.serial import LENGTH as SERIAL_LENGTH
from meterai.kit.serial import Serial


def serial_in(text: str) -> Serial | None:
    """Return the serial in a typed or copied text, with or without its label; None if there is none."""
    signs = [one for one in text if one.isalnum()]
    for one in (text, "".join(signs[-SERIAL_LENGTH:])):
        try:
            return Serial.typed(one)
        except ValueError:
            continue
    return None


class PhotoMissing(Refusal):
    """No photo was chosen."""

    code = "photo_missing"
    status = 422


class NoCodeFound(Refusal):
    """The photo has no readable QR code."""

    code = "no_code_found"
    status = 422


class CodeForeign(Refusal):
    """The photo has a QR code that is not one of a stamp."""

    code = "code_foreign"
    status = 422


class PhotoGiven(Refusal):
    """A photo was sent for the check of a document."""

    code = "photo_given"
    status = 422


class OfficeGiven(Refusal):
    """A document of Word, LibreOffice or the like was sent for the check of a PDF."""

    code = "office_given"
    status = 422


class ArchiveGiven(Refusal):
    """A ZIP was sent for the check of one document."""

    code = "archive_given"
    status = 422


class DocumentWrapped(Refusal):
    """The body is a form, or compressed, and not a document; its wrapping would be checked."""

    code = "document_wrapped"
    status = 415


class BatchUnreadable(Refusal):
    """The body of a bulk check is neither a form with files, nor an archive, nor JSON lines; or it is compressed."""

    code = "batch_unreadable"
    status = 415


class NoSealedRevision(Refusal):
    """The file has no sealed revision that could be extracted: its verdict is not good."""

    code = "no_sealed_revision"
    status = 422

    def __init__(self, verdict: str) -> None:
        super().__init__(f"the verdict is {verdict}")
        self.verdict = verdict


class FinalVerdict(StrEnum):
    """Verdict on a check.  The first nine values are those of `sealing.Verdict`."""

    GENUINE = "genuine"
    GENUINE_THEN_EXTENDED = "genuine_then_extended"
    STATEMENT = "statement"
    ALTERED = "altered"
    UNKNOWN_VERSION = "unknown_version"
    FORGED = "forged"
    FOREIGN_SEAL = "foreign_seal"
    NOT_SEALED = "not_sealed"
    UNREADABLE = "unreadable"
    UNKNOWN_SERIAL = "unknown_serial"  # our seal, but a serial we never put on a document
    SERIAL_MISMATCH = "serial_mismatch"  # our serial, bound to another document


# Verdicts with a sealed revision whose serials belong to this document.
GOOD = frozenset({FinalVerdict.GENUINE, FinalVerdict.GENUINE_THEN_EXTENDED})
# Verdicts that prove neither a genuine document nor a wrong act.
UNPROVEN = frozenset(
    {
        FinalVerdict.STATEMENT,
        FinalVerdict.UNKNOWN_VERSION,
        FinalVerdict.FOREIGN_SEAL,
        FinalVerdict.NOT_SEALED,
        FinalVerdict.UNREADABLE,
    }
)


class ClaimVerdict(StrEnum):
    """Verdict of the register on a claim whose signature holds.

    No verdict is about a document: the same QR code can be printed on any paper.
    """

    HOLDS = "holds"  # the serial is on one document, and the claim is about that one
    UNKNOWN_SERIAL = "unknown_serial"  # never put on a document, or voided
    SERIAL_MISMATCH = "serial_mismatch"  # on another document than the claim says


def outcome(verdict: str) -> str:
    """Return the meaning of a verdict for its reader: `good`, `bad`, `unsure` if nothing is proven, or
    `act` if the sealed revision is to be used in place of the file.
    """
    if verdict in GOOD:
        return "good" if verdict == FinalVerdict.GENUINE else "act"
    return "unsure" if verdict in UNPROVEN else "bad"
