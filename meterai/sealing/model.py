"""Types of the sealing room: requests, answers and refusals.

Lengths are PDF points (1/72 inch) as a reader shows the page: after the crop box and the
rotation, counted from the lower left corner.  This module reads no PDF.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import combinations

from meterai.kit.refusal import Refusal
from meterai.kit.serial import Serial

DOCUMENT_BYTES_MAX = 20 * 1024 * 1024  # memory of one seal; scans are 1-5 MiB
CHECKED_BYTES_MAX = 32 * 1024 * 1024  # a sealed document, with later signatures appended to it
STAMPS_MAX = 20  # stamps under one request; a bound on the size of the delta
# Points.  At this width a module of the code has three pixels at 200 dpi, the resolution of a fax.  Of 60 such
# prints, scanned askew in grey, all were read at 60 points and more; of 150 with 2.7 pixels, one in twenty was
# not read (tests/sealing/stamp/test_print).  The smallest letters have 4 points.
WIDTH_MIN = 65.0
WIDTH_DEFAULT = 70.0  # points; some 25 mm
WIDTH_MAX = 300.0  # points; half a page; a larger width is a mistake of units
MARGIN_DEFAULT = 36.0  # points between a stamp and the edges of its corner; half an inch
HEIGHT_PER_WIDTH = 1.56  # the shape of the drawing in `stamp/artwork`
OVERLAP_MAX = 0.01  # points; rounding error of stamps side by side
LAST_PAGE = -1

Corners = tuple[float, float, float, float]  # left, low, right, top


@dataclass(frozen=True, slots=True)
class Placement:
    """Position of one stamp.

    `page` counts from 1, or is `LAST_PAGE`; `x` and `y` are the lower left corner of the stamp
    and `width` its width, in points of the page as it is shown.
    """

    page: int
    x: float
    y: float
    width: float = WIDTH_DEFAULT

    @property
    def height(self) -> float:
        """The height that belongs to the width, in points."""
        return self.width * HEIGHT_PER_WIDTH


class Corner(StrEnum):
    """Corner of a page as it is shown."""

    BOTTOM_RIGHT = "bottom_right"
    BOTTOM_LEFT = "bottom_left"
    TOP_RIGHT = "top_right"
    TOP_LEFT = "top_left"


@dataclass(frozen=True, slots=True)
class AtCorner:
    """Request for a stamp in a corner of a page, `margin` points away from both edges.

    `page` counts from 1, or is `LAST_PAGE`.
    """

    page: int
    corner: Corner
    margin: float = MARGIN_DEFAULT
    width: float = WIDTH_DEFAULT


@dataclass(frozen=True, slots=True)
class AtText:
    """Request for a stamp at a text of the document.

    The lower left corner of the stamp is that of the text, moved by `dx` to the right and `dy` up, in points of the
    page as it is shown.  `occurrence` counts from 1 through the pages in order; `page` counts from 1, is `LAST_PAGE`,
    or None for any.
    """

    text: str
    occurrence: int = 1
    page: int | None = None
    dx: float = 0.0
    dy: float = 0.0
    width: float = WIDTH_DEFAULT


PlacementWish = Placement | AtCorner | AtText


@dataclass(frozen=True, slots=True)
class Stamp:
    """One serial and its placement."""

    serial: Serial
    placement: Placement


@dataclass(frozen=True, slots=True)
class PageSize:
    """The visible size of one page (`page` counts from 1), in points."""

    page: int
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """Result of `inspect`: the number of pages, the size of the page of each placement, and the number of signatures.

    A signature may be a seal of ours.  Stamping does not repair a document whose seal does not hold, so a caller
    should `verify` a signed document before it reserves a stamp for it.
    """

    pages: int
    sizes: tuple[PageSize, ...]
    signatures: int


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """Document ready to be stamped.

    `document` is the input, byte for byte, unless `is_repaired`: then the input was broken, and `document` is
    a new file with the pages that a viewer shows of it.
    """

    document: bytes
    inspection: Inspection
    is_repaired: bool
    # State of reading so far, kept for sealing.
    opened: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delta:
    """Bytes that sealing appends: the stamped file is the original followed by `data`.

    `sha256_original` and `sha256_stamped` are the 32-byte digests of the file before and after.
    """

    data: bytes
    sha256_original: bytes
    sha256_stamped: bytes
    serials: tuple[Serial, ...]


@dataclass(frozen=True, slots=True)
class RevocationEvidence:
    """Proof that certificates were not revoked, in DER; each item once."""

    certificates: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]
    crls: tuple[bytes, ...]


class Verdict(StrEnum):
    """Verdict on a document that somebody wants checked."""

    GENUINE = "genuine"  # our seal holds for the whole file
    GENUINE_THEN_EXTENDED = (
        "genuine_then_extended"  # for its first bytes; of the rest nothing is said
    )
    STATEMENT = "statement"  # a statement of the operator, whole, without any stamp
    ALTERED = "altered"  # our seal is there, and the bytes it covers are not those that were sealed
    UNKNOWN_VERSION = "unknown_version"  # sealed by us in a format that has no rules here
    FORGED = "forged"  # our names or serials, not our seal
    FOREIGN_SEAL = "foreign_seal"
    NOT_SEALED = "not_sealed"
    UNREADABLE = "unreadable"

    @property
    def is_good(self) -> bool:
        """True if our seal holds for the first `CheckReport.sealed_bytes` of the file."""
        return self in (Verdict.GENUINE, Verdict.GENUINE_THEN_EXTENDED)

    @property
    def holds(self) -> bool:
        """True if a seal of ours holds by itself, over a stamped document or a statement."""
        return self.is_good or self is Verdict.STATEMENT


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the verifier, its answer, and the facts for the sentence about it."""

    name: str
    passed: bool
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LaterSignature:
    """Signature behind the sealed bytes, which is not checked here.

    `signer` is the name in its certificate, `at` the time it states.
    """

    signer: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class EarlierSeal:
    """Seal of ours over the first `sealed_bytes`, behind which another party appended before the newest seal was made.

    Its serials do not belong to the present document.
    """

    sealed_bytes: int
    sealed_at: datetime
    serials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Answer of `verify`.

    `serials` are those of the newest seal and of the seals directly before it, first stamp first.  They are
    filled for every verdict, so a caller reads the verdict before it uses them.  `sealed_at` is the time that the
    newest seal states.  These are filled only with a good verdict: `sealed_bytes`, the length of the sealed revision;
    `sha256_sealed`, the digest of those bytes; `sha256_original`, of the file before the newest stamping; `originals`,
    for each serial the digest of the document it was affixed to.  `earlier` are seals that do not count for the
    document; `later` the signatures behind the sealed bytes.  `is_spoilt` is true if a seal of ours
    in the file, the newest or an earlier one, does not hold by itself.
    """

    verdict: Verdict
    serials: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    sealed_at: datetime | None = None
    sealed_bytes: int | None = None
    sha256_sealed: bytes | None = None
    sha256_original: bytes | None = None
    originals: tuple[bytes, ...] = ()
    earlier: tuple[EarlierSeal, ...] = ()
    later: tuple[LaterSignature, ...] = ()
    is_spoilt: bool = False


class NotAPdf(Refusal):
    """No PDF header within the first 1,024 bytes."""

    code = "not_a_pdf"
    status = 422


class DocumentTooLarge(Refusal):
    """More bytes than one seal may hold in memory."""

    code = "document_too_large"
    status = 413

    def __init__(self, *, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"document of {size_bytes} bytes, at most {limit_bytes}")
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class DocumentEncrypted(Refusal):
    """Opening the document needs a password, so an update cannot be written."""

    code = "document_encrypted"
    status = 422


class EncryptedWithoutIdentifier(Refusal):
    """The document is encrypted, and its file identifier (/ID) is missing.

    An update has to add the identifier, and the key is derived from it (ISO 32000-2, section 7.6.4.3.2), so nobody
    could open the stamped file.
    """

    code = "encrypted_without_identifier"
    status = 422


class DocumentBroken(Refusal):
    """The structure of the document cannot be read well enough to be extended without damage."""

    code = "document_broken"
    status = 422


class ChangesForbidden(Refusal):
    """An earlier signature certifies the document and allows no change at all."""

    code = "changes_forbidden"
    status = 422


class SignatureRangeMalformed(Refusal):
    """The byte range of an earlier signature is no valid part of the file: beyond its end, before its beginning, or twice."""

    code = "signature_range_malformed"
    status = 422


class DynamicForm(Refusal):
    """The form of the document is built when it is opened (XFA).

    Some readers show that form in place of the pages, so they show no stamp, and our renderer cannot compare it.
    """

    code = "dynamic_form"
    status = 422


class Portfolio(Refusal):
    """The document is a portfolio (/Collection): readers show an attached document in place of its pages."""

    code = "portfolio"
    status = 422


class LeavesWhenOpened(Refusal):
    """Opening the document leads to another document or an address, which readers show in place of its pages."""

    code = "leaves_when_opened"
    status = 422


class StrayStamp(Refusal):
    """A page shows a stamp of ours whose seal is gone; beside a new stamp it would look sealed too."""

    code = "stray_stamp"
    status = 422


class NoPages(Refusal):
    """The document has no page for a stamp."""

    code = "no_pages"
    status = 422


class PageOutOfRange(Refusal):
    """The document has fewer pages."""

    code = "page_out_of_range"
    status = 422

    def __init__(self, *, page: int, pages: int) -> None:
        super().__init__(f"page {page} asked for, document has {pages}")
        self.page = page
        self.pages = pages


class PageNotDrawn(Refusal):
    """No picture of the page can be made within its limits; a stamp can still be placed there."""

    code = "page_not_drawn"
    status = 422


class PageTooSlow(PageNotDrawn):
    """Drawing the page takes longer than a task may; on an idle machine it may succeed."""

    code = "page_too_slow"


class PlacementOutsidePage(Refusal):
    """Part of the stamp would lie outside the visible page."""

    code = "placement_outside_page"
    status = 422

    def __init__(self, placement: Placement, size: PageSize) -> None:
        super().__init__(f"{placement} does not lie within {size}")
        self.x = round(placement.x, 2)
        self.y = round(placement.y, 2)
        self.width = round(placement.width, 2)
        self.height = round(placement.height, 2)
        self.page_width = round(size.width, 2)
        self.page_height = round(size.height, 2)


class TextNotFound(Refusal):
    """The document contains the text of a requested placement less often than its `occurrence`.

    `number` counts the placements of the request from 1; `found` is how often the text is there.
    """

    code = "text_not_found"
    status = 422

    def __init__(self, *, number: int, found: int) -> None:
        super().__init__(f"the text of placement {number} was found {found} times")
        self.number = number
        self.found = found


class TextNotSearched(Refusal):
    """The texts of the document cannot be read within the limits of a task."""

    code = "text_not_searched"
    status = 422


class PlacementMalformed(Refusal):
    """A placement that fits no page, or no placement, or too many."""

    code = "placement_malformed"
    status = 422

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.width_min = WIDTH_MIN
        self.width_max = WIDTH_MAX
        self.stamps_max = STAMPS_MAX


class StampTooSmall(Refusal):
    """A stamp of this width has a QR code that some prints lose, and words that nobody can read."""

    code = "stamp_too_small"
    status = 422

    def __init__(self, width: float) -> None:
        super().__init__(f"a stamp {width} points wide, at least {WIDTH_MIN}")
        self.width = round(width, 2)
        self.width_min = WIDTH_MIN


class PlacementsOverlap(Refusal):
    """Two stamps of one request overlap, so neither could be read.

    `first` and `second` count the placements of the request from 1; `page` is the page of both.
    """

    code = "placements_overlap"
    status = 422

    def __init__(self, *, first: int, second: int, page: int) -> None:
        super().__init__(f"placements {first} and {second} overlap on page {page}")
        self.first = first
        self.second = second
        self.page = page


class PlacementOnStamp(Refusal):
    """A stamp would cover one that was sealed before.

    `number` counts the placements of the request from 1; `page` is the page of both.
    """

    code = "placement_on_stamp"
    status = 422

    def __init__(self, *, number: int, page: int) -> None:
        super().__init__(f"placement {number} lies on an earlier stamp on page {page}")
        self.number = number
        self.page = page


class ExistingSealInvalid(Refusal):
    """A seal of ours in the document does not hold by itself, so no other is added."""

    code = "seal_spoilt"
    status = 422


class TooManySeals(Refusal):
    """The file has more byte ranges or seals than a verifier reads, so a seal could be hidden among them."""

    code = "too_many_seals"
    status = 422


class NotJudged(Refusal):
    """The check takes longer than a machine this busy allows; there is no verdict yet."""

    code = "not_judged"
    status = 503
    retry_after_seconds = 10


class HashOfOtherBytes(Refusal):
    """The kept hash of the document belongs to other bytes."""

    code = "hash_of_other_bytes"
    status = 422


class SealDoesNotHold(Refusal):
    """The sealed document failed its verification before delivery.

    `failed` are the names of the checks that failed.
    """

    code = "seal_does_not_hold"
    status = 422

    def __init__(self, report: CheckReport) -> None:
        failed = ", ".join(check.name for check in report.checks if not check.passed)
        super().__init__(f"sealed, and then {report.verdict}: {failed}")
        self.failed = failed or report.verdict.value


class ExaminationBusy(Refusal):
    """The limit of documents that are examined or wait for examination is reached."""

    code = "examination_busy"
    status = 503
    retry_after_seconds = 2  # longest time of one examination


class SealingUnavailable(Refusal):
    """The document is in order, but something that a seal needs is unavailable now."""

    code = "sealing_unavailable"
    status = 503
    retry_after_seconds = 5  # an authority that did not answer is asked again


class IssuerUnusable(SealingUnavailable):
    """The key or the certificates of the issuer cannot be used now; the operator must act."""

    code = "issuer_unusable"
    status = 503
    passes = False
    retry_after_seconds = 60  # a person has to act


class TimeStampUnavailable(SealingUnavailable):
    """The time-stamp authority gave no usable token; a later attempt may succeed."""

    code = "time_stamp_unavailable"
    status = 503


class RevocationUnavailable(SealingUnavailable):
    """No authority answered whether a certificate was revoked; a later attempt may succeed."""

    code = "revocation_unavailable"
    status = 503


def check_placements(placements: Sequence[Placement]) -> None:
    """Refuse with `PlacementMalformed` or `StampTooSmall` placements that fit no page."""
    if not 1 <= len(placements) <= STAMPS_MAX:
        raise PlacementMalformed(f"{len(placements)} stamps asked for, 1 to {STAMPS_MAX} allowed")
    for placement in placements:
        lengths = (placement.x, placement.y, placement.width)
        if not all(math.isfinite(length) and length >= 0 for length in lengths):
            raise PlacementMalformed(f"a length is negative or not a number: {placement}")
        if placement.width < WIDTH_MIN:
            raise StampTooSmall(placement.width)
        if placement.width > WIDTH_MAX:
            raise PlacementMalformed(f"width is more than {WIDTH_MAX}: {placement}")
        if placement.page < 1 and placement.page != LAST_PAGE:
            raise PlacementMalformed(f"page is not 1 or more, nor the last: {placement}")


def check_apart(placements: Sequence[Placement], pages: Sequence[int]) -> None:
    """Refuse with `PlacementsOverlap` stamps that overlap; `pages` are the page numbers of the placements.

    Stamps may touch, because a caller may have rounded computed corners.
    """
    for (first, (one, page)), (second, (other, on)) in combinations(
        enumerate(zip(placements, pages, strict=True), start=1), 2
    ):
        if page == on and overlap(_box(one), _box(other)):
            raise PlacementsOverlap(first=first, second=second, page=page)


def _box(placement: Placement) -> Corners:
    x, y = placement.x, placement.y
    return x, y, x + placement.width, y + placement.height


def overlap(one: Corners, other: Corners) -> bool:
    """True if two boxes overlap by more than the rounding error of adjacent ones."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    along = min(one[3], other[3]) - max(one[1], other[1])
    return across > OVERLAP_MAX and along > OVERLAP_MAX
