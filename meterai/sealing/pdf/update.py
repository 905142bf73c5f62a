"""One incremental update: objects and a cross-reference section that are appended to a document.

The original stays unchanged, byte for byte (ISO 32000-2, section 7.5.6).  An existing object is
changed by inserting into its bytes, so unknown parts of it stay unchanged.  The new cross-reference section is a table
if the document's last one is a table, else a stream.  Each row of a table has exactly 20 bytes, because viewers that
have to repair the cross-reference in memory report a seal as invalid.
"""

import hashlib
import struct
from binascii import hexlify
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.serialization import Stream, string
from meterai.sealing.pdf.syntax import Dictionary, Ref, value_at, with_strings

RANGES_BYTES = 37  # of the last three numbers of a byte range, spaces included; the first is 0
_WIDTHS = (1, 5, 2)  # bytes of the columns of a cross-reference stream
_PACKED = struct.Struct(
    ">BxIH"
)  # one row; the first of five offset bytes is always 0, since documents are short enough
_IDENTIFIER_BYTES = 16


_Row: TypeAlias = tuple[int, int, int]  # number, generation and offset of an object


class Splice(NamedTuple):
    """Replacement of the bytes from `start` to `stop` of an object by `text`; an insertion if both are equal."""

    start: int
    stop: int
    text: bytes


@dataclass(slots=True)
class _Edited:
    """An existing object that will be written again with changes."""

    buffer: bytes
    start: int
    stop: int
    is_plain: bool  # from an object stream, so its strings are not encrypted singly
    splices: list[Splice] = field(default_factory=list)


class Sealed(NamedTuple):
    """An update with room for a seal: the bytes before the value of /Contents, and those after it."""

    before: bytes
    after: bytes


