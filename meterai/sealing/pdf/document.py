"""Access to the objects of a PDF in untrusted bytes, by its cross-reference.

Objects are read on request.  A missing value is `None`, as in the standard.  If a part that must be read is damaged,
the functions refuse with `DocumentBroken`.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import compress
from operator import not_
from typing import NamedTuple, TypeGuard

from meterai.kit.refusal import Refusal
from meterai.sealing.model import DocumentBroken, DocumentTooLarge, NotAPdf
from meterai.sealing.pdf import decoding
from meterai.sealing.pdf.cross_reference import (
    FREE,
    IN_FILE,
    IN_STREAM,
    OBJECT,
    OBJECT_NUMBER_MAX,
    Row,
    Section,
    read_sections,
)
from meterai.sealing.pdf.decoding import LIMITS, ReadBudget, ReadLimits
from meterai.sealing.pdf.encryption import Cipher, cipher_of
from meterai.sealing.pdf.syntax import Dictionary, Ref, RefList, Value, ref_list_at, value_at

HEADER_WITHIN_BYTES = 1024  # readers search the header there (ISO 32000-1, annex H, note 13)
DICTIONARIES_KEPT_MAX = 2_000  # cached; sealing reads the same ten repeatedly
OBJECT_TABLE_BYTES_MAX = 2 * 1024 * 1024  # of an object stream, for 100 to 200 objects usually
_ROW_PARSED_BYTES = 4  # cost of checking the target of a row, as bytes of parsing
REFERENCES_MAX = 32  # length of a chain of references; the standard allows one

_UNFORESEEN = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError)
_HEADER = re.compile(rb"%PDF-\d\.\d")
_START = re.compile(rb"startxref[\0\t\n\f\r ]*+(\d{1,10})[\0\t\n\f\r ]++%%EOF[\0\t\n\f\r ]*+\Z")
_IDENTIFIER = re.compile(rb"\[ ?<((?:[0-9A-Fa-f]{2})++)>")  # the usual format of writers
_INTEGER = re.compile(rb"\d{1,10}")
_COMMENT = re.compile(rb"%[^\r\n]*+")


class Location(NamedTuple):
    """Position of an object's value.

    `start` is its position in `buffer`, which is the file, or the data of an object stream.  `offset` is the position of
    the header (such as `12 0 obj`) in the file; -1 for an object in an object stream.
    """

    buffer: bytes
    start: int
    ref: Ref
    offset: int

    @property
    def owner(self) -> Ref | None:
        """Object whose number is used to decrypt the strings in the value; `None` in an object stream."""
        return self.ref if self.offset >= 0 else None


class _ObjectStream(NamedTuple):
    """Data of an object stream; `words` is its table, two words for each object: its number, and its offset from `first`."""

    data: bytes
    first: int
    words: list[bytes]

    def start(self, number: int, index: int) -> int:
        """Return the start of the object with this index.  Refuses if the table has another object number at the index."""
        words = self.words
        if words[2 * index : 2 * index + 1] != [b"%d" % number]:
            raise DocumentBroken(f"object {number} is not at its position in the object stream")
        offset = words[2 * index + 1 : 2 * index + 2]
        if not offset or not _INTEGER.fullmatch(offset[0]):
            raise DocumentBroken("an object stream has a malformed table")
        return self.first + int(offset[0])


class Document:
    """An opened document.

    `size` is one more than the highest object number; `is_sized` is false if the file states a smaller size.
    """

    def __init__(self, buffer: bytes, password: bytes, limits: ReadLimits) -> None:
        self.buffer = buffer
        self._budget = ReadBudget(limits)
        self.startxref = self._start_of_sections()
        self.sections = read_sections(buffer, self.startxref, self._budget)
        self.trailer = self.sections[0].trailer
        size = self.trailer.get(b"/Size")
        stated = size if isinstance(size, int) else 0
        found = max(section.size for section in self._all_sections())
        self.is_sized = found <= stated
        self.size = max(stated, found)
        if self.size > OBJECT_NUMBER_MAX:
            raise DocumentBroken("the number of an object is too large")
        self._locations: dict[int, Location | None] = {}
        self._streams: dict[int, _ObjectStream] = {}
        self._dictionaries: dict[Ref, Dictionary] = {}
        self.cipher: Cipher | None = None
        encryption = self.dictionary(self.trailer.get(b"/Encrypt"))
        if encryption is None and b"/Encrypt" in self.trailer:
            raise DocumentBroken("the encryption dictionary is missing")
        if encryption is not None:
            self.cipher = cipher_of(b"<<%b>>" % encryption.inside, self.identifier, password)

    def _start_of_sections(self) -> int:
        tail = self.buffer.rfind(b"startxref")
        start = _START.match(self.buffer, tail) if tail >= 0 else None
        if start is None:
            # Viewers repair a file with bytes behind its end, and show the objects they find there.
            raise DocumentBroken("the file does not end with the offset of its cross-reference")
        return int(start[1])

    def _all_sections(self) -> Iterator[Section]:
        for section in self.sections:
            yield from section.parts

    @property
    def identifier(self) -> bytes:
        """First of the two identifiers of the document (/ID); empty if it has none."""
        written = _IDENTIFIER.match(self.trailer.raw(b"/ID") or b"")
        if written is not None:
            return bytes.fromhex(written[1].decode("ascii"))
        found = self.items(self.trailer, b"/ID")
        first = self.resolve(found[0]) if found else b""
        return first if isinstance(first, bytes) else b""

    # -- objects ---------------------------------------------------------------------------

    def row(self, number: int) -> tuple[int, Row | None]:
        """Return the index of the newest section with an entry for an object (0 is the newest), and that entry."""
        answer: tuple[int, Row | None] = len(self.sections), None
        for index, section in enumerate(self.sections):
            found = section.row(number)
            if found is not None:
                answer = index, found
                break
        self._budget.look_into(answer[0])
        return answer

    def locate(self, number: int) -> Location | None:
        """Return the position of an object; `None` if no object has this number."""
        if number not in self._locations:
            self._locations[number] = self._find(number)
        return self._locations[number]

    def _find(self, number: int) -> Location | None:
        _, row = self.row(number)
        if row is None or row.kind == FREE:
            return None
        if row.kind == IN_FILE:
            offset = row.where
            header = OBJECT.match(self.buffer, offset)
            if header is None or int(header[1]) != number or int(header[2]) != row.extra:
                if not row.where:
                    return None  # some writers mark a missing object so: in use, at offset 0
                raise DocumentBroken(f"object {number} is not at its offset")
            return Location(self.buffer, header.end(), Ref(number, row.extra), offset)
        if row.kind != IN_STREAM:
            return None  # unknown kinds are references to null (ISO 32000-2, table 18)
        stream = self._object_stream(row.where)
        return Location(stream.data, stream.start(number, row.extra), Ref(number, 0), -1)

    def _object_stream(self, number: int) -> "_ObjectStream":
        if number not in self._streams:
            _, row = self.row(number)
            # An object stream must not be in another object stream (this also prevents loops).
            location = self.locate(number) if row is not None and row.kind == IN_FILE else None
            if location is None:
                raise DocumentBroken("an object stream is missing")
            entries = Dictionary(location.buffer, location.start, location.ref)
            self._budget.parse(entries.end - location.start)
            data = self.stream(location, entries)
            first = entries.get(b"/First")
            limit = min(len(data), OBJECT_TABLE_BYTES_MAX)
            if not isinstance(first, int) or not 0 <= first <= limit:
                raise DocumentBroken("an object stream has no table")
            table = data[:first]
            words = (_COMMENT.sub(b" ", table) if b"%" in table else table).split()
            numbers = words[::2]
            if len(set(numbers)) < len(numbers):
                raise DocumentBroken("an object stream has a number twice")
            self._streams[number] = _ObjectStream(data, first, words)
        return self._streams[number]

    def note_parsed(self, count: int) -> None:
        """Count `count` more bytes as parsed, for a value that the caller parses repeatedly."""
        self._budget.parse(count)

    def note_signature(self) -> None:
        """Count a signature that the caller is about to read."""
        self._budget.read_signature()

    def widen(self, limits: ReadLimits) -> None:
        """Replace the limits of reading; work that was counted before still counts."""
        self._budget.widen(limits)

    def check_rows(self) -> None:
        """Refuse with `DocumentBroken` a document in which a cross-reference row does not lead to its object.

        Some readers repair the whole file when they find such a row, and then show other objects.
        """
        for part in self._all_sections():
            self._budget.parse(_ROW_PARSED_BYTES * part.rows)
            rows = part.in_file()
            # A fast comparison with the header of nearly all writers, since a book has twenty thousand objects.
            usual = map(b"%d %d obj".__mod__, zip(rows.numbers, rows.generations, strict=True))
            is_elsewhere = map(not_, map(self.buffer.startswith, usual, rows.offsets))
            for row in compress(zip(*rows, strict=True), is_elsewhere):
                self._check_row(*row)

    def _check_row(self, number: int, offset: int, generation: int) -> None:
        if not number or not offset:
            return
        header = OBJECT.match(self.buffer, offset)
        if header is None or int(header[1]) != number or int(header[2]) != generation:
            raise DocumentBroken(f"object {number} is not at the offset in its row")

    def texts(self) -> Iterator[bytes]:
        """Yield all bytes in which an object can be: the file, and the decoded data of each object stream."""
        yield self.buffer
        holders: set[int] = set()
        for part in self._all_sections():
            holders |= part.holders()
        for number in holders:
            yield self._object_stream(number).data

    def stream(self, location: Location, entries: Dictionary) -> bytes:
        """Return the decoded data of a stream."""
        length = self.resolve(entries.get(b"/Length"))
        if not isinstance(length, int):
            raise DocumentBroken("a stream has no length")
        encoded = decoding.stream_bytes(location.buffer, entries, length)
        if self.cipher is not None:
            encoded = self.cipher.decrypt_stream(location.ref, encoded)
        return decoding.decoded(encoded, entries, self._budget)

    # -- values ----------------------------------------------------------------------------

    def resolve(self, value: Value) -> Value:
        """Return the value itself, or the value it refers to if it is a reference."""
        for _ in range(REFERENCES_MAX):
            if not isinstance(value, Ref):
                return value
            known = self._dictionaries.get(value)
            if known is not None:
                return known
            location = self.locate(value.number)
            if location is None or location.ref != value:
                return None
            ref = value
            value, end = value_at(location.buffer, location.start, location.owner)
            self._budget.parse(end - location.start)
            if isinstance(value, Dictionary) and len(self._dictionaries) < DICTIONARIES_KEPT_MAX:
                self._dictionaries[ref] = value
        raise DocumentBroken("a reference leads to too many further references")

    def entry(self, holder: Dictionary | None, key: bytes) -> Value:
        """Return the value under a key, references resolved; `None` if it is missing."""
        return self.resolve(holder.get(key)) if holder is not None else None

    def dictionary(self, value: Value) -> Dictionary | None:
        """Return the dictionary that the value is or refers to; `None` for any other value."""
        found = self.resolve(value)
        return found if isinstance(found, Dictionary) else None

    def items(self, holder: Dictionary | None, key: bytes) -> list[Value]:
        """Return the items of the array under a key; an empty list if there is no array."""
        found = self.entry(holder, key)
        return found if isinstance(found, list) else []

    def octets(self, holder: Dictionary | None, key: bytes) -> bytes | None:
        """Return the string under a key, decrypted; `None` if there is no string."""
        if holder is None:
            return None
        value, owner = holder.get(key), holder.owner
        if isinstance(value, Ref):
            location = self.locate(value.number)
            owner = location.owner if location is not None else None
            value = self.resolve(value)
        return self.decrypted(value, owner) if isinstance(value, bytes) else None

    def decrypted(self, string: bytes, owner: Ref | None) -> bytes:
        """Decrypt a string of the object `owner`; returned unchanged if the document is not encrypted or `owner` is `None`."""
        if self.cipher is None or owner is None:
            return string
        return self.cipher.decrypt_string(owner, string)

    def text(self, holder: Dictionary | None, key: bytes) -> str:
        """Return the text string under a key; empty if there is none."""
        return decode_text(self.octets(holder, key) or b"")

    def number(self, holder: Dictionary | None, key: bytes) -> float | None:
        """Return the number under a key; `None` if there is no number."""
        found = self.entry(holder, key)
        return found if is_number(found) else None

    def references(self, holder: Dictionary, key: bytes) -> RefList | None:
        """Return the array under a key if it holds only references, else `None`."""
        span = holder.spans.get(key)
        if span is None:
            return None
        buffer, start = holder.buffer, span[0]
        if not buffer.startswith(b"[", start):
            found = holder.get(key)
            location = self.locate(found.number) if isinstance(found, Ref) else None
            if location is None or location.ref != found:
                return None
            buffer, start = location.buffer, location.start
        return ref_list_at(buffer, start)

    @cached_property
    def root_ref(self) -> Ref:
        """Reference to the catalog, from the trailer."""
        root = self.trailer.get(b"/Root")
        if not isinstance(root, Ref):
            raise DocumentBroken("the trailer names no catalog")
        return root

    @cached_property
    def root(self) -> Dictionary:
        """The catalog."""
        root = self.dictionary(self.root_ref)
        if root is None:
            raise DocumentBroken("no catalog")
        return root


def is_number(value: Value) -> TypeGuard[int | float]:
    """True for an integer or a real number, but not for a bool."""
    return type(value) in (int, float)


def decode_text(octets: bytes) -> str:
    """Decode a text string (ISO 32000-2, section 7.9.2.2); PDFDocEncoding is read as Latin-1, and bad bytes are replaced."""
    if octets.startswith(b"\xfe\xff"):
        return octets[2:].decode("utf-16-be", "replace")
    if octets.startswith(b"\xef\xbb\xbf"):
        return octets[3:].decode("utf-8", "replace")
    return octets.decode("latin-1")


class as_document_broken:  # noqa: N801 - it is read as a phrase: with as_document_broken()
    """Context manager that turns unforeseen exceptions caused by a hostile document into `DocumentBroken`."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, cause: BaseException | None, trace: object) -> None:
        # Examples are numbers too large to convert and recursion in a library; the document causes them all.
        if isinstance(cause, _UNFORESEEN) and not isinstance(cause, Refusal):
            name = type(cause).__name__
            raise DocumentBroken(f"{name} occurred while reading the document") from cause


def open_document(
    document: bytes, *, bytes_max: int, password: bytes = b"", limits: ReadLimits = LIMITS
) -> Document:
    """Open a document.  Refuses with `NotAPdf`, `DocumentTooLarge`, `DocumentEncrypted` or `DocumentBroken`.

    With `FIRST_LOOK`, the low limits for a web process, opening and all later reading may raise `TooMuchHere` instead.
    """
    if len(document) > bytes_max:
        raise DocumentTooLarge(size_bytes=len(document), limit_bytes=bytes_max)
    header = _HEADER.search(document, 0, HEADER_WITHIN_BYTES)
    if header is None:
        raise NotAPdf("no header within the first 1,024 bytes")
    with as_document_broken():
        if header.start():
            # Readers count offsets and byte ranges from the file or from the header; with bytes before it these differ.
            raise DocumentBroken("the file has bytes before the header")
        return Document(document, password, limits)
