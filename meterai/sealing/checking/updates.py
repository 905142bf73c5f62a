"""The updates behind a seal, taken apart so that every byte of them is accounted for.

An incremental update (ISO 32000-2, section 7.5.6) is here: objects, each at the offset that its row
states and each written so that all readers read the same (`pdf.strict`), also those that look for objects
wherever they may stand; a cross-reference table or stream with a row for each of them and for no other
number; a trailer; the pointer to that section; the end-of-file marker.  Between these is white space.  Whatever else stands behind a seal is a `Finding`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from meterai.sealing.checking import update_grammar as grammar
from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf import decoding, deflation, references
from meterai.sealing.pdf.cross_reference import (
    FREE,
    IN_FILE,
    IN_STREAM,
    Row,
    Section,
    read_section,
)
from meterai.sealing.pdf.decoding import LIMITS, Budget
from meterai.sealing.pdf.document import Document, Location
from meterai.sealing.pdf.headers import holds_nothing
from meterai.sealing.pdf.strict import Ambiguous, StrictValue, read
from meterai.sealing.pdf.syntax import Dictionary, Ref

UPDATES_MAX = 64  # behind one seal; a contract has ten signatures and as many pieces of evidence
WHITE_MAX = 64  # bytes behind the end of an update; programs write one or two
WIDTHS_MAX = (1, 8, 4)  # bytes of a row of a cross-reference stream; some readers take no wider
OBJECTS_MAX = 5_000  # in all updates behind a seal; 32 signatures write 300
# Behind the objects of a seal, and below what has some reader look for all objects by itself.
NUMBER_MAX = references.NUMBER_MAX + 2 * OBJECTS_MAX

_FREE_HEAD = 0  # the object that heads the list of free ones
_GENERATION_MAX = (
    65_535  # ISO 32000-2, section 7.5.4; beyond it some reader throws the section away
)
_LAST_OF_FREE = Row(FREE, 0, 65_535)
_STRUCTURE = {"/XRef", "/ObjStm"}
_DEFLATED = "/FlateDecode"
_OF_STREAM = {"/Type", "/Size", "/W", "/Index", "/Length", "/Filter", "/DecodeParms", "/DL"}
_ELSEWHERE = {"/F", "/FFilter", "/FDecodeParms", "/Extends"}  # data that are not in the stream
_OF_PREDICTION = {"/Predictor", "/Columns"}  # of rows of octets, which are not coloured
# By which readers know the structure that a stream is, if they do not ask for its type or follow that.
_OF_STRUCTURE_ALONE = {"/W", "/Index", "/First", "/Root", "/Prev", "/XRefStm"}


# What may be found behind a seal; people are told by `change.<kind>` in messages.toml.
KINDS = (
    "bytes",
    "unreadable",
    "object_unreadable",
    "key_twice",
    "object_freed",
    "object_replaced",
    "object_shared",
    "object_borrowed",
    "object_stray",
    "object_waited_for",
    "object_changed",
    "trailer",
    "list_rearranged",
    "annotations_rearranged",
    "annotation_added",
    "page_changed",
    "field_added",
    "key_unexpected",
    "picture_unreadable",
    "signature_invalid",
    "certified_anew",
    "evidence_malformed",
    "evidence_removed",
    "metadata_changed",
    "not_signed",
)


class Found(Exception):
    """Something behind a seal that no signature explains; `kind` is one of `KINDS`."""

    def __init__(self, kind: str, number: int = 0, *, page: int = 0, key: str = "") -> None:
        assert kind in KINDS, kind
        super().__init__(f"{kind} {number} {key}")
        self.kind = kind
        self.number = number
        self.page = page
        self.key = key


@dataclass(frozen=True, slots=True)
class Written:
    """An object as an update, or the sealed file, wrote it.

    `stream` are the bytes of a stream before its filters, decrypted; `None` if it is none.
    `owner` is whose number encrypts the strings, `None` inside an object stream.  `start` and
    `stop` are where it stands in the file, both 0 inside an object stream.
    """

    ref: Ref
    value: StrictValue
    stream: bytes | None
    owner: Ref | None
    start: int = 0
    stop: int = 0


@dataclass(frozen=True, slots=True)
class Update:
    """One update: where it begins and ends, what it says of the file, and its objects by number.

    `structure` are the numbers of the streams that hold its cross-reference or objects, to which
    nothing refers; they are not among the objects.  `is_stream`: its cross-reference is one.
    """

    start: int
    end: int
    trailer: dict[str, StrictValue]
    objects: dict[int, Written]
    structure: frozenset[int]
    is_stream: bool


def updates_behind(document: Document, end: int, newer: int) -> list[Update]:
    """The updates behind byte `end`, oldest first, whose sections are the `newer` newest.

    Raises `Found` for what is no part of one, `DocumentBroken` beyond the limits.
    """
    if not 1 <= newer <= UPDATES_MAX:
        raise DocumentBroken("more updates than a document may have behind its seal")
    found: list[Update] = []
    for section in reversed(document.sections[:newer]):
        found.append(_Reader(document, section, end).update())
        end = found[-1].end
        if sum(len(one.objects) for one in found) > OBJECTS_MAX:
            raise DocumentBroken("more objects than signatures write")
    if end != len(document.buffer):
        raise Found("bytes")
    return found


class _Reader:
    """Takes one update apart."""

    def __init__(self, document: Document, section: Section, start: int) -> None:
        self._document = document
        self._buffer = document.buffer
        self._section = section
        self._start = start
        self._rows: dict[int, Row] = {}
        self._own: set[int] = set()  # the numbers of its cross-reference streams

    def update(self) -> Update:
        self._read_rows()
        objects, own, stop = self._objects()
        trailer, stop = (own, stop) if own is not None else self._trailer(stop)
        for number, written in objects.items():
            if written.stream is not None and isinstance(written.value, dict):
                self._check_beside_trailer(written.value, trailer, number)
        pointer = grammar.POINTER.match(self._buffer, stop)
        if pointer is None or int(pointer[2]) + self._document.shift != self._section.start:
            raise Found("bytes")
        self._check_plain(stop, pointer.start("word"))
        white = grammar.WHITE.match(self._buffer, pointer.end())
        # Readers look for the end of a file only so far from it.
        if white is None or white.end() - white.start() > WHITE_MAX:
            raise Found("bytes")
        kept = self._with_streamed(objects)
        structure = frozenset(self._own | (objects.keys() - kept.keys()))
        is_stream = self._section.is_stream
        return Update(self._start, white.end(), trailer, kept, structure, is_stream)

    def _read_rows(self) -> None:
        section = self._section
        if section.rows > OBJECTS_MAX:
            raise DocumentBroken("more objects than signatures write")
        header = grammar.HEADER.match(self._buffer, section.start)
        own = int(header[1]) if header is not None else _FREE_HEAD
        for number, row in section.entries():
            if number == _FREE_HEAD and row.kind == FREE:
                self._check_head_of_free(row)
                continue
            # One program says so of the stream it writes the rows into, to which nothing refers.
            if number == own and row == _LAST_OF_FREE and section.beside is None:
                continue
            # A free row says nothing of a number that is no object; some readers count rows from it.
            if row.kind not in (IN_FILE, IN_STREAM):
                raise Found("object_freed" if row.kind == FREE else "bytes", number)
            if number > NUMBER_MAX:
                raise Found("object_unreadable", number)
            self._rows[number] = row
        if section.beside is not None:
            self._check_beside(section.beside)

    def _check_beside(self, beside: Section) -> None:
        """A hybrid update has its rows twice, for old readers and for new ones: the same rows."""
        if beside.rows > OBJECTS_MAX:
            raise DocumentBroken("more objects than signatures write")
        header = grammar.HEADER.match(self._buffer, beside.start)
        own = int(header[1]) if header is not None else 0
        self._rows[own] = Row(IN_FILE, beside.start - self._document.shift, 0)
        self._own.add(own)
        self._check_same_rows(beside)

    def _check_same_rows(self, beside: Section) -> None:
        for number, row in beside.entries():
            if number == _FREE_HEAD and row.kind == FREE:
                self._check_head_of_free(row)
            elif self._rows.get(number) != row:
                raise Found("bytes", number)

    def _check_head_of_free(self, row: Row) -> None:
        if row.where > len(self._buffer) or row.extra > _GENERATION_MAX:
            raise Found("bytes")

    def _check_beside_trailer(
        self, entries: dict[str, StrictValue], trailer: dict[str, StrictValue], number: int
    ) -> None:
        """A cross-reference stream beside the table leads nowhere else: some readers follow it too."""
        if entries.get("/Type") != "/XRef":
            return
        self._check_stream(entries, number)
        for key in entries.keys() - _OF_STREAM:
            if key not in trailer or entries[key] != trailer[key]:
                raise Found("trailer", number, key=key)

    def _check_stream(self, entries: dict[str, StrictValue], number: int) -> None:
        """A cross-reference stream as all readers read it."""
        widths, index = entries.get("/W"), entries.get("/Index", [])
        _check_plainly_encoded(entries, number)
        if not isinstance(widths, list) or len(widths) != 3:
            raise Found("object_unreadable", number, key="/W")
        if any(
            type(one) is not int or not 0 <= one <= most
            for one, most in zip(widths, WIDTHS_MAX, strict=True)
        ):
            raise Found("object_unreadable", number, key="/W")
        if not isinstance(index, list) or len(index) % 2:
            raise Found("object_unreadable", number, key="/Index")
        numbers = [one for one in index if isinstance(one, int) and not isinstance(one, bool)]
        if len(numbers) != len(index):
            raise Found("object_unreadable", number, key="/Index")
        self._check_runs(list(zip(numbers[::2], numbers[1::2], strict=True)), number)

    def _check_inflated_alike(
        self, entries: dict[str, StrictValue], written: Written, encoded: bytes
    ) -> None:
        """The structure of a file is the same however it is inflated."""
        if "/Filter" in entries and not deflation.is_read_alike(encoded):
            raise Found("object_unreadable", written.ref.number, key="/Filter")

    def _check_runs(self, runs: list[tuple[int, int]], number: int) -> None:
        """Subsections that hold something, in order, below what a file may have."""
        end = 0
        for first, count in runs:
            if count < 1 or first < end or first + count > NUMBER_MAX:
                raise Found("object_unreadable", number, key="/Index")
            end = first + count

    def _objects(self) -> tuple[dict[int, Written], dict[str, StrictValue] | None, int]:
        """Every object in the order in which they stand; of a cross-reference stream its entries;
        and where the last ends."""
        shift, offset = self._document.shift, self._start
        own: dict[str, StrictValue] | None = None
        by_offset = {
            row.where + shift: number for number, row in self._rows.items() if row.kind == IN_FILE
        }
        if self._section.is_stream:
            by_offset.setdefault(self._section.start, 0)
        if len(by_offset) < sum(row.kind == IN_FILE for row in self._rows.values()):
            raise Found("bytes")
        objects: dict[int, Written] = {}
        for start in sorted(by_offset):
            if start != self._begin_behind(offset) or own is not None:
                raise Found("bytes")
            written = self._object(start)
            offset = written.stop
            if start == self._section.start and self._section.is_stream:
                assert isinstance(written.value, dict)
                own = written.value
                self._check_stream(own, written.ref.number)
                self._check_inflated_alike(own, written, written.stream or b"")
                self._own.add(written.ref.number)
                if by_offset[start] not in (0, written.ref.number):
                    raise Found("bytes")
            elif written.ref.number != by_offset[start] or written.ref.number in objects:
                raise Found("bytes")
            elif written.ref.generation != self._rows[written.ref.number].extra:
                raise Found("bytes", written.ref.number)
            else:
                objects[written.ref.number] = written
        return objects, own, offset

    def _after_white(self, offset: int) -> int:
        white = grammar.WHITE.match(self._buffer, offset)
        assert white is not None
        return white.end()

    def _begin_behind(self, offset: int) -> int:
        """Where the next object, or the table, begins: with a line."""
        between = grammar.BETWEEN.match(self._buffer, offset)
        if between is None:
            raise Found("bytes")
        return between.end()

    def _object(self, start: int) -> Written:
        header = grammar.HEADER.match(self._buffer, start)
        if header is None:
            raise Found("bytes")
        ref = Ref(int(header[1]), int(header[2]))
        value, offset = strictly(self._buffer, header.end(), ref.number)
        self._check_plain(header.end(), offset, ref.number)
        stream, opening = None, grammar.STREAM.match(self._buffer, offset)
        if opening is not None:
            stream, offset = self._stream(value, ref, opening.end())
        _check_type(value, ref.number, is_stream=stream is not None)
        end = grammar.OBJECT_END.match(self._buffer, offset)
        if end is None:
            raise Found("object_unreadable", ref.number)
        return Written(ref, value, stream, ref, start, end.end())

    def _check_plain(self, start: int, stop: int, number: int = 0) -> None:
        """Nothing in these bytes is an object, or a way into the file, for readers that do not go by the
        cross-reference: some look into strings and into the data of streams too."""
        if not holds_nothing(self._buffer[start:stop]):
            raise Found("object_unreadable" if number else "bytes", number)

    def _stream(self, value: StrictValue, ref: Ref, start: int) -> tuple[bytes, int]:
        length = value.get("/Length") if isinstance(value, dict) else None
        # A length elsewhere is one more way in which readers may differ.
        if not isinstance(length, int) or isinstance(length, bool) or length < 0:
            raise Found("object_unreadable", ref.number, key="/Length")
        stop = start + length
        end = grammar.STREAM_END.match(self._buffer, stop)
        if end is None or stop > len(self._buffer):
            raise Found("object_unreadable", ref.number, key="/Length")
        self._check_plain(start, stop, ref.number)
        return self._buffer[start:stop], end.end()

    def _trailer(self, offset: int) -> tuple[dict[str, StrictValue], int]:
        """The trailer of a table that stands right behind the objects, and where it ends."""
        start = self._begin_behind(offset)
        table = grammar.TABLE.match(self._buffer, start)
        # One program points at the line end before its table; every reader skips white space there.
        if table is None or start != self._after_white(self._section.start):
            raise Found("bytes")
        runs = [(int(first), int(count)) for first, count in grammar.RUN.findall(table[0])]
        self._check_runs([] if runs == [(0, 0)] else runs, 0)
        value, end = strictly(self._buffer, table.end(), 0)
        if not isinstance(value, dict):
            raise Found("trailer")
        self._check_plain(table.end(), end)
        return value, end

    def _with_streamed(self, objects: dict[int, Written]) -> dict[int, Written]:
        """The objects of the file without its structure, and those in object streams."""
        containers = {row.where for row in self._rows.values() if row.kind == IN_STREAM}
        kept = dict(objects)
        for number, written in objects.items():
            kind = written.value.get("/Type") if isinstance(written.value, dict) else None
            if written.stream is not None and kind in _STRUCTURE:
                if kind == "/ObjStm" and number not in containers:
                    raise Found("object_stray", number)
                if kind == "/XRef" and number not in self._own:
                    self._check_left_beside(written)
                kept.pop(number)
        for container in containers:
            holder = objects.get(container)
            if holder is None or holder.stream is None:
                raise Found("object_unreadable", container)
            for one in self._in_stream(container, holder):
                kept[one.ref.number] = one
        return kept

    def _check_left_beside(self, written: Written) -> None:
        """One program leaves a cross-reference stream beside the table that counts, and says the same in it."""
        entries = written.value
        assert isinstance(entries, dict)
        self._check_inflated_alike(entries, written, written.stream or b"")
        section = read_section(self._buffer, written.start, Budget(LIMITS))
        if section.rows > OBJECTS_MAX:
            raise DocumentBroken("more objects than signatures write")
        self._check_same_rows(section)

    def _in_stream(self, container: int, holder: Written) -> Iterator[Written]:
        """The objects in an object stream (section 7.5.7), each where its table says."""
        entries = holder.value
        assert isinstance(entries, dict)
        count, first = entries.get("/N"), entries.get("/First")
        _check_plainly_encoded(entries, container)
        if not isinstance(count, int) or not isinstance(first, int):
            raise Found("object_unreadable", container)
        if not 0 <= count <= OBJECTS_MAX:
            raise DocumentBroken("more objects than signatures write")
        header = grammar.HEADER.match(self._buffer, holder.start)
        assert header is not None
        assert holder.stream is not None
        cipher = self._document.cipher
        encoded = cipher.decrypt_stream(holder.ref, holder.stream) if cipher else holder.stream
        self._check_inflated_alike(entries, holder, encoded)
        location = Location(self._buffer, header.end(), holder.ref, holder.start)
        data = self._document.stream(location, Dictionary(self._buffer, header.end(), holder.ref))
        numbers, starts = _table(b" " + data[:first] + b" ", count, container)
        rows = {
            number: row.extra
            for number, row in self._rows.items()
            if row.kind == IN_STREAM and row.where == container
        }
        if rows != {number: index for index, number in enumerate(numbers)}:
            raise Found("object_unreadable", container)
        stops = [*(first + one for one in starts[1:]), len(data)]
        for number, start, stop in zip(numbers, starts, stops, strict=True):
            value, end = strictly(data, first + start, number)
            if end > stop or data[end:stop].strip():
                raise Found("object_unreadable", number)
            _check_type(value, number, is_stream=False)
            yield Written(Ref(number, 0), value, None, None)


def _check_type(value: StrictValue, number: int, *, is_stream: bool) -> None:
    """An object says itself what it is: some readers follow a reference to its type, others do not."""
    if not isinstance(value, dict):
        return
    kind = value.get("/Type")
    if kind is not None and type(kind) is not str:
        raise Found("object_unreadable", number, key="/Type")
    if is_stream and kind not in _STRUCTURE and value.keys() & _OF_STRUCTURE_ALONE:
        raise Found("object_unreadable", number)


def _check_plainly_encoded(entries: dict[str, StrictValue], number: int) -> None:
    """The structure of a file is deflated, or not encoded: some readers do not take it otherwise."""
    if entries.keys() & _ELSEWHERE or entries.get("/Filter", _DEFLATED) != _DEFLATED:
        raise Found("object_unreadable", number, key="/Filter")
    parameters = entries.get("/DecodeParms", {})
    if not isinstance(parameters, dict) or parameters.keys() - _OF_PREDICTION:
        raise Found("object_unreadable", number, key="/DecodeParms")
    if any(type(one) is not int for one in parameters.values()):
        raise Found("object_unreadable", number, key="/DecodeParms")
    if parameters.get("/Predictor", 1) not in (1, *decoding.PNG_PREDICTORS):
        raise Found("object_unreadable", number, key="/Predictor")


def _table(text: bytes, count: int, container: int) -> tuple[list[int], list[int]]:
    numbers, starts, offset = [], [], 0
    for _ in range(count):
        entry = grammar.TABLE_ENTRY.match(text, offset)
        if entry is None:
            raise Found("object_unreadable", container)
        numbers.append(int(entry[1]))
        starts.append(int(entry[2]))
        offset = entry.end()
    if text[offset:].strip() or starts != sorted(starts):
        raise Found("object_unreadable", container)
    return numbers, starts


def strictly(
    buffer: bytes, start: int, number: int, *, before: bool = False
) -> tuple[StrictValue, int]:
    """The value at `start` of the object of this number, and its end; raises `Found`.

    `before` the seal comments may stand in it, and escapes in its keys.
    """
    try:
        return read(buffer, start, comments=before)
    except Ambiguous as cause:
        kind = "key_twice" if cause.key else "object_unreadable"
        raise Found(kind, number, key=cause.key) from cause


def sealed_object(document: Document, number: int) -> Written | None:
    """An object as the sealed document has it; `None` if there is none.  Raises `Found`."""
    location = document.locate(number)
    if location is None:
        return None
    value, end = strictly(location.buffer, location.start, number, before=True)
    stream = None
    if location.owner is not None and decoding.STREAM.match(location.buffer, end):
        entries = Dictionary(location.buffer, location.start, location.ref)
        length = document.resolve(entries.get(b"/Length"))
        if not isinstance(length, int):
            raise Found("object_unreadable", number, key="/Length")
        stream = decoding.stream_bytes(location.buffer, entries, length)
    return Written(location.ref, value, stream, location.owner)
