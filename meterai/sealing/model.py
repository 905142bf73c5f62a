"""Types of the sealing room: requests, answers and refusals.

Positions and lengths are in PDF points (1/72 inch) on the page as a viewer shows it, cropped and rotated.  Positions are
measured from the lower left corner.  This module reads no PDF.
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
CHECKED_BYTES_MAX = 32 * 1024 * 1024  # of a checked file: a sealed one with later signatures
STAMPS_MAX = 20  # stamps in one request; this bounds the size of the delta
# Least width of a stamp, in points.  At this width a module of the QR code has three pixels at 200 dpi, the resolution of
# a fax.  In a test of 60 such prints, scanned askew in grey, every code of 60 points and more was read; of 150 prints
# with 2.7 pixels a module, one in twenty was not read (tests/sealing/stamp/test_print).  The smallest letters have 4 points.
WIDTH_MIN = 65.0
WIDTH_DEFAULT = 70.0  # points; some 25 mm
WIDTH_MAX = 300.0  # points; half a page; a larger width must be an error of units
MARGIN_DEFAULT = 36.0  # points between a stamp and the page edges of its corner; half an inch
HEIGHT_PER_WIDTH = 1.56  # aspect ratio of the drawing in `stamp/artwork`
OVERLAP_MAX = 0.01  # points; tolerance for rounded positions of stamps side by side
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
        """Height of the stamp in points, in proportion to its width."""
        return self.width * HEIGHT_PER_WIDTH


class Corner(StrEnum):
    """Corner of a page as it is shown."""

    BOTTOM_RIGHT = "bottom_right"
    BOTTOM_LEFT = "bottom_left"
    TOP_RIGHT = "top_right"
    TOP_LEFT = "top_left"


@dataclass(frozen=True, slots=True)
class AtCorner:
    """Request for a stamp in a corner of a page, at a distance of `margin` points from the two edges.

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
    or None for any page.
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

    The signatures may include seals of ours.  `inspect` does not detect an invalid seal, and stamping does not repair it.  So a
    caller should `verify` a signed document before it reserves a stamp for it.
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
    # The opened document with its parsed objects, kept so that sealing does not read it again.
    opened: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delta:
    """Bytes that sealing appends: the stamped file is the original followed by `data`.

    `sha256_original` and `sha256_stamped` are the 32-byte digests of the file before and after stamping.
    """

    data: bytes
    sha256_original: bytes
    sha256_stamped: bytes
    serials: tuple[Serial, ...]


@dataclass(frozen=True, slots=True)
class RevocationEvidence:
    """Proof that certificates were not revoked: certificates, OCSP answers and revocation lists in DER, each only once."""

    certificates: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]
    crls: tuple[bytes, ...]


class Verdict(StrEnum):
    """Verdict on a checked document."""

    GENUINE = "genuine"  # our seal holds for the whole file
    GENUINE_THEN_EXTENDED = (
        "genuine_then_extended"  # our seal holds for its first bytes; the rest is not judged
    )
    STATEMENT = "statement"  # an unchanged statement of the operator, without stamps
    ALTERED = "altered"  # our seal is there, and the bytes it covers are not those that were sealed
    UNKNOWN_VERSION = "unknown_version"  # sealed by us, in a format version without rules here
    FORGED = "forged"  # has our names or serials, but no seal of ours
    FOREIGN_SEAL = "foreign_seal"
    NOT_SEALED = "not_sealed"
    UNREADABLE = "unreadable"

    @property
    def is_good(self) -> bool:
        """True if our seal holds for the first `CheckReport.sealed_bytes` of the file."""
        return self in (Verdict.GENUINE, Verdict.GENUINE_THEN_EXTENDED)

    @property
    def holds(self) -> bool:
        """True if our seal is valid, over a stamped document or over a statement of the operator."""
        return self.is_good or self is Verdict.STATEMENT


@dataclass(frozen=True, slots=True)
class Check:
    """Result of one check of the verifier; `facts` are the values in the sentence that states the result."""

    name: str
    passed: bool
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LaterSignature:
    """Signature appended behind the sealed bytes; the verifier does not check it.

    `signer` is the name in its certificate, `at` the time it states.
    """

    signer: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class EarlierSeal:
    """An earlier seal of ours, over the first `sealed_bytes` of the file.

    Another party appended bytes behind it before our newest seal was made, so its serials do not belong to the present
    document.
    """

    sealed_bytes: int
    sealed_at: datetime
    serials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Answer of `verify`.

    `serials` are those of the newest seal and of the seals directly before it, first stamp first.  They are filled for every
    verdict, so a caller must read the verdict before it uses them.  `sealed_at` is the time that the newest seal states.

    The following fields are filled only with a good verdict.  `sealed_bytes` is the length of the sealed
    revision and `sha256_sealed` its digest.  `sha256_original` is the digest of the file before the newest stamping.
    `originals` has for each serial the digest of the document that it was affixed to.  `earlier` are our seals that do not
    count for the document, and `later` are the signatures behind the sealed bytes.

    `is_spoilt` is true if any seal of ours in the file, the newest or an earlier one, is invalid.
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
    """The file has no PDF header within its first 1,024 bytes."""

    code = "not_a_pdf"
    status = 422


class DocumentTooLarge(Refusal):
    """The document has more bytes than one sealing may hold in memory."""

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

    An update has to add an identifier.  The key is derived from the identifier (ISO 32000-2, section 7.6.4.3.2), so nobody
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
    """The byte range of an earlier signature is malformed: beyond the file's end, before its beginning, or stated twice."""

    code = "signature_range_malformed"
    status = 422


