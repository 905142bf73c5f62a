"""Operator artwork: the first page of the operator's PDF, in place of our artwork.

The page is scaled to the sheet of `artwork`.  White is painted over the areas of code, serial and words, so the drawing
must leave them free.  Fonts, images and colour spaces are copied unchanged.  The operator is responsible for the
conformance of the drawing to PDF/A; `artwork_reading` refuses only some features that violate it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from meterai.sealing.model import SealingUnavailable
from meterai.sealing.pdf.serialization import Stream

ARTWORK_BYTES_MAX = 64 * 1024  # of the artwork, which is in every stamped document


class ArtworkUnusable(SealingUnavailable):
    """The operator artwork cannot be shown on a stamp; the operator must act."""

    code = "art_unusable"
    status = 503
    retry_after_seconds = 60  # a person has to act


@dataclass(frozen=True, slots=True)
class ArtworkObject:
    """An object of the artwork.  Each `%d` in `form` stands for the number of the object with that index in `indices`."""

    form: bytes
    indices: tuple[int, ...]
    data: bytes | None

    def numbered(self, first: int) -> Stream | bytes:
        """Return the body of the object, if the objects of the artwork are numbered from `first`."""
        written = self.form % tuple(first + index for index in self.indices)
        return written if self.data is None else Stream(written, self.data)


@dataclass(frozen=True, slots=True)
class OperatorArtwork:
    """A form XObject and the objects it refers to; `placing` is the content that paints the form on the sheet."""

    bodies: tuple[ArtworkObject, ...]
    placing: bytes

    @property
    def count(self) -> int:
        """Number of objects of the artwork."""
        return len(self.bodies)

    def objects(self, first: int) -> Iterator[Stream | bytes]:
        """Return the bodies of the objects `first` (the form), `first + 1`, ..."""
        return (body.numbered(first) for body in self.bodies)
