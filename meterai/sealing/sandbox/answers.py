"""Answers of the processes of `bounded`, in JSON, and their validation.

A hostile document may have taken over the process, so its answer is untrusted.  An answer that does not have the
fields and bounds below is rejected (`NotAnswered`).  A refusal is sent as its code and facts.
"""

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from meterai.kit.refusal import Refusal
from meterai.sealing.model import (
    ChangesForbidden,
    DocumentBroken,
    DocumentEncrypted,
    DynamicForm,
    EncryptedWithoutIdentifier,
    LeavesWhenOpened,
    NoPages,
    NotAPdf,
    PageNotDrawn,
    PageOutOfRange,
    PageSize,
    Placement,
    PlacementOnStamp,
    PlacementOutsidePage,
    PlacementsOverlap,
    Portfolio,
    SignatureRangeMalformed,
    StrayStamp,
    TextNotFound,
    TextNotSearched,
)

_REFUSED, _ANSWERED = b"\0", b"\1"
_PLAIN: dict[str, type[Refusal]] = {
    kind.code: kind
    for kind in (
        ChangesForbidden,
        DocumentBroken,
        DocumentEncrypted,
        DynamicForm,
        EncryptedWithoutIdentifier,
        LeavesWhenOpened,
        NoPages,
        NotAPdf,
        PageNotDrawn,
        Portfolio,
        SignatureRangeMalformed,
        StrayStamp,
        TextNotSearched,
    )
}

Number = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Length = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]  # points
Word = Annotated[str, msgspec.Meta(max_length=4096)]
Sha256 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class NotAnswered(Exception):
    """The process was killed at a limit, crashed, or sent an invalid answer."""


class Later(msgspec.Struct, frozen=True):
    """`model.LaterSignature` in an answer: a signature behind a seal."""

    signer: Word
    at: datetime | None


class Earlier(msgspec.Struct, frozen=True):
    """`model.EarlierSeal` in an answer: an earlier seal that does not count for the document."""

    sealed_bytes: Annotated[int, msgspec.Meta(ge=0)]
    sealed_at: datetime
    serials: Annotated[list[Word], msgspec.Meta(max_length=20)]


class Inspected(msgspec.Struct, frozen=True):
    """Result of `engine.inspect`: numbers of pages and signatures, and the page of each placement with its size in points."""

    pages: Number
    sizes: Annotated[list[tuple[Number, Length, Length]], msgspec.Meta(max_length=100)]
    signatures: Number


class RenderedPage(msgspec.Struct, frozen=True):
    """Picture of a page in WebP, with the values from which its survey of ink is made.

    `page` counts from 1 and `pages` is the number of all pages; `width` and `height` are the visible size of the whole
    page in points.  `ink` has a byte for each cell of the survey; `paper` is the grey level of the paper.
    """

    webp: Annotated[bytes, msgspec.Meta(max_length=60 * 1024)]
    page: Number
    pages: Number
    width: Length
    height: Length
    ink: Annotated[bytes, msgspec.Meta(max_length=40_000)]
    paper: Annotated[int, msgspec.Meta(ge=0, le=255)]


class Located(msgspec.Struct, frozen=True):
    """Stamps that were found: page, left, bottom, width and height of each, in points of the page as it is shown."""

    stamps: Annotated[
        list[tuple[Number, Length, Length, Length, Length]], msgspec.Meta(max_length=20)
    ]


class Placed(msgspec.Struct, frozen=True):
    """Placements: page, lower left corner and width of each stamp, in points of the page as it is shown."""

    stamps: Annotated[list[tuple[Number, Length, Length, Length]], msgspec.Meta(max_length=100)]


class Scanned(msgspec.Struct, frozen=True):
    """Texts of the QR codes on a photo."""

    texts: Annotated[list[Annotated[str, msgspec.Meta(max_length=512)]], msgspec.Meta(max_length=8)]


