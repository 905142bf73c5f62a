"""Operator artwork: the first page of a PDF that the operator gives, in place of our artwork.

The page is scaled to the sheet of `artwork`; white is painted over the areas of code and serial, so
a drawing must leave them free.  Fonts, images and colour spaces are copied as they are.  Whether
the drawing conforms to PDF/A is the operator's concern, except for what `read_operator_artwork`
refuses.
"""

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import pikepdf

from meterai.sealing.model import SealingUnavailable
from meterai.sealing.pdf.serialization import Stream
from meterai.sealing.stamp import artwork

ARTWORK_BYTES_MAX = 64 * 1024  # it is in every stamped document
OBJECTS_MAX = 100  # more is a document and not a drawing
_LEFT_OUT = frozenset(("/Group", "/Metadata", "/PieceInfo", "/StructParents", "/LastModified"))
_REFUSED = frozenset(("/SMask", "/OPI", "/PS", "/Ref", "/OC", "/AA", "/A", "/JS"))


class ArtworkUnusable(SealingUnavailable):
    """The operator artwork cannot be shown on a stamp; the operator must act."""

    code = "art_unusable"
    status = 503
    retry_after_seconds = 60  # a person has to act


@dataclass(frozen=True, slots=True)
class _Body:
    """One object; each `%d` of `form` takes the number of the object at the index in `indices`."""

    form: bytes
    indices: tuple[int, ...]
    data: bytes | None

    def numbered(self, first: int) -> Stream | bytes:
        """The object as it stands behind others, the artwork's own being numbered from `first`."""
        written = self.form % tuple(first + index for index in self.indices)
        return written if self.data is None else Stream(written, self.data)


@dataclass(frozen=True, slots=True)
class OperatorArtwork:
    """A form and all that it needs; `placing` paints the form on the sheet."""

    bodies: tuple[_Body, ...]
    placing: bytes

    @property
    def count(self) -> int:
        """The number of its objects."""
        return len(self.bodies)

    def objects(self, first: int) -> Iterator[Stream | bytes]:
        """The bodies of the objects `first` (the form), `first + 1`, ..."""
        return (body.numbered(first) for body in self.bodies)


@lru_cache(4)
def read_operator_artwork(document: bytes) -> OperatorArtwork:
    """Read the first page of a PDF.

    Refuses with `ArtworkUnusable` what is no PDF, is encrypted, too large, transparent or active,
    or has strings outside its content, as composite fonts have (draw letters as outlines instead).
    """
    try:
        with pikepdf.open(io.BytesIO(document)) as opened:
            if opened.is_encrypted:
                raise ArtworkUnusable("the artwork is encrypted")
            page = opened.pages[0]
            form = opened.make_indirect(page.as_form_xobject())
            sheet = pikepdf.Rectangle(0, 0, artwork.SHEET_WIDTH, artwork.SHEET_HEIGHT)
            placing = page.calc_form_xobject_placement(
                form,
                pikepdf.Name(artwork.OPERATOR_ARTWORK.decode("ascii")),
                sheet,
                invert_transformations=False,
                allow_expand=True,
            )
            found = OperatorArtwork(tuple(_Copy(form).bodies()), placing)
    except (pikepdf.PdfError, IndexError, RuntimeError) as error:
        raise ArtworkUnusable(f"the artwork cannot be read: {error}") from error
    size = sum(len(body.form) + len(body.data or b"") for body in found.bodies)
    if size > ARTWORK_BYTES_MAX:
        raise ArtworkUnusable(f"the artwork has {size} bytes, at most {ARTWORK_BYTES_MAX}")
    return found


class _Copy:
    """The objects that one object leads to, in the order they were met."""

    def __init__(self, start: pikepdf.Object) -> None:
        self._found = {start.objgen: 0}
        self._waiting = [start]

    def bodies(self) -> Iterator[_Body]:
        """Each object once; more are found while they are written."""
        for one in self._waiting:
            indices: list[int] = []
            if isinstance(one, pikepdf.Stream):
                entries: dict[str, object] = dict(one.items())
                entries.pop("/Length", None)
                form, data = b"".join(self._entries(entries, indices)), one.read_raw_bytes()
                if "/Filter" not in entries:
                    form, data = form + b"/Filter/FlateDecode", zlib.compress(data, 9)
                yield _Body(form, tuple(indices), data)
            else:
                form = b"".join(self._value(one, indices))
                yield _Body(form, tuple(indices), None)

    def _entries(self, entries: dict[str, object], indices: list[int]) -> Iterator[bytes]:
        for key, value in entries.items():
            if key in _LEFT_OUT:
                continue
            if key in _REFUSED and value != pikepdf.Name.None_:
                raise ArtworkUnusable(f"the artwork uses {key}")
            yield pikepdf.Name(key).unparse().replace(b"%", b"%%") + b" "
            yield from self._reference_or_value(value, indices)

    def _reference_or_value(self, value: object, indices: list[int]) -> Iterator[bytes]:
        if isinstance(value, pikepdf.Object) and value.is_indirect:
            index = self._found.setdefault(value.objgen, len(self._found))
            if index == len(self._waiting):
                self._waiting.append(value)
            if index == OBJECTS_MAX:
                raise ArtworkUnusable(f"the artwork has more than {OBJECTS_MAX} objects")
            indices.append(index)
            yield b"%d 0 R "
        else:
            yield from self._value(value, indices)

    def _value(self, value: object, indices: list[int]) -> Iterator[bytes]:
        if isinstance(value, pikepdf.Dictionary):
            yield b"<<"
            yield from self._entries(dict(value.items()), indices)
            yield b">>"
        elif isinstance(value, pikepdf.Array):
            yield b"["
            for item in value:
                yield from self._reference_or_value(item, indices)
            yield b"]"
        elif isinstance(value, pikepdf.String):
            raise ArtworkUnusable(
                "the artwork has a string outside its content, such as a composite font"
            )
        elif isinstance(value, pikepdf.Object):
            yield value.unparse().replace(b"%", b"%%") + b" "
        else:
            yield _scalar(value) + b" "


def _scalar(value: object) -> bytes:
    """What pikepdf gives as a value of Python."""
    if value is None:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return (
        f"{value:f}".encode("ascii") if isinstance(value, Decimal) else str(value).encode("ascii")
    )
