"""Operator artwork: the first page of the operator's PDF, in place of our artwork.

The page is scaled to the sheet of `artwork`; white is painted over the areas of code and serial, so
a drawing must leave them free.  Fonts, images and colour spaces are copied unchanged.  The operator is responsible
for the conformance of the drawing to PDF/A, except for the features that `artwork_reading` refuses.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from meterai.sealing.model import SealingUnavailable
from meterai.sealing.pdf.serialization import Stream

ARTWORK_BYTES_MAX = 64 * 1024  # it is in every stamped document


class ArtworkUnusable(SealingUnavailable):
    """The operator artwork cannot be shown on a stamp; the operator must act."""

    code = "art_unusable"
    status = 503
    retry_after_seconds = 60  # a person has to act


@dataclass(frozen=True, slots=True)
class ArtworkObject:
    """One object; each `%d` of `form` takes the number of the object at the index in `indices`."""

    form: bytes
    indices: tuple[int, ...]
    data: bytes | None

    def numbered(self, first: int) -> Stream | bytes:
        """Return the object as written behind others, with the artwork's objects numbered from `first`."""
        written = self.form % tuple(first + index for index in self.indices)
        return written if self.data is None else Stream(written, self.data)


@dataclass(frozen=True, slots=True)
class OperatorArtwork:
    """A form and its objects; `placing` paints the form on the sheet."""

    bodies: tuple[ArtworkObject, ...]
    placing: bytes

    @property
    def count(self) -> int:
        """Number of its objects."""
        return len(self.bodies)

    def objects(self, first: int) -> Iterator[Stream | bytes]:
        """Return the bodies of the objects `first` (the form), `first + 1`, ..."""
        return (body.numbered(first) for body in self.bodies)