class Redrawn(msgspec.Struct, frozen=True):
    """Picture that was drawn anew, in WebP."""

    webp: Annotated[bytes, msgspec.Meta(max_length=60 * 1024)]


class TimeFact(msgspec.Struct, frozen=True):
    """A time among the facts of a check (`model.Check`), marked by this type since JSON has no times."""

    time: datetime


class CheckFound(msgspec.Struct, frozen=True):
    """`model.Check` in an answer: one check of a report."""

    name: Word
    passed: bool
    facts: dict[Word, bool | int | float | Word | TimeFact]


class Verified(msgspec.Struct, frozen=True):
    """`model.CheckReport` in an answer: the report of `verify`."""

    verdict: Word
    serials: Annotated[list[Word], msgspec.Meta(max_length=2_000)]
    checks: Annotated[list[CheckFound], msgspec.Meta(max_length=32)]
    sealed_at: datetime | None
    sealed_bytes: Annotated[int, msgspec.Meta(ge=0)] | None
    sha256_sealed: Sha256 | None
    sha256_original: Sha256 | None
    originals: Annotated[list[Sha256], msgspec.Meta(max_length=2_000)]
    earlier: Annotated[list[Earlier], msgspec.Meta(max_length=64)] = []
    later: Annotated[list[Later], msgspec.Meta(max_length=20)] = []
    is_spoilt: bool = False


class _Refused(msgspec.Struct, frozen=True):
    code: Word
    facts: dict[Word, int | float]


Found = TypeVar("Found", bound=msgspec.Struct)


def written(found: msgspec.Struct | bytes) -> bytes:
    """Encode the answer of a task."""
    return _ANSWERED + (found if isinstance(found, bytes) else msgspec.json.encode(found))


def written_refusal(refusal: Refusal) -> bytes:
    """Encode a refusal as the answer of a task; only its numeric facts are sent."""
    facts = {name: one for name, one in refusal.facts().items() if isinstance(one, int | float)}
    return _REFUSED + msgspec.json.encode(_Refused(refusal.code, facts))


def content_of(answer: bytes | None) -> bytes:
    """Return the content of an answer.  Raises the refusal if the answer is a refusal, and `NotAnswered` if it is invalid."""
    if answer is None or answer[:1] not in (_ANSWERED, _REFUSED):
        raise NotAnswered
    if answer[:1] == _REFUSED:
        raise _refusal(_decoded(answer[1:], _Refused))
    return answer[1:]


def read(answer: bytes | None, kind: type[Found]) -> Found:
    """Decode the content of an answer as `kind`.  Raises like `content_of`."""
    return _decoded(content_of(answer), kind)


def is_webp(data: bytes) -> bool:
    """True if the data begin like WebP.  They come from an untrusted process and go to a browser."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def _decoded(content: bytes, kind: type[Found]) -> Found:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as cause:
        raise NotAnswered from cause


def _refusal(found: _Refused) -> Refusal:
    facts = found.facts
    try:
        if found.code == PageOutOfRange.code:
            return PageOutOfRange(page=int(facts["page"]), pages=int(facts["pages"]))
        if found.code == PlacementsOverlap.code:
            first, second = int(facts["first"]), int(facts["second"])
            return PlacementsOverlap(first=first, second=second, page=int(facts["page"]))
        if found.code == PlacementOnStamp.code:
            return PlacementOnStamp(number=int(facts["number"]), page=int(facts["page"]))
        if found.code == TextNotFound.code:
            return TextNotFound(number=int(facts["number"]), found=int(facts["found"]))
        if found.code == PlacementOutsidePage.code:
            wanted = Placement(1, facts["x"], facts["y"], facts["width"])
            return PlacementOutsidePage(
                wanted, PageSize(1, facts["page_width"], facts["page_height"])
            )
        return _PLAIN[found.code](f"{found.code} in the sandbox process")
    except KeyError as cause:
        raise NotAnswered from cause