class DynamicForm(Refusal):
    """The form of the document is built when it is opened (XFA).

    Some readers show that form in place of the pages, and so show no stamp.  Our renderer cannot compare the form with the
    pages.
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
    """A page shows one of our stamps without its seal; beside a new stamp it would look sealed too."""

    code = "stray_stamp"
    status = 422


class NoPages(Refusal):
    """The document has no page for a stamp."""

    code = "no_pages"
    status = 422


class PageOutOfRange(Refusal):
    """The document has fewer pages than the requested page number."""

    code = "page_out_of_range"
    status = 422

    def __init__(self, *, page: int, pages: int) -> None:
        super().__init__(f"page {page} was requested, the document has {pages}")
        self.page = page
        self.pages = pages


class PageNotDrawn(Refusal):
    """The page cannot be drawn as a picture within the limits of a task; a stamp can still be placed on the page."""

    code = "page_not_drawn"
    status = 422


class PageTooSlow(PageNotDrawn):
    """Drawing the page takes longer than the time limit of a task; on an idle machine it may succeed."""

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

    `number` is the position of the placement in the request, from 1; `found` is the number of occurrences of the text.
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
    """The request has no placements, too many placements, or one that fits no page."""

    code = "placement_malformed"
    status = 422

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.width_min = WIDTH_MIN
        self.width_max = WIDTH_MAX
        self.stamps_max = STAMPS_MAX


class StampTooSmall(Refusal):
    """The stamp is so narrow that some printed QR codes are not readable, and its words are too small to read."""

    code = "stamp_too_small"
    status = 422

    def __init__(self, width: float) -> None:
        super().__init__(f"a stamp of {width} points in width, at least {WIDTH_MIN}")
        self.width = round(width, 2)
        self.width_min = WIDTH_MIN


class PlacementsOverlap(Refusal):
    """Two stamps of one request would overlap.

    `first` and `second` are positions of placements in the request, from 1; `page` is the page of both.
    """

    code = "placements_overlap"
    status = 422

    def __init__(self, *, first: int, second: int, page: int) -> None:
        super().__init__(f"placements {first} and {second} overlap on page {page}")
        self.first = first
        self.second = second
        self.page = page


class PlacementOnStamp(Refusal):
    """A new stamp would cover an existing one.

    `number` is the position of the placement in the request, from 1; `page` is the page of both stamps.
    """

    code = "placement_on_stamp"
    status = 422

    def __init__(self, *, number: int, page: int) -> None:
        super().__init__(f"placement {number} lies on an earlier stamp on page {page}")
        self.number = number
        self.page = page


class ExistingSealInvalid(Refusal):
    """One of our seals in the document is invalid, so no other seal is added."""

    code = "seal_spoilt"
    status = 422


class TooManySeals(Refusal):
    """The file has more byte ranges or seals than a verifier reads, so a seal could be hidden among them."""

    code = "too_many_seals"
    status = 422


class NotJudged(Refusal):
    """The check did not end in time because the machine is busy, so there is no verdict yet."""

    code = "not_judged"
    status = 503
    retry_after_seconds = 10


class HashOfOtherBytes(Refusal):
    """The stored hash state belongs to a document of another length."""

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
        super().__init__(f"the document was sealed and changed later: {report.verdict}: {failed}")
        self.failed = failed or report.verdict.value


class ExaminationBusy(Refusal):
    """The number of documents that are examined or wait for their examination has reached its limit."""

    code = "examination_busy"
    status = 503
    retry_after_seconds = 2  # seconds that one examination takes at most


class SealingUnavailable(Refusal):
    """The document is in order, but something that a seal needs is unavailable now."""

    code = "sealing_unavailable"
    status = 503
    retry_after_seconds = 5  # then the authority that did not answer is called again


class IssuerUnusable(SealingUnavailable):
    """The key or a certificate of the issuer cannot be used now; the operator must act."""

    code = "issuer_unusable"
    status = 503
    passes = False
    retry_after_seconds = 60  # a person has to act


class TimeStampUnavailable(SealingUnavailable):
    """The time-stamp authority gave no usable token; a later attempt may succeed."""

    code = "time_stamp_unavailable"
    status = 503


class RevocationUnavailable(SealingUnavailable):
    """No authority stated whether a certificate was revoked; a later attempt may succeed."""

    code = "revocation_unavailable"
    status = 503


def check_placements(placements: Sequence[Placement]) -> None:
    """Refuse with `PlacementMalformed` or `StampTooSmall` placements that would be invalid on every page."""
    if not 1 <= len(placements) <= STAMPS_MAX:
        raise PlacementMalformed(
            f"{len(placements)} stamps were requested, 1 to {STAMPS_MAX} are allowed"
        )
    for placement in placements:
        lengths = (placement.x, placement.y, placement.width)
        if not all(math.isfinite(length) and length >= 0 for length in lengths):
            raise PlacementMalformed(f"a length is negative or not a number: {placement}")
        if placement.width < WIDTH_MIN:
            raise StampTooSmall(placement.width)
        if placement.width > WIDTH_MAX:
            raise PlacementMalformed(f"width is more than {WIDTH_MAX}: {placement}")
        if placement.page < 1 and placement.page != LAST_PAGE:
            raise PlacementMalformed(f"page is neither 1 or more nor -1 for the last: {placement}")


def check_apart(placements: Sequence[Placement], pages: Sequence[int]) -> None:
    """Refuse with `PlacementsOverlap` stamps that overlap; `pages` has the page number of each placement.

    Stamps may touch.  Their edges may overlap by a rounding error, since callers may compute and round coordinates.
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
    """True if two boxes overlap by more than a rounding error, so that boxes with a common edge do not."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    along = min(one[3], other[3]) - max(one[1], other[1])
    return across > OVERLAP_MAX and along > OVERLAP_MAX
