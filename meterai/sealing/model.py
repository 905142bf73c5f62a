"""The types of the sealing room: what is asked, what is answered, and the refusals.

Lengths are PDF points (1/72 inch) as a reader sees the page: after the crop box and the
rotation, counted from the lower left corner.  Nothing here touches a PDF.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import combinations

from meterai.kit.refusal import Refusal
from meterai.kit.serial import Serial

DOCUMENT_BYTES_MAX = 20 * 1024 * 1024  # what one seal may hold in memory; scans are 1-5 MiB
CHECKED_BYTES_MAX = 32 * 1024 * 1024  # a sealed document, with later signatures appended to it
STAMPS_MAX = 20  # stamps under one request; a bound on the size of the delta
# Points.  There a module of the code has three pixels at 200 dpi, as faxes have: each of 60 such
# prints, scanned askew in grey, was read at 60 points and more, and of 150 with 2.7 pixels one in
# twenty was not (tests/sealing/stamp/test_print).  The smallest letters have 4 points.
WIDTH_MIN = 65.0
WIDTH_DEFAULT = 70.0  # points; some 25 mm
WIDTH_MAX = 300.0  # points; half a page, beyond it is a mistake of units
MARGIN_DEFAULT = 36.0  # points between a stamp and the edges of its corner; half an inch
HEIGHT_PER_WIDTH = 1.56  # the shape of the drawing in `stamp/artwork`
OVERLAP_MAX = 0.01  # points; what rounding makes of stamps side by side
LAST_PAGE = -1

Corners = tuple[float, float, float, float]  # left, low, right, top


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one stamp goes.

    `page` counts from 1, or is `LAST_PAGE`; `x` and `y` are the lower left corner of the stamp
    and `width` its width, in points of the page as it is seen.
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
    """Corner of a page as it is seen."""

    BOTTOM_RIGHT = "bottom_right"
    BOTTOM_LEFT = "bottom_left"
    TOP_RIGHT = "top_right"
    TOP_LEFT = "top_left"


@dataclass(frozen=True, slots=True)
class AtCorner:
    """A wish for a stamp in a corner of a page, `margin` points away from both edges.

    `page` counts from 1, or is `LAST_PAGE`.
    """

    page: int
    corner: Corner
    margin: float = MARGIN_DEFAULT
    width: float = WIDTH_DEFAULT


@dataclass(frozen=True, slots=True)
class AtText:
    """A wish for a stamp at a text of the document: the lower left corner of the stamp is that of the text, moved by
    `dx` to the right and `dy` up, in points of the page as it is seen.

    `occurrence` counts from 1 through the pages in their order; `page` counts from 1, is `LAST_PAGE`, or None for any.
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
    """What `inspect` found: the number of pages, the size of the page of each placement, and how
    many signatures the document bears.

    A signature may be a seal of ours.  A document whose seal does not hold gets no better when it
    is stamped again, so a caller should `verify` a signed document before it takes a stamp for it.
    """

    pages: int
    sizes: tuple[PageSize, ...]
    signatures: int


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document ready to be stamped.

    `document` is what came in, byte for byte, unless `is_repaired`: then it was broken, and is
    what a viewer would show of it, written anew.
    """

    document: bytes
    inspection: Inspection
    is_repaired: bool
    # What the engine has read of it so far, for whoever seals it next.
    opened: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delta:
    """What sealing adds: the stamped file is the original followed by `data`.

    `sha256_original` and `sha256_stamped` are the 32-byte digests of the file before and after.
    """

    data: bytes
    sha256_original: bytes
    sha256_stamped: bytes
    serials: tuple[Serial, ...]


@dataclass(frozen=True, slots=True)
class RevocationEvidence:
    """What proves later that certificates were not revoked; each item once, in DER."""

    certificates: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]
    crls: tuple[bytes, ...]


class Verdict(StrEnum):
    """One word for a document that somebody wants checked."""

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
    """One question the verifier asked, its answer, and the facts for the sentence about it."""

    name: str
    passed: bool
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LaterSignature:
    """A signature behind the sealed bytes, which nobody here has checked.

    `signer` is the name in its certificate, `at` the time it states.
    """

    signer: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class EarlierSeal:
    """A seal of ours over the first `sealed_bytes`, behind which somebody else appended before the
    newest seal was made: its serials do not belong to the document as it is now."""

    sealed_bytes: int
    sealed_at: datetime
    serials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The answer of `verify`.

    `serials` are those of the newest seal and of the seals directly before it, first stamp first,
    whether or not the verdict is good: a caller looks at the verdict before it believes them.
    `sealed_at` is the time the newest seal states.  Only with a good verdict are there
    `sealed_bytes`, the length of the sealed revision; `sha256_sealed`, the digest of those bytes;
    `sha256_original`, of the file before the newest stamping; and `originals`, for each serial the
    digest of the document it was affixed to.  `earlier` are seals that do not count for the
    document; `later` the signatures behind the sealed bytes.  `is_spoilt` is true if a seal of ours
    in the file does not hold by itself, the newest or an earlier one.
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
    """Opening it needs a password, so an update could not be written."""

    code = "document_encrypted"
    status = 422


class EncryptedWithoutIdentifier(Refusal):
    """Its key would be derived from a file identifier (/ID) that it lacks, and that an update has
    to add (ISO 32000-2, section 7.6.4.3.2): nobody could open the stamped file."""

    code = "encrypted_without_identifier"
    status = 422


class DocumentBroken(Refusal):
    """Its structure cannot be read well enough to be extended without harm."""

    code = "document_broken"
    status = 422


class ChangesForbidden(Refusal):
    """An earlier signature certifies the document and allows no change at all."""

    code = "changes_forbidden"
    status = 422


class SignatureRangeMalformed(Refusal):
    """An earlier signature says that it covers what is no piece of the file: beyond its end, twice,
    before its beginning."""

    code = "signature_range_malformed"
    status = 422


class DynamicForm(Refusal):
    """Its form is built when it is opened (XFA): some readers show that in place of the pages, and so no
    stamp, and nothing of what our renderers compare."""

    code = "dynamic_form"
    status = 422


class Portfolio(Refusal):
    """It is a portfolio (/Collection): readers show a document attached to it, and not its pages."""

    code = "portfolio"
    status = 422


class LeavesWhenOpened(Refusal):
    """Opening it leads to another document or to an address: readers show that, and not its pages."""

    code = "leaves_when_opened"
    status = 422


class StrayStamp(Refusal):
    """A page shows a stamp of ours whose seal is gone: it would stand beside the new one, as if that sealed
    both."""

    code = "stray_stamp"
    status = 422


class NoPages(Refusal):
    """There is no page a stamp could be on."""

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
    """No picture of the page can be made, or not within its bounds; a stamp can be put there."""

    code = "page_not_drawn"
    status = 422


class PageTooSlow(PageNotDrawn):
    """Drawing the page takes longer than a task may; on a machine with less to do it may be drawn."""

    code = "page_too_slow"


class PlacementOutsidePage(Refusal):
    """Some part of the stamp would not be seen."""

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
    """The document does not have the text, at which a stamp was to be, so often.

    `number` counts the placements of the request from 1; `found` is how often the text is there.
    """

    code = "text_not_found"
    status = 422

    def __init__(self, *, number: int, found: int) -> None:
        super().__init__(f"the text of placement {number} was found {found} times")
        self.number = number
        self.found = found


class TextNotSearched(Refusal):
    """The texts of the document cannot be read, or not within the bounds of a task."""

    code = "text_not_searched"
    status = 422


class PlacementMalformed(Refusal):
    """A placement that could not fit any page, or none, or too many."""

    code = "placement_malformed"
    status = 422

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.width_min = WIDTH_MIN
        self.width_max = WIDTH_MAX
        self.stamps_max = STAMPS_MAX


class StampTooSmall(Refusal):
    """The code of a stamp that small is not read from every print, and its words by nobody."""

    code = "stamp_too_small"
    status = 422

    def __init__(self, width: float) -> None:
        super().__init__(f"a stamp {width} points wide, at least {WIDTH_MIN}")
        self.width = round(width, 2)
        self.width_min = WIDTH_MIN


class PlacementsOverlap(Refusal):
    """Two stamps of one request lie on each other: neither could be read, and both would be paid.

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
    """A stamp would lie on one that was sealed before: that could not be read any more.

    `number` counts the placements of the request from 1; `page` is the page of both.
    """

    code = "placement_on_stamp"
    status = 422

    def __init__(self, *, number: int, page: int) -> None:
        super().__init__(f"placement {number} lies on an earlier stamp on page {page}")
        self.number = number
        self.page = page


