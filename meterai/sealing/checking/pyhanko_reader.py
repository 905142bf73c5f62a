"""A PDF from untrusted bytes, opened with pyHanko's reader within bounds.

The reader is a library that was written for files that mean well.  Whatever it raises on one that
does not becomes `DocumentBroken`, and every walk over the file's own structure is bounded here.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.decode_limits import (
    DecodeContext,
    DecodeLimits,
    DocumentDecodeBudget,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.reader import PdfFileReader, process_data_at_eof
from pyhanko.pdf_utils.xref import XRefBuilder, XRefCache

from meterai.kit.refusal import Refusal
from meterai.sealing.model import DocumentBroken

HEADER_WITHIN_BYTES = 1024  # where readers look for the header (ISO 32000-1, annex H, note 13)
OBJECTS_MAX = 500_000  # rows of cross-reference streams; a book of 1,000 pages has 20,000

_MEBIBYTE = 1024 * 1024
_LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=64 * _MEBIBYTE),
    document_budget=DocumentDecodeBudget(base_allowance=128 * _MEBIBYTE, max_ratio=20),
)
_HEADER = re.compile(rb"%PDF-(\d)\.(\d)")


class _BoundedXRefBuilder(XRefBuilder):
    """The library's builder, which would read as many rows as a hostile stream claims to have."""

    rows = 0

    def _read_xref_stream_object(self) -> tuple[generic.Reference, generic.StreamObject]:
        reference, stream = super()._read_xref_stream_object()  # type: ignore[no-untyped-call]
        index = list(stream["/Index"]) if "/Index" in stream else [0, stream["/Size"]]
        widths = stream["/W"]
        if not all(0 <= width <= 8 for width in widths) or not any(widths):
            raise DocumentBroken("a cross-reference stream with rows of no width")
        self.rows += sum(index[1::2])
        if min(index) < 0 or self.rows > OBJECTS_MAX:
            raise DocumentBroken(f"cross-reference streams with {self.rows} rows")
        return reference, stream


class _XRefCache(XRefCache):
    """The library's cache, which breaks off a comparison of revisions at a dangling reference."""

    def get_introducing_revision(self, ref: generic.Reference) -> int:
        """The revision that made the object; a reference to nothing has always been null."""
        try:
            return int(super().get_introducing_revision(ref))
        except KeyError:
            return 0


class Reader(PdfFileReader):
    """The library's reader with two differences: the header may stand within the first 1,024
    bytes, and cross-reference streams are bounded.

    Its own constructor is not called, because it does both differently; the attributes set here
    are all that it sets.
    """

    def __init__(self, stream: BytesIO, version: tuple[int, int]) -> None:
        self.stream = stream
        self.strict = False
        self._decode_context = DecodeContext(_LIMITS, input_size=stream.seek(0, os.SEEK_END))
        self._security_handler = None
        self._header_version = version
        self._input_version = None
        self.resolved_objects: dict[tuple[int, int], generic.PdfObject] = {}
        self._historical_resolver_cache: dict[int, Any] = {}
        self._embedded_signatures = None
        stream.seek(-1, os.SEEK_END)
        builder = _BoundedXRefBuilder(
            handler=self, stream=stream, strict=False, last_startxref=process_data_at_eof(stream)
        )
        self.xrefs = _XRefCache(self, builder.read_xrefs())  # type: ignore[no-untyped-call]
        self.last_startxref = builder.last_startxref
        self.trailer = builder.trailer
        self.has_xref_stream = builder.has_xref_stream


@contextmanager
def as_document_broken() -> Iterator[None]:
    """Turn whatever the library raises inside into `DocumentBroken`."""
    try:
        yield
    except (Refusal, MemoryError):
        raise  # what does not fit into memory was not compared; it is not therefore changed
    # The library raises its own errors, but on hostile bytes also KeyError, TypeError,
    # AssertionError, RecursionError and others: here, any of them is a property of the document.
    except Exception as cause:
        raise DocumentBroken(f"{type(cause).__name__} while reading the document") from cause


def open_reader(document: bytes, password: bytes) -> Reader:
    """A reader of a document that our own has opened before."""
    header = _HEADER.search(document, 0, HEADER_WITHIN_BYTES)
    if header is None:
        raise DocumentBroken("no header within the first 1,024 bytes")
    reader = Reader(BytesIO(document), (int(header[1]), int(header[2])))
    if reader.security_handler is not None:
        reader.decrypt(password)
    if not isinstance(reader.root, generic.DictionaryObject):
        raise DocumentBroken("no catalog")
    return reader
