"""Verdicts that follow from both the document and the register of serials; refusals.  Pure, no input or output."""

from enum import StrEnum

from meterai.kit.refusal import Refusal
from meterai.kit.serial import LENGTH as SERIAL_LENGTH
from meterai.kit.serial import Serial


def serial_in(text: str) -> Serial | None:
    """Return the serial in a typed or copied text, with or without a label; None if the text has no serial."""
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
    """The photo has QR codes, but none of them is the code of a stamp."""

    code = "code_foreign"
    status = 422


class PhotoGiven(Refusal):
    """A photo was sent where a document is checked."""

    code = "photo_given"
    status = 422


class OfficeGiven(Refusal):
    """A document of Word, LibreOffice or a similar program was sent where a PDF is checked."""

    code = "office_given"
    status = 422


class ArchiveGiven(Refusal):
    """A ZIP was sent where a single document is checked."""

    code = "archive_given"
    status = 422


class DocumentWrapped(Refusal):
    """The body is a form or is compressed, so that it is not the document itself."""

    code = "document_wrapped"
    status = 415


class BatchUnreadable(Refusal):
    """The body of a request to check many files is compressed, or is neither a form with files, an archive nor JSON lines."""

    code = "batch_unreadable"
    status = 415


class NoSealedRevision(Refusal):
    """The file has no sealed revision that can be extracted, because the verdict on the file is not good."""

    code = "no_sealed_revision"
    status = 422

    def __init__(self, verdict: str) -> None:
        super().__init__(f"the verdict is {verdict}")
        self.verdict = verdict


class FinalVerdict(StrEnum):
    """Verdict on a document after the look-up in the register.  The first nine values are those of `sealing.Verdict`."""

    GENUINE = "genuine"
    GENUINE_THEN_EXTENDED = "genuine_then_extended"
    STATEMENT = "statement"
    ALTERED = "altered"
    UNKNOWN_VERSION = "unknown_version"
    FORGED = "forged"
    FOREIGN_SEAL = "foreign_seal"
    NOT_SEALED = "not_sealed"
    UNREADABLE = "unreadable"
    UNKNOWN_SERIAL = "unknown_serial"  # our seal, but a serial that is not affixed to any document
    SERIAL_MISMATCH = "serial_mismatch"  # our seal, but the serial is affixed to another document


# Verdicts with a sealed revision whose serials belong to this document.
GOOD = frozenset({FinalVerdict.GENUINE, FinalVerdict.GENUINE_THEN_EXTENDED})
# Verdicts that prove neither that a document is genuine nor that it is forged or altered.
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
    """Verdict on a QR code whose signature is valid, after the look-up of its serial in the register.

    The verdict is not about a paper or file, since the same QR code can be printed on any paper.
    """

    HOLDS = "holds"  # the claim is about the document to which the serial is affixed
    UNKNOWN_SERIAL = "unknown_serial"  # the serial is not affixed to any document, or was voided
    SERIAL_MISMATCH = "serial_mismatch"  # the serial is affixed to another document


def outcome(verdict: str) -> str:
    """Return the class of a verdict: `good`, `bad`, `unsure` or `act`.

    `unsure` means that nothing is proven, and `act` that the reader should use the sealed revision in place of the file.
    """
    if verdict in GOOD:
        return "good" if verdict == FinalVerdict.GENUINE else "act"
    return "unsure" if verdict in UNPROVEN else "bad"
