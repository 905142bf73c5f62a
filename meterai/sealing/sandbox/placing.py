"""Finds placements for stamps that are requested at a text or in a corner.

PDFium searches the texts.  It is large and reads hostile files here, so this code runs only in the processes of
`bounded`.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pypdfium2

from meterai.sealing.model import HEIGHT_PER_WIDTH, Corner, Corners, TextNotFound, TextNotSearched
from meterai.sealing.pdf.document import as_document_broken, open_document
from meterai.sealing.pdf.pages import PageTree, PdfPage
from meterai.sealing.sandbox.answers import Placed


def placed(document: bytes, places: Sequence[dict[str, Any]], password: bytes) -> Placed:
    """Return a placement for each request, in the same order.  Refuses like `places.placing`.

    For a request that is an exact placement already, the result has zeros, since nothing has to be found.
    """
    with as_document_broken():
        opened = open_document(document, bytes_max=len(document), password=password)
        tree = PageTree(opened)
        pages = list(tree.all()) if any("text" in one for one in places) else []
        found = []
        for number, place in enumerate(places, 1):
            if "corner" in place:
                found.append(_in_corner(tree.page(place["page"]), place))
            elif "text" in place:
                found.append(_at_text(document, pages, tree, place, number, password))
            else:
                found.append((0, 0.0, 0.0, 0.0))  # the request is an exact placement
    return Placed(found)


def _in_corner(page: PdfPage, place: dict[str, Any]) -> tuple[int, float, float, float]:
    corner, margin, width = Corner(place["corner"]), place["margin"], place["width"]
    right = page.size.width - margin - width
    top = page.size.height - margin - width * HEIGHT_PER_WIDTH
    is_right = corner in (Corner.BOTTOM_RIGHT, Corner.TOP_RIGHT)
    is_top = corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT)
    return page.number, right if is_right else margin, top if is_top else margin, width


def _at_text(
    document: bytes,
    pages: Sequence[PdfPage],
    tree: PageTree,
    place: dict[str, Any],
    number: int,
    password: bytes,
) -> tuple[int, float, float, float]:
    wanted = pages if place["page"] is None else [tree.page(place["page"])]
    seen = 0
    for page, box in _occurrences(document, len(pages), wanted, place["text"], password):
        seen += 1
        if seen == place["occurrence"]:
            left, low, _, _ = page.seen(box)
            return page.number, left + place["dx"], low + place["dy"], place["width"]
    raise TextNotFound(number=number, found=seen)


def _occurrences(
    document: bytes, count: int, pages: Sequence[PdfPage], text: str, password: bytes
) -> Iterator[tuple[PdfPage, Corners]]:
    try:
        with _searchable(document, count, password) as searched:
            for page in pages:
                for box in searched.find(page.number, text):
                    yield page, box
    except _TextNotRead:
        raise TextNotSearched("PDFium cannot read the texts") from None


class _TextNotRead(Exception):
    """PDFium cannot read this document, or finds another number of pages than we do."""


class _TextPages:
    """Text search in the pages of a document."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document

    def find(self, number: int, text: str) -> Iterator[Corners]:
        """Yield the box of each occurrence of a text on a page (from 1), in the order of the file.

        The box is that of the first line of the text, in coordinates of the file.  The search is case-sensitive.  A text
        with NUL is never found, since PDFium cuts it there.  Raises `_TextNotRead`.
        """
        if "\0" in text:
            return
        try:
            with closing(self._document[number - 1]) as page, closing(page.get_textpage()) as words:
                search = words.search(text, match_case=True)
                while (found := search.get_next()) is not None:
                    first, many = found
                    if words.count_rects(first, many):
                        left, low, right, top = words.get_rect(0)
                        yield left, low, right, top
        except (pypdfium2.PdfiumError, ValueError, MemoryError) as cause:
            raise _TextNotRead from cause


@contextmanager
def _searchable(document: bytes, pages: int, password: bytes) -> Iterator[_TextPages]:
    """Open a document for text search.  Raises `_TextNotRead`, also if PDFium finds another number of pages."""
    try:
        found = pypdfium2.PdfDocument(document, password=password.decode("latin-1") or None)
    except (pypdfium2.PdfiumError, ValueError, MemoryError) as cause:
        raise _TextNotRead from cause
    with closing(found):
        if len(found) != pages:
            raise _TextNotRead
        yield _TextPages(found)
