"""One incremental update: objects appended to a document, in the style of its last section.

The original stays unchanged, byte for byte (ISO 32000-2, section 7.5.6).  An existing object is
changed by inserting into its bytes, so unknown parts of it stay unchanged.  The
cross-reference is a table if the document's last one is a table, else a stream.  Each row of a
table has 20 bytes: viewers that must repair the cross-reference in memory call a seal invalid.
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

RANGES_BYTES = 37  # of the three numbers of a byte range that are not 0, spaces included
_WIDTHS = (1, 5, 2)  # bytes of the columns of a cross-reference stream
_PACKED = struct.Struct(
    ">BxIH"
)  # one row; no document here is so long that the second column has five bytes
_IDENTIFIER_BYTES = 16


_Row: TypeAlias = tuple[int, int, int]  # number and generation of an object, and its start


class Splice(NamedTuple):
    """Bytes that replace others of an object, or are inserted between them if both ends are equal."""

    start: int
    stop: int
    text: bytes


@dataclass(slots=True)
class _Edited:
    """An existing object that will be written again."""

    buffer: bytes
    start: int
    stop: int
    is_plain: bool  # came from an object stream, so its strings are not encrypted
    splices: list[Splice] = field(default_factory=list)


class Sealed(NamedTuple):
    """An update with room for a seal: the bytes before the SignedData and after it."""

    before: bytes
    after: bytes


class PdfUpdate:
    """Update that will be appended to one document.

    New objects are numbered from `first` on, which is never below the document's own numbers.
    """

    def __init__(self, document: Document, first: int = 0) -> None:
        self._document = document
        self._cipher = document.cipher
        self._next = max(first, document.size)
        self._edited: dict[Ref, _Edited] = {}
        self._bodies: list[tuple[int, int, bytes]] = []

    @property
    def start(self) -> int:
        """Return the start of the update: the length of the document it is appended to."""
        return len(self._document.buffer)

    # -- new objects -----------------------------------------------------------------------

    def reserve(self, count: int = 1) -> int:
        """Reserve so many numbers for new objects, and return the first."""
        first = self._next
        self._next += count
        return first

    def add(self, number: int, body: bytes | Stream) -> None:
        """Add a new object: a value as written, or a stream."""
        if isinstance(body, Stream):
            data = body.data
            if self._cipher is not None:
                data = self._cipher.encrypt_stream(Ref(number, 0), data)
            body = b"<<%b/Length %d>>stream\n%b\nendstream" % (body.entries, len(data), data)
        self._bodies.append((number, 0, body))

    def string(self, number: int, octets: bytes) -> bytes:
        """Return a string in the form of a new object's."""
        if self._cipher is not None:
            octets = self._cipher.encrypt_string(Ref(number, 0), octets)
        return string(octets)

    # -- changes of existing objects ---------------------------------------------------------

    def splice(self, ref: Ref, holder: Dictionary, splice: Splice) -> None:
        """Change the bytes of an object, within a dictionary of it."""
        if holder.is_ambiguous:
            raise DocumentBroken("a dictionary that must be changed has a key twice")
        self._object(ref, holder).splices.append(splice)

    def insert(self, ref: Ref, holder: Dictionary, entries: bytes) -> None:
        """Add entries to a dictionary of an object."""
        self.splice(ref, holder, Splice(holder.stop, holder.stop, entries))

    def put(self, ref: Ref, holder: Dictionary, key: bytes, value: bytes) -> None:
        """Set the value of a key in a dictionary of an object."""
        span = holder.spans.get(key)
        if span is None:
            self.insert(ref, holder, key + b" " + value)
        else:
            self.splice(ref, holder, Splice(*span, b" " + value))

    def append(self, ref: Ref, holder: Dictionary, key: bytes, items: bytes) -> None:
        """Add items to the array under a key, direct or referenced; create it if there is none."""
        span = holder.spans.get(key)
        if span is not None and holder.buffer.startswith(b"[", span[0]):
            # The array need not be read to be added to.
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
        """Add items to an array that belongs to this object alone: a referenced array is copied into
        it, because other objects may refer to it.
        """
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
        """True if the reference leads to an array."""
        return isinstance(self._document.resolve(ref), list)

    def _object(self, ref: Ref, holder: Dictionary | None) -> _Edited:
        """Return the object that will be written again; `holder` is a dictionary in it, or the whole of it."""
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
                raise DocumentBroken("two changes of the same bytes")
            pieces += [edited.buffer[offset : splice.start], splice.text]
            offset = splice.stop
        pieces.append(edited.buffer[offset : edited.stop])
        body = b"".join(pieces)
        if self._cipher is not None and edited.is_plain:
            # It leaves the stream that was encrypted as a whole.
            return with_strings(body, lambda octets: self.string(ref.number, octets))
        return body

    # -- the whole -------------------------------------------------------------------------

    def written(self) -> bytes:
        """Return the update, without a seal."""
        pieces, rows, end = self._objects()
        pieces.append(self._section(rows, end))
        return b"".join(pieces)

    def sealed(self, number: int, head: bytes, tail: bytes, placeholder_bytes: int) -> Sealed:
        """Return the update with a signature dictionary of that number as its last object.

        `head` are its entries up to `/Contents`, `tail` the entries behind; `placeholder_bytes` is
        the length of the string between, with its angle brackets.
        """
        pieces, rows, end = self._objects()
        rows.append((number, 0, end))
        opening = b"%d 0 obj\n<<%b/Contents " % (number, head)
        placeholder_start = end + len(opening)
        placeholder_end = placeholder_start + placeholder_bytes
        # The length of the rest is known before it is written: the numbers have fixed room.
        closing_bytes = len(b"/ByteRange[0 ]") + RANGES_BYTES + len(tail) + len(b">>\nendobj\n")
        section = self._section(rows, placeholder_end + closing_bytes)
        rest = closing_bytes + len(section)
        ranges = b"%d %d %d" % (placeholder_start, placeholder_end, rest)
        after = b"/ByteRange[0 %b]%b>>\nendobj\n%b" % (ranges.ljust(RANGES_BYTES), tail, section)
        pieces.append(opening)
        return Sealed(b"".join(pieces), after)

    def _objects(self) -> tuple[list[bytes], list[_Row], int]:
        """Return the objects as written, the row of each, and their end."""
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
        """Return the identifiers: the document's first, and a second for this state of the file."""
        known, new = self._document.identifier, self._state
        return b"/ID[<%b><%b>]" % (hexlify(known or new), hexlify(new))

    @property
    def _state(self) -> bytes:
        """Return sixteen bytes that differ from update to update of one document."""
        last = self._bodies[-1][2] if self._bodies else b""
        digest = hashlib.sha256(b"%d " % len(self._document.buffer) + last).digest()
        return digest[:_IDENTIFIER_BYTES]


def _runs(rows: list[_Row]) -> Iterator[list[_Row]]:
    """Yield runs of rows with consecutive numbers."""
    start = 0
    for index in range(1, len(rows) + 1):
        if index == len(rows) or rows[index][0] != rows[index - 1][0] + 1:
            yield rows[start:index]
            start = index
