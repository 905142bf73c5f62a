"""Reading operator artwork from the operator's PDF.

This module is separate from `operator_artwork`, since few installations need it and its library takes 6 MB of memory.
"""

import io
import zlib
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

import pikepdf

from meterai.sealing.stamp import artwork
from meterai.sealing.stamp.operator_artwork import (
    ARTWORK_BYTES_MAX,
    ArtworkObject,
    ArtworkUnusable,
    OperatorArtwork,
)

OBJECTS_MAX = 100  # in a drawing; a file with more is a document
_LEFT_OUT = frozenset(("/Group", "/Metadata", "/PieceInfo", "/StructParents", "/LastModified"))
_REFUSED = frozenset(("/SMask", "/OPI", "/PS", "/Ref", "/OC", "/AA", "/A", "/JS"))


@lru_cache(4)
def read_operator_artwork(document: bytes) -> OperatorArtwork:
    """Read the first page of a PDF as operator artwork.

    Refuses with `ArtworkUnusable` a file that is no PDF, is encrypted, too large, transparent or active,
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
    """Copies an object and all objects that it refers to, in the order of discovery."""

    def __init__(self, start: pikepdf.Object) -> None:
        self._found = {start.objgen: 0}
        self._waiting = [start]

    def bodies(self) -> Iterator[ArtworkObject]:
        """Yield a copy of each object once; copying an object may discover more."""
        for one in self._waiting:
            indices: list[int] = []
            if isinstance(one, pikepdf.Stream):
                entries: dict[str, object] = dict(one.items())
                entries.pop("/Length", None)
                form, data = b"".join(self._entries(entries, indices)), one.read_raw_bytes()
                if "/Filter" not in entries:
                    form, data = form + b"/Filter/FlateDecode", zlib.compress(data, 9)
                yield ArtworkObject(form, tuple(indices), data)
            else:
                form = b"".join(self._value(one, indices))
                yield ArtworkObject(form, tuple(indices), None)

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
    """Write a simple value, which pikepdf returns as a Python value, in PDF syntax."""
    if value is None:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return (
        f"{value:f}".encode("ascii") if isinstance(value, Decimal) else str(value).encode("ascii")
    )
