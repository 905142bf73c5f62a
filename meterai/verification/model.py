"""Verdicts that need the register as well as the document; pure."""

from enum import StrEnum

from meterai.kit.refusal import Refusal
from meterai.kit.serial import LENGTH as SERIAL_LENGTH
from meterai.kit.serial import Serial


def serial_in(text: str) -> Serial | None:
    """The serial that somebody typed or copied, behind its label too; None where it is none."""
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
    """There is no QR code on the photo that can be read."""

    code = "no_code_found"
    status = 422


class CodeForeign(Refusal):
    """There is a QR code on the photo, and it is none of a stamp."""

    code = "code_foreign"
    status = 422


class PhotoGiven(Refusal):
    """A photo came where a document is checked."""

    code = "photo_given"
    status = 422


class OfficeGiven(Refusal):
    """A document of Word, LibreOffice or the like came where a PDF is checked."""

    code = "office_given"
    status = 422


class ArchiveGiven(Refusal):
    """A ZIP came where one document is checked."""

    code = "archive_given"
    status = 422


class DocumentWrapped(Refusal):
    """The body is a form, or compressed, and no document: checked would be what is around it."""

    code = "document_wrapped"
    status = 415


class BatchUnreadable(Refusal):
    """The body of a bulk check is neither a form with files, nor an archive, nor JSON lines; or it is compressed."""

    code = "batch_unreadable"
    status = 415


class NoSealedRevision(Refusal):
    """The file has no sealed revision that could be taken out of it: its verdict is not good."""

    code = "no_sealed_revision"
    status = 422

    def __init__(self, verdict: str) -> None:
        super().__init__(f"the verdict is {verdict}")
        self.verdict = verdict


class FinalVerdict(StrEnum):
    """One word for what was checked.  The first nine are those of `sealing.Verdict`."""

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


# There is a sealed revision, and its serials are of this document.
GOOD = frozenset({FinalVerdict.GENUINE, FinalVerdict.GENUINE_THEN_EXTENDED})
# Neither that it is genuine nor that somebody did wrong.
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
    """What the register says of a claim whose signature holds.

    None of them speaks of a document: the same QR can be printed on any paper.
    """

    HOLDS = "holds"  # the serial is on one document, and the claim is about that one
    UNKNOWN_SERIAL = "unknown_serial"  # never put on a document, or voided
    SERIAL_MISMATCH = "serial_mismatch"  # on another document than the claim says


def outcome(verdict: str) -> str:
    """The meaning of a verdict for its reader: `good`, `bad`, `unsure` where nothing is proven, or
    `act` where the sealed revision is to be used and not the file."""
    if verdict in GOOD:
        return "good" if verdict == FinalVerdict.GENUINE else "act"
    return "unsure" if verdict in UNPROVEN else "bad"
