"""Check of many files in one request, one after another.

A program may also send a file of JSON lines (`.jsonl`, `.ndjson`); each line has a serial or code to look up.

Each file is checked in a separate slot (`plumbing/turns`).  Between two files the request holds no slot, so that payments and
checks of single documents can run.  Memory holds only the file that is being checked.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from time import monotonic
from typing import IO, Annotated, TypeVar

import msgspec

from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.kit.serial import Serial
from meterai.kit.text import isolated, one_line
from meterai.plumbing.archives import (
    PIECE_BYTES,
    Unpacking,
    Unread,
    entries,
    is_archive,
    is_document,
    pieces,
    pieces_of,
)
from meterai.plumbing.http.bodies import HELD_BYTES_MAX, ByteBudget
from meterai.plumbing.http.forms import FormFile
from meterai.plumbing.http.requests import read_json
from meterai.plumbing.permits import PURPOSE
from meterai.plumbing.threads import to_the_end
from meterai.sealing import CHECKED_BYTES_MAX, NotJudged, QrClaim
from meterai.verification.model import serial_in
from meterai.verification.service import JudgedDocument, Register, VerificationService
from meterai.verification.service.kinds import kind_of
from meterai.verification.service.views import ClaimView, StampView, VerificationView

FILES_MAX = 500  # in one request, whose answer is one table
# Size of one request: enough for three hundred scanned letters of 400 KB.  With the unpacked content it takes half of the
# disk space that one network may use in a process (`plumbing/http/bodies`).
MANY_BYTES_MAX = 128 * 1024 * 1024
FORM_FIELDS_BYTES = 64 * 1024  # of form fields and boundaries, in addition to files
LINES_MAX = 2_000  # of JSON in one request; they take a second of look-ups
LINE_BYTES_MAX = 2_048  # of one line; a code has 200 characters, and its JSON as many
LINES_AT_ONCE = 50  # lines that are looked up together, in one slot
LOOKED_UP_AT_ONCE = 8  # documents looked up together; delays a row by as many checks
SHOWN_LENGTH_MAX = 100  # characters of a line that are repeated in the answer
SECONDS_MAX = 600.0  # longest duration of one request; 500 files take a tenth
# Inflated bytes of all archives in one request.
INFLATED_BYTES_MAX = 1024 * 1024 * 1024
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)  # seconds before each try of a file while others have priority
_UNAVAILABLE = 503
Found = TypeVar("Found")
LINES_NAMES = (".jsonl", ".ndjson")
First = Callable[[int], Iterator[bytes]]  # yields the first bytes of a file, that many, in pieces


class RowKind(StrEnum):
    """Kind of the item that a row of results is about."""

    DOCUMENT = "document"
    SERIAL = "serial"
    CLAIM = "claim"


class CheckLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of JSON: either a serial or the text of a QR code, with an optional id that the sender chose."""

    serial: Annotated[str, msgspec.Meta(max_length=SHOWN_LENGTH_MAX)] | None = None
    claim: str | None = None
    id: Annotated[str, msgspec.Meta(max_length=SHOWN_LENGTH_MAX)] | None = None


class NotChecked(StrEnum):
    """Reason why a file of a batch has no verdict.

    The values up to `too_many` are those of `UnreadReason`, for archives and files in archives.
    """

    DAMAGED = "damaged"  # the archive, or this file in it, cannot be read
    ENCRYPTED = "encrypted"
    PACKED_OTHERWISE = "packed_otherwise"  # packed by an unsupported method
    EMPTY = "empty"  # an archive without files
    OVERLAPPING = "overlapping"  # shares bytes in the archive with another file
    NESTED = "nested"  # an archive in an archive
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"  # files in one request
    BUSY = "busy"  # other requests had priority at each try
    NOT_JUDGED = "not_judged"  # did not end within its time on a busy machine
    LATE = "late"  # the time of the request was over
    FAULT = "fault"  # a fault of ours; this file and later ones were not checked
    PHOTO = "photo"  # no PDF: a picture of a document
    OFFICE = "office"  # no PDF: a document of Word, LibreOffice or similar


