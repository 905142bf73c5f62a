"""Functions of the tasks that run in the processes of `bounded`, by name; and the program that runs them.

Each function takes the document and the parameters of its `Task`, and returns the answer in bytes.  Run as a program
(`python -m meterai.sealing.tasks`), the module is the fork server with these tasks loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from meterai.kit.refusal import Refusal
from meterai.sealing.checking.questions import read_question, written_report
from meterai.sealing.checking.verification import judged
from meterai.sealing.locations import located
from meterai.sealing.model import PageNotDrawn
from meterai.sealing.pdf.decoding import LIMITS
from meterai.sealing.pdf.document import as_document_broken, open_document
from meterai.sealing.pdf.pages import PageTree, PdfPage
from meterai.sealing.sandbox import answers, drawing, fork_server, scanning
from meterai.sealing.sandbox.answers import Inspected, Redrawn, RenderedPage, Scanned
from meterai.sealing.sandbox.placing import placed
from meterai.sealing.sandbox.qpdf import repaired
from meterai.sealing.survey import grid
from meterai.sealing.writing.engine import open_checked, read_placements

Parameters = Mapping[str, Any]


def _inspect(document: bytes, parameters: Parameters) -> bytes:
    placements = read_placements(parameters["placements"])
    opened = open_checked(document, placements, parameters["password"].encode("latin-1"), LIMITS)
    sizes = [(page.size.page, page.size.width, page.size.height) for page in opened.targets]
    return answers.written(Inspected(opened.pages, sizes, opened.signatures))


def _repair(document: bytes, _: Parameters) -> bytes:
    return answers.written(repaired(document))


def _picture(document: bytes, parameters: Parameters) -> bytes:
    password = parameters["password"].encode("latin-1")
    with as_document_broken():
        opened = open_document(document, bytes_max=len(document), password=password)
        tree = PageTree(opened)
        page, pages = tree.page(parameters["page"]), tree.count
    size, part = page.size, parameters["part"]
    whole = (0.0, 0.0, 1.0, 1.0)
    request = drawing.PictureRequest(
        page.number,
        pages,
        size.width / page.unit,
        size.height / page.unit,
        parameters["width"],
        _fractions(page, part) if part else whole,
    )
    try:
        picture = drawing.drawn(document, request, password)
    except drawing.PageNotSeen:
        raise PageNotDrawn("PDFium cannot draw the page") from None
    cells = grid(size.width, size.height) if parameters["survey"] else (0, 0)
    paper, ink = drawing.survey(picture, *cells)
    drawing.mark(
        picture, [_within(request.part, _fractions(page, one)) for one in parameters["marks"]]
    )
    webp = drawing.encoded(picture)
    return answers.written(
        RenderedPage(webp, page.number, pages, size.width, size.height, ink, paper)
    )


def _locate(document: bytes, parameters: Parameters) -> bytes:
    password = parameters["password"].encode("latin-1")
    with as_document_broken():
        opened = open_document(document, bytes_max=len(document), password=password)
        return answers.written(located(opened, frozenset(parameters["serials"])))


def _place(document: bytes, parameters: Parameters) -> bytes:
    password = parameters["password"].encode("latin-1")
    return answers.written(placed(document, parameters["places"], password))


def _scan(photo: bytes, _: Parameters) -> bytes:
    try:
        return answers.written(Scanned(scanning.codes_on(photo)))
    except scanning.PhotoNotRead:
        return b""  # no answer


def _redraw(photo: bytes, _: Parameters) -> bytes:
    try:
        return answers.written(Redrawn(drawing.encoded(scanning.redrawn(photo))))
    except scanning.PhotoNotRead:
        return b""  # no answer


def _logo(picture: bytes, _: Parameters) -> bytes:
    try:
        return answers.written(Redrawn(drawing.encoded(scanning.logo(picture))))
    except scanning.PhotoNotRead:
        return b""  # no answer


def _fractions(page: PdfPage, rectangle: Sequence[float]) -> drawing.Fractions:
    """Convert a rectangle in points, cut to the page, to fractions of the page from its top left corner."""
    x, y, width, height = rectangle
    size = page.size
    left, right = max(0.0, x / size.width), min(1.0, (x + width) / size.width)
    top, bottom = max(0.0, 1 - (y + height) / size.height), min(1.0, 1 - y / size.height)
    return left, top, right, bottom


def _within(part: drawing.Fractions, area: drawing.Fractions) -> drawing.Fractions:
    """Convert `area`, given in fractions of a page, to fractions of `part`, which is a part of that page."""
    left, top, right, bottom = part
    wide, high = right - left, bottom - top
    return (
        (area[0] - left) / wide,
        (area[1] - top) / high,
        (area[2] - left) / wide,
        (area[3] - top) / high,
    )


def _verify(document: bytes, parameters: Parameters) -> bytes:
    return answers.written(written_report(judged(read_question(document, parameters))))


_TASKS: dict[str, Callable[[bytes, Parameters], bytes]] = {
    "inspect": _inspect,
    "locate": _locate,
    "logo": _logo,
    "repair": _repair,
    "picture": _picture,
    "place": _place,
    "redraw": _redraw,
    "scan": _scan,
    "verify": _verify,
}


def do(name: str, document: bytes, parameters: Parameters) -> bytes:
    """Run the task with this name, and return its answer, which may be an encoded refusal."""
    try:
        return _TASKS[name](document, parameters)
    except Refusal as refusal:
        return answers.written_refusal(refusal)


if __name__ == "__main__":
    drawing.load_formats()
    fork_server.run(do)
