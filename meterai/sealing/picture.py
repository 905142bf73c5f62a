"""Pictures of pages, shown before a stamp is placed and in a verdict.

Lengths are points of the page as it is shown, counted from its lower left corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from meterai.sealing.model import LAST_PAGE, PageOutOfRange, PageSize, PageTooSlow
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import NotAnswered, RenderedPage
from meterai.sealing.sandbox.bounded import Task, Work
from meterai.sealing.survey import InkSurvey, grid

PICTURE_WIDTH = 800  # pixels; two to three for each logical pixel of a phone
THUMBNAIL_WIDTH = 120
PICTURE_WIDTH_MAX = 1600
MARKS_MAX = 20  # areas framed in one picture

_ANSWER_BYTES_MAX = 192 * 1024  # picture and survey, in base 64
# A person waits for the picture.  The limit of two seconds of processor time ends expensive tasks; a wall time limit of
# six seconds also ended honest tasks on a busy machine, and the failure of a page is stored.
_WALL_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a page: lower left corner and size, in points of the page as it is shown."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PagePicture:
    """Picture of a page, or of a part of it, as WebP of at most 60 KB.

    `size` is the visible size of the whole page, `pages` the number of all pages.  `survey` is set if
    it was requested.
    """

    webp: bytes = field(repr=False)
    size: PageSize
    pages: int
    survey: InkSurvey | None = None


def picturing(
    document: bytes,
    page: int,
    width: int = PICTURE_WIDTH,
    *,
    marks: Sequence[Rectangle] = (),
    part: Rectangle | None = None,
    with_survey: bool = False,
    password: bytes = b"",
) -> Work[PagePicture]:
    """Return a `Work` that draws a page (from 1, or `LAST_PAGE`) or the given part of it.

    The picture is `width` pixels wide, or fewer if the limits for pictures require that.  Each of `marks` gets a frame around
    it.  `with_survey` requests the ink survey too.  Refuses with the refusals of opening the document, with `PageOutOfRange`,
    with `PageNotDrawn`, and with `PageTooSlow` if its task ends without an answer.
    """
    assert 1 <= width <= PICTURE_WIDTH_MAX, width
    assert len(marks) <= MARKS_MAX, len(marks)
    if page < 1 and page != LAST_PAGE:
        raise PageOutOfRange(page=page, pages=0)
    parameters = {
        "page": page,
        "width": width,
        "marks": [_written(one) for one in marks],
        "part": _written(part) if part else None,
        "survey": with_survey,
        "password": password.decode("latin-1"),
    }
    task = Task("picture", document, parameters, _ANSWER_BYTES_MAX, _WALL_SECONDS)
    answer = yield task
    try:
        found = answers.read(answer, RenderedPage)
        return _picture(found, with_survey=with_survey)
    except NotAnswered:
        raise PageTooSlow("drawing the page takes too long") from None


def _written(one: Rectangle) -> list[float]:
    return [one.x, one.y, one.width, one.height]


def _picture(found: RenderedPage, *, with_survey: bool) -> PagePicture:
    """Return the picture in the answer of a task.  Raises `NotAnswered` if the answer contradicts itself."""
    if not answers.is_webp(found.webp) or not 1 <= found.page <= found.pages:
        raise NotAnswered
    if found.width <= 0 or found.height <= 0:
        raise NotAnswered
    size = PageSize(found.page, found.width, found.height)
    survey = None
    if with_survey:
        columns, rows = grid(size.width, size.height)
        if len(found.ink) != columns * rows:
            raise NotAnswered
        survey = InkSurvey(size.width, size.height, columns, rows, found.ink, found.paper)
    return PagePicture(found.webp, size, found.pages, survey)