class _Unfit(Exception):
    """Raised if a file of a batch cannot be checked; the file's row then states `reason`."""

    def __init__(self, reason: NotChecked) -> None:
        super().__init__(f"a file of a batch: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CheckRow:
    """Result for one file or line of a batch, or the reason why it was not checked.

    path     name of the file, with its path in an archive, or the serial or code of a line
    found    result of the check of a document
    told     answer of the register about the serial or code of a line
    reason   reason why the file or line was not checked
    refused  refusal of a line
    first    reads the first bytes of the file again; usable until the next row is requested
    id       the id that the sender gave to a line
    """

    path: str
    found: VerificationView | None = None
    reason: NotChecked | None = None
    first: First | None = None
    kind: RowKind = RowKind.DOCUMENT
    told: StampView | ClaimView | None = None
    refused: Refusal | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class _BatchFile:
    """A file to check: its size in bytes, functions that read it, and whether it is in memory."""

    path: str
    size: int
    read: Callable[[], bytes]
    first: First
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class _JudgedFile:
    """A file whose seal was judged, and whose serials were not looked up in the register yet."""

    path: str
    judged: JudgedDocument


@dataclass(frozen=True, slots=True)
class _SerialQuery:
    """The serial or QR code in a line of JSON, to look up in the register.

    For a line that was refused, it has neither, and its `row` contains the refusal.
    """

    row: CheckRow
    serial: Serial | None = None
    claim: QrClaim | None = None

    def row_from(self, register: Register, language: str) -> CheckRow:
        """Return the result for this line of the request, with the answer of the register."""
        if self.claim is not None:
            return replace(self.row, told=register.claim(self.claim, language))
        if self.serial is None:
            return self.row
        if (told := register.stamp(self.serial, language)) is None:
            return replace(self.row, refused=NotFound("no such serial"))
        return replace(self.row, told=told)


class CheckBatch:
    """Check of the files of one request.

    `memory` is the budget of bytes for documents in this process.  With `takes_lines`, files of JSON lines are read as queries.
    `at_once` documents are looked up together, and their rows are yielded together; if that is more than one, rows have no
    `first`.
    """

    def __init__(
        self,
        verification: VerificationService,
        memory: ByteBudget,
        language: str,
        client: str,
        *,
        takes_lines: bool = False,
        at_once: int = 1,
    ) -> None:
        self._verification = verification
        self._memory = memory
        self._language = language
        self._client = client
        self._until = monotonic() + SECONDS_MAX
        self._takes_lines = takes_lines
        self._at_once = at_once
        self._left = FILES_MAX
        self._lines_left = LINES_MAX
        self._unpacking = Unpacking(file_bytes_max=CHECKED_BYTES_MAX, bytes_max=INFLATED_BYTES_MAX)

    async def rows(self, files: AsyncIterator[FormFile]) -> AsyncIterator[CheckRow]:
        """Yield a row for each file, also for those in archives; the last row states if there were too many files."""
        waiting: list[CheckRow | _JudgedFile] = []
        broken: Exception | None = None
        try:
            async for one in self._each(files):
                waiting.append(one)
                if len(waiting) >= self._at_once:
                    for row in await self._registered(waiting):
                        yield row
                    waiting = []
        except Exception as fault:  # raised below, after the rows of judged files
            broken = fault
        for row in await self._registered(waiting):
            yield row
        if broken is not None:
            raise broken

    async def _registered(self, waiting: Sequence["CheckRow | _JudgedFile"]) -> list[CheckRow]:
        """Look up the serials of all these files in the register together, and return a row for each file."""
        judged = [one.judged for one in waiting if isinstance(one, _JudgedFile)]
        views: Iterator[VerificationView] | None = iter(())
        if judged:
            ask = partial(self._verification.registered, judged, self._language, isolated)
            try:
                views = iter(await self._in_turn(ask))
            except _Unfit as unfit:
                views, reason = None, unfit.reason
        return [
            one
            if isinstance(one, CheckRow)
            else CheckRow(one.path, reason=reason)
            if views is None
            else CheckRow(one.path, next(views))
            for one in waiting
        ]

    async def _each(
        self, files: AsyncIterator[FormFile]
    ) -> AsyncIterator["CheckRow | _JudgedFile"]:
        async for file in files:
            if self._takes_lines and file.name.lower().endswith(LINES_NAMES):
                async for row in self._of_lines(file):
                    yield row
            elif not self._left:
                yield CheckRow(file.shown, reason=NotChecked.TOO_MANY)
                return
            elif is_archive(await _read(file, partial(_beginning, file.content))):
                async for one in self._of_archive(file):
                    yield one
            else:
                self._left -= 1
                yield await self._row(_given(file))

    async def _of_archive(self, file: FormFile) -> AsyncIterator["CheckRow | _JudgedFile"]:
        try:
            found = await to_the_end(partial(entries, file.content))
        except Unread as unread:
            yield CheckRow(file.shown, reason=NotChecked(unread.reason))
            return
        if is_document(found):
            self._left -= 1
            yield await self._row(_given(file))
            return
        has_more = len(found) > self._left
        found = found[: self._left]
        self._left -= len(found)
        for entry in found:
            read = partial(self._unpacking.read, file.content, entry)
            first = partial(pieces, file.content, entry)
            yield await self._row(_BatchFile(entry.path, entry.size, read, first))
        if has_more:
            yield CheckRow(file.shown, reason=NotChecked.TOO_MANY)

    async def _of_lines(self, file: FormFile) -> AsyncIterator[CheckRow]:
        """Yield a row for each non-blank line of a file of JSON lines."""
        file.content.seek(0)
        while lines := await _read(file, partial(_lines, file.content)):
            asked = await to_the_end(partial(self._queries_of, lines[: self._lines_left]))
            self._lines_left -= len(asked)
            serials = {one.serial.text for one in asked if one.serial is not None}
            try:
                register = await self._in_turn(partial(self._verification.register, serials))
            except _Unfit as unfit:
                for one in asked:
                    yield one.row if one.serial is None else replace(one.row, reason=unfit.reason)
            else:
                for one in asked:
                    yield one.row_from(register, self._language)
            if len(asked) < len(lines):
                yield CheckRow(file.shown, reason=NotChecked.TOO_MANY)
                return

    def _queries_of(self, lines: Sequence[bytes]) -> list["_SerialQuery"]:
        return [self._query_of(line) for line in lines]

    def _query_of(self, text: bytes) -> "_SerialQuery":
        """Return the query for a line of JSON; if the line is invalid, the row of the query contains the refusal."""
        shown = one_line(text[:SHOWN_LENGTH_MAX].decode("utf-8", "replace"))
        row = CheckRow(shown, kind=RowKind.SERIAL)
        try:
            if len(text) > LINE_BYTES_MAX:
                raise Malformed("line", "within_bounds", length_max=LINE_BYTES_MAX)
            line: CheckLine = read_json(text, CheckLine)
            if (line.serial is None) == (line.claim is None):
                raise Malformed("serial", "given")
            row = replace(row, id=line.id, path=one_line(line.serial or line.claim or ""))
            if line.claim is not None:
                row = replace(row, kind=RowKind.CLAIM)
                claim = self._verification.claim_of(line.claim)
                return _SerialQuery(row, claim.serial, claim)
            if (serial := serial_in(row.path)) is None:
                raise NotFound("not a serial")
        except Refusal as refusal:
            return _SerialQuery(replace(row, refused=refusal))
        return _SerialQuery(row, serial)

    async def _row(self, given: _BatchFile) -> "CheckRow | _JudgedFile":
        """Check a file.  Return its row, or the judged file if several files are looked up in the register together."""
        try:
            found = await self._in_turn(partial(self._found, given))
        except NotJudged:
            return CheckRow(given.path, reason=NotChecked.NOT_JUDGED)
        except Unread as unread:
            return CheckRow(given.path, reason=NotChecked(unread.reason))
        except _Unfit as unfit:
            return CheckRow(given.path, reason=unfit.reason)
        if isinstance(found, JudgedDocument):
            return _JudgedFile(given.path, found)
        return CheckRow(given.path, found, first=given.first)

    async def _in_turn(self, act: Callable[[], Awaitable[Found]]) -> Found:
        """Call `act` in a slot; if other requests have priority, wait and try again.  Raises `_Unfit` and the errors of `act`."""
        purpose = PURPOSE.get()
        for pause in PAUSES:
            if monotonic() > self._until:
                raise _Unfit(NotChecked.LATE)
            await asyncio.sleep(pause)
            try:
                await purpose.regain_permit()
                purpose.begin_anew()
                return await act()
            except NotJudged:
                raise
            except Refusal as refusal:
                if refusal.status != _UNAVAILABLE:
                    raise
            finally:
                purpose.release_permit()
        raise _Unfit(NotChecked.BUSY)

    async def _found(self, given: _BatchFile) -> VerificationView | JudgedDocument:
        """Return the verdict on a document, or only its judged seal if several documents are looked up together."""
        judged = await self._judged(given)
        if self._at_once > 1:
            return judged
        return (await self._verification.registered([judged], self._language, isolated))[0]

    async def _judged(self, given: _BatchFile) -> JudgedDocument:
        if given.size > CHECKED_BYTES_MAX:
            raise _Unfit(NotChecked.TOO_LARGE)
        await self._memory.wait_for(given.size)
        try:
            document = given.read() if given.is_here else await to_the_end(given.read)
            if kind := kind_of(document):
                raise _Unfit(NotChecked(kind))
            if is_archive(
                document
            ):  # archives of files were unpacked before; this is an office document, or nested
                raise _Unfit(NotChecked.OFFICE)
            return await self._verification.judge(document, self._client)
        finally:
            self._memory.give_back(given.size)


def _lines(file: IO[bytes]) -> list[bytes]:
    """Read the next lines that are not blank, at most `LINES_AT_ONCE`.

    A line that is too long is cut one byte beyond the limit, so that it is still found to be too long.
    """
    found: list[bytes] = []
    while len(found) < LINES_AT_ONCE and (line := file.readline(LINE_BYTES_MAX + 1)):
        is_whole = line.endswith(b"\n") or len(line) <= LINE_BYTES_MAX
        while not is_whole and (rest := file.readline(PIECE_BYTES)):
            is_whole = rest.endswith(b"\n")
        if line.strip():
            found.append(line.strip())
    return found


async def with_early_end(
    first: CheckRow, rest: AsyncIterator[CheckRow], on_fault: Callable[[Exception], object]
) -> AsyncIterator[CheckRow]:
    """Yield the rows of an answer that has begun; after an error the last row states that the answer ended early.

    `on_fault` logs and counts an unexpected error, since nothing else would report it once the answer has begun.
    """
    yield first
    try:
        async for row in rest:
            yield row
    except Refusal:
        yield CheckRow("…", reason=NotChecked.DAMAGED)
    except Exception as fault:
        on_fault(fault)
        yield CheckRow("…", reason=NotChecked.FAULT)


def _beginning(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(4)


def _given(file: FormFile) -> _BatchFile:
    content = file.content
    whole, first = partial(_whole, content), partial(_first, content)
    return _BatchFile(file.shown, file.size, whole, first, is_here=_is_here(file))


def _is_here(file: FormFile) -> bool:
    """True if a file is in memory, so that reading it in a thread would take longer than reading it here."""
    return file.size <= HELD_BYTES_MAX


async def _read(file: FormFile, act: Callable[[], Found]) -> Found:
    return act() if _is_here(file) else await to_the_end(act)


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _first(file: IO[bytes], size: int) -> Iterator[bytes]:
    file.seek(0)
    yield from pieces_of(file, size)
