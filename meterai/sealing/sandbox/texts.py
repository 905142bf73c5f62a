"""Where in a document a text stands (PDFium).

PDFium is large and gets hostile files here: this runs only in the processes of `bounded`.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pypdfium2

Corners = tuple[float, float, float, float]  # left, low, right, top; in units of the file


class TextNotRead(Exception):
    """PDFium does not read this document, or sees another number of pages than we do."""


class TextPages:
    """The pages of a document, as they are searched."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document

    def find(self, number: int, text: str) -> Iterator[Corners]:
        """Where a text stands on a page (from 1): its first line, in the order of the file.

        Capital letters count.  A text with NUL is nowhere: for PDFium it ends there.  Raises `TextNotRead`.
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
            raise TextNotRead from cause


@contextmanager
def opened(document: bytes, pages: int, password: bytes) -> Iterator[TextPages]:
    """A document that has so many pages.  Raises `TextNotRead`."""
    try:
        found = pypdfium2.PdfDocument(document, password=password.decode("latin-1") or None)
    except (pypdfium2.PdfiumError, ValueError, MemoryError) as cause:
        raise TextNotRead from cause
    with closing(found):
        if len(found) != pages:
            raise TextNotRead
        yield TextPages(found)