class PdfUpdate:
    """Update that will be appended to one document.

    New objects are numbered from `first` on, or from the document's size if that is larger.
    """

    def __init__(self, document: Document, first: int = 0) -> None:
        self._document = document
        self._cipher = document.cipher
        self._next = max(first, document.size)
        self._edited: dict[Ref, _Edited] = {}
        self._bodies: list[tuple[int, int, bytes]] = []

    @property
    def start(self) -> int:
        """Offset of the update: the length of the document in bytes."""
        return len(self._document.buffer)

    # -- new objects -----------------------------------------------------------------------

    def reserve(self, count: int = 1) -> int:
        """Reserve consecutive numbers for `count` new objects, and return the first number."""
        first = self._next
        self._next += count
        return first

    def add(self, number: int, body: bytes | Stream) -> None:
        """Add a new object with a reserved number; `body` is its value in PDF syntax, or a stream."""
        if isinstance(body, Stream):
            data = body.data
            if self._cipher is not None:
                data = self._cipher.encrypt_stream(Ref(number, 0), data)
            body = b"<<%b/Length %d>>stream\n%b\nendstream" % (body.entries, len(data), data)
        self._bodies.append((number, 0, body))

    def string(self, number: int, octets: bytes) -> bytes:
        """Write a string for the new object with this number, encrypted if the document is."""
        if self._cipher is not None:
            octets = self._cipher.encrypt_string(Ref(number, 0), octets)
        return string(octets)

    # -- changes of existing objects ---------------------------------------------------------

    def splice(self, ref: Ref, holder: Dictionary, splice: Splice) -> None:
        """Apply a splice to the dictionary `holder`, which is in the existing object `ref`."""
        if holder.is_ambiguous:
            raise DocumentBroken("a dictionary that must be changed has a key twice")
        self._object(ref, holder).splices.append(splice)

    def insert(self, ref: Ref, holder: Dictionary, entries: bytes) -> None:
        """Add entries (in PDF syntax) to the dictionary `holder` in the existing object `ref`."""
        self.splice(ref, holder, Splice(holder.stop, holder.stop, entries))

    def put(self, ref: Ref, holder: Dictionary, key: bytes, value: bytes) -> None:
        """Set the value of a key in the dictionary `holder` in the existing object `ref`."""
        span = holder.spans.get(key)
        if span is None:
            self.insert(ref, holder, key + b" " + value)
        else:
            self.splice(ref, holder, Splice(*span, b" " + value))

    def append(self, ref: Ref, holder: Dictionary, key: bytes, items: bytes) -> None:
        """Add items (in PDF syntax) to the array under a key of `holder`, direct or referenced; create a missing array."""
        span = holder.spans.get(key)
        if span is not None and holder.buffer.startswith(b"[", span[0]):
            # The items are inserted before the closing bracket, without parsing the array.
            self.splice(ref, holder, Splice(span[1] - 1, span[1] - 1, b" " + items))
            return
        found = holder.get(key)
        if isinstance(found, Ref) and self.is_array(found):
            edited = self._object(found, None)
            edited.splices.append(Splice(edited.stop - 1, edited.stop - 1, b" " + items))
        elif self._document.resolve(found) is None:
            self.put(ref, holder, key, b"[%b]" % items)
        else:
            raise DocumentBroken(f"{key.decode('latin-1')} is not an array")

    def append_own(self, ref: Ref, holder: Dictionary, key: bytes, items: bytes) -> None:
        """Like `append`, but a referenced array is first copied into `ref`, because other objects may refer to the array."""
        found = holder.reference(key)
        location = self._document.locate(found.number) if found is not None else None
        if location is None or location.ref != found or not self.is_array(location.ref):
            self.append(ref, holder, key, items)
            return
        start = location.start
        _, stop = value_at(location.buffer, start, location.owner)
        listed = location.buffer[start:stop].strip()
        if self._cipher is not None and location.owner is not None:
            listed = with_strings(
                listed,
                lambda octets: self.string(
                    ref.number, self._document.decrypted(octets, location.owner)
                ),
            )
        self.put(ref, holder, key, b"%b %b]" % (listed[:-1], items))

    def is_array(self, ref: Ref) -> bool:
        """True if the referenced object is an array."""
        return isinstance(self._document.resolve(ref), list)

    def _object(self, ref: Ref, holder: Dictionary | None) -> _Edited:
        """Return the editing state of an existing object; `holder` is a dictionary in it, or the object itself."""
        edited = self._edited.get(ref)
        if edited is None:
            location = self._document.locate(ref.number)
            if location is None or location.ref != ref:
                raise DocumentBroken("an object that must be changed is missing")
            if holder is not None and not location.buffer[location.start : holder.start].strip(
                b"< \r\n"
            ):
                stop = holder.end
            else:
                value, stop = value_at(location.buffer, location.start, location.owner)
                if isinstance(value, Ref):
                    raise DocumentBroken("an object that must be changed is only a reference")
            is_plain = location.owner is None
            edited = self._edited[ref] = _Edited(location.buffer, location.start, stop, is_plain)
        return edited

    def _rewritten(self, ref: Ref, edited: _Edited) -> bytes:
        pieces, offset = [], edited.start
        for splice in sorted(edited.splices, key=lambda one: one[:2]):
            if splice.start < offset:
                raise DocumentBroken("two changes concern the same bytes")
            pieces += [edited.buffer[offset : splice.start], splice.text]
            offset = splice.stop
        pieces.append(edited.buffer[offset : edited.stop])
        body = b"".join(pieces)
        if self._cipher is not None and edited.is_plain:
            # The object stream was encrypted as a whole; outside it each string is encrypted.
            return with_strings(body, lambda octets: self.string(ref.number, octets))
        return body

    # -- the whole -------------------------------------------------------------------------

    def written(self) -> bytes:
        """Return the bytes of the update without a seal."""
        pieces, rows, end = self._objects()
        pieces.append(self._section(rows, end))
        return b"".join(pieces)

    def sealed(self, number: int, head: bytes, tail: bytes, placeholder_bytes: int) -> Sealed:
        """Return the bytes of the update.  Its last object is a signature dictionary with the given object number.

        `head` has the entries before `/Contents`, and `tail` those behind the byte range, which this method adds.
        `placeholder_bytes` is the length of the value of `/Contents`, with its angle brackets.
        """
        pieces, rows, end = self._objects()
        rows.append((number, 0, end))
        opening = b"%d 0 obj\n<<%b/Contents " % (number, head)
        placeholder_start = end + len(opening)
        placeholder_end = placeholder_start + placeholder_bytes
        # The rest contains its own length; that is known in advance, since the numbers get a fixed number of bytes.
        closing_bytes = len(b"/ByteRange[0 ]") + RANGES_BYTES + len(tail) + len(b">>\nendobj\n")
        section = self._section(rows, placeholder_end + closing_bytes)
        rest = closing_bytes + len(section)
        ranges = b"%d %d %d" % (placeholder_start, placeholder_end, rest)
        after = b"/ByteRange[0 %b]%b>>\nendobj\n%b" % (ranges.ljust(RANGES_BYTES), tail, section)
        pieces.append(opening)
        return Sealed(b"".join(pieces), after)

    def _objects(self) -> tuple[list[bytes], list[_Row], int]:
        """Return the texts of all objects, the cross-reference row of each, and the offset of their end."""
        original = self._document.buffer
        gap = b"" if original.endswith((b"\n", b"\r")) else b"\n"
        changed = [(*ref, self._rewritten(ref, edited)) for ref, edited in self._edited.items()]
        bodies = changed + self._bodies
        texts = [b"%d %d obj\n%b\nendobj\n" % body for body in bodies]
        *starts, end = accumulate(map(len, texts), initial=len(original) + len(gap))
        rows = [(*one[:2], at) for one, at in zip(bodies, starts, strict=True)]
        return [gap, *texts], rows, end

    def _section(self, rows: list[_Row], start: int) -> bytes:
        rows.sort()
        pointer = b"startxref\n%d\n%%%%EOF\n" % start
        if not self._document.sections[0].is_stream:
            return self._table(rows) + pointer
        number = self._next
        rows.append((number, 0, start))
        table = b"".join([_PACKED.pack(1, at, generation) for _, generation, at in rows])
        index = b" ".join([b"%d %d" % (run[0][0], len(run)) for run in _runs(rows)])
        head = b"/Type/XRef/W[%d %d %d]/Index[%b]/Length %d" % (*_WIDTHS, index, len(table))
        trailer = self._trailer(number + 1)
        body = b"%d 0 obj\n<<%b%b>>stream\n%b\nendstream\nendobj\n" % (number, head, trailer, table)
        return body + pointer

    def _table(self, rows: list[_Row]) -> bytes:
        pieces = [b"xref\n"]
        for run in _runs(rows):
            pieces.append(b"%d %d\n" % (run[0][0], len(run)))
            pieces += [b"%010d %05d n \n" % (at, generation) for _, generation, at in run]
        pieces.append(b"trailer\n<<%b>>\n" % self._trailer(self._next))
        return b"".join(pieces)

    def _trailer(self, size: int) -> bytes:
        document = self._document
        root = document.root_ref
        text = b"/Size %d/Prev %d/Root %d %d R" % (size, document.startxref, *root)
        information = document.trailer.get(b"/Info")
        if isinstance(information, Ref):
            text += b"/Info %d %d R" % information
        encryption = document.trailer.raw(b"/Encrypt")
        if encryption is not None:
            text += b"/Encrypt " + encryption
        return text + self._identifier()

    def _identifier(self) -> bytes:
        """Return the /ID entry: the first identifier of the document, and a new second one for this state of the file."""
        known, new = self._document.identifier, self._state
        return b"/ID[<%b><%b>]" % (hexlify(known or new), hexlify(new))

    @property
    def _state(self) -> bytes:
        """Identifier of 16 bytes that differs between the updates of a document."""
        last = self._bodies[-1][2] if self._bodies else b""
        digest = hashlib.sha256(b"%d " % len(self._document.buffer) + last).digest()
        return digest[:_IDENTIFIER_BYTES]


def _runs(rows: list[_Row]) -> Iterator[list[_Row]]:
    """Split sorted rows into runs with consecutive object numbers."""
    start = 0
    for index in range(1, len(rows) + 1):
        if index == len(rows) or rows[index][0] != rows[index - 1][0] + 1:
            yield rows[start:index]
            start = index