class ExistingSealInvalid(Refusal):
    """A seal of ours in the document does not hold by itself: another one would stand beside it."""

    code = "seal_spoilt"
    status = 422


class TooManySeals(Refusal):
    """More byte ranges or seals than a verifier looks at: one among them could be hidden."""

    code = "too_many_seals"
    status = 422


class NotJudged(Refusal):
    """The document takes longer to check than a machine this busy gives it: there is no verdict yet."""

    code = "not_judged"
    status = 503
    retry_after_seconds = 10


class HashOfOtherBytes(Refusal):
    """The hash that was kept of the document is one of other bytes."""

    code = "hash_of_other_bytes"
    status = 422


class SealDoesNotHold(Refusal):
    """What was sealed was verified before anybody got it, and is not genuine.

    `failed` are the names of the checks that failed.
    """

    code = "seal_does_not_hold"
    status = 422

    def __init__(self, report: CheckReport) -> None:
        failed = ", ".join(check.name for check in report.checks if not check.passed)
        super().__init__(f"sealed, and then {report.verdict}: {failed}")
        self.failed = failed or report.verdict.value


class ExaminationBusy(Refusal):
    """As many documents are being examined or wait for it as may."""

    code = "examination_busy"
    status = 503
    retry_after_seconds = 2  # the time that one examination may take


class SealingUnavailable(Refusal):
    """Nothing is wrong with the document: what we need for a seal is not to be had now."""

    code = "sealing_unavailable"
    status = 503
    retry_after_seconds = 5  # an authority that is away is asked again


class IssuerUnusable(SealingUnavailable):
    """The key and certificates we seal with may not be used now; the operator must act."""

    code = "issuer_unusable"
    status = 503
    passes = False
    retry_after_seconds = 60  # a person has to act


class TimeStampUnavailable(SealingUnavailable):
    """The time-stamp authority gave no token that could be used; asking again later may help."""

    code = "time_stamp_unavailable"
    status = 503


class RevocationUnavailable(SealingUnavailable):
    """No authority said whether a certificate was revoked; asking again later may help."""

    code = "revocation_unavailable"
    status = 503


def check_placements(placements: Sequence[Placement]) -> None:
    """Refuse with `PlacementMalformed` or `StampTooSmall` what no page could accept."""
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
    """Refuse with `PlacementsOverlap` stamps on each other; `pages` are the pages they are on.

    Stamps may touch: a caller that computed the corners may have rounded them.
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
    """True for two boxes that share more than rounding makes of those side by side."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    along = min(one[3], other[3]) - max(one[1], other[1])
    return across > OVERLAP_MAX and along > OVERLAP_MAX
