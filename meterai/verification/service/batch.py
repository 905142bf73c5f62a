"""Many files checked in one request, one after another.

A file of JSON lines (`.jsonl`, `.ndjson`) names serials and codes to be looked up, a line each, where a program
sends it.

Each file has a turn of its own among all who check (`plumbing/turns`): between two files the
request holds none, so that whoever pays, and whoever checks one document, comes in between.  In
memory is the file that is being checked and no other.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from time import monotonic
from typing import IO, Annotated

import msgspec

from meterai.kit.refusal import Malformed, Refusal
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
from meterai.plumbing.bodies import Budget
from meterai.plumbing.database import DatabaseBusy
from meterai.plumbing.forms import FormFile
from meterai.plumbing.http import read_json
from meterai.plumbing.threads import to_the_end
from meterai.plumbing.turns import PURPOSE
from meterai.sealing import CHECKED_BYTES_MAX, NotJudged
from meterai.verification.service import VerificationService
from meterai.verification.service.kinds import kind_of
from meterai.verification.service.views import ClaimView, StampView, VerificationView

FILES_MAX = 500  # of one request: "several hundred", and its answer is one table
# Bytes of one request: three hundred scanned letters of 400 KB.  With the room for what is unpacked of it, half
# of what one network may have on the disk of a process (`plumbing/bodies`).
MANY_BYTES_MAX = 128 * 1024 * 1024
FORM_FIELDS_BYTES = 64 * 1024  # of form fields and boundaries beside files
LINES_MAX = 2_000  # of JSON in one request: a second of look-ups
LINE_BYTES_MAX = 2_048  # of one: a code has two hundred, and what is around it as many
LINES_AT_ONCE = 50  # between two turns
SHOWN_LENGTH_MAX = 100  # characters of a line that are shown again
SECONDS_MAX = 600.0  # of one request; 500 files take a tenth of it
# What archives of one request inflate to: what an archive of a gigabyte of scans does.
INFLATED_BYTES_MAX = 1024 * 1024 * 1024
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)  # seconds before a try of a file, while others come first
_UNAVAILABLE = 503
LINES_NAMES = (".jsonl", ".ndjson")
First = Callable[[int], Iterator[bytes]]  # the first so many bytes of a file, a piece at a time


class RowKind(StrEnum):
    """The kind of thing that a row is about."""

    DOCUMENT = "document"
    SERIAL = "serial"
    CLAIM = "claim"


class CheckLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of JSON: a serial, or the text of a QR code; and what its sender calls it."""

    serial: Annotated[str, msgspec.Meta(max_length=SHOWN_LENGTH_MAX)] | None = None
    claim: str | None = None
    id: Annotated[str, msgspec.Meta(max_length=SHOWN_LENGTH_MAX)] | None = None


class NotChecked(StrEnum):
    """Why a file of a batch has no verdict: first what an archive says (`UnreadReason`)."""

    DAMAGED = "damaged"  # the archive, or this file in it, cannot be read
    ENCRYPTED = "encrypted"
    PACKED_OTHERWISE = "packed_otherwise"  # in a way that is not read here
    EMPTY = "empty"  # an archive without files
    OVERLAPPING = "overlapping"  # shares bytes of the archive with another file
    NESTED = "nested"  # an archive in an archive
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"  # files in one request
    BUSY = "busy"  # others came first, too often
    NOT_JUDGED = "not_judged"  # takes longer than a machine this busy gives it
    LATE = "late"  # the time of the request was over
    FAULT = "fault"  # of ours; the rest was not looked at
    PHOTO = "photo"  # no PDF: a picture of a document
    OFFICE = "office"  # no PDF: a document of Word, LibreOffice or the like


class _Unfit(Exception):
    """A file of a batch is not checked: its row says why."""

    def __init__(self, reason: NotChecked) -> None:
        super().__init__(f"a file of a batch: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One file or line of a batch: what checking it found, or why it was not checked.

    found    what checking a document found
    told     what the register says of the serial or code of a line
    reason   why there is neither
    refused  the same of a line: what is wrong with it
    first    reads the file again, until the next row is asked for
    id       what a line is called by its sender
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
class _Given:
    """One file to check: its size, and how its bytes are read."""

    path: str
    size: int
    read: Callable[[], bytes]
    first: First


class Batch:
    """The files of one request.  `memory` is what documents may hold in this process; `takes_lines` where files
    of JSON lines are none of them."""

    def __init__(
        self,
        verification: VerificationService,
        memory: Budget,
        language: str,
        client: str,
        *,
        takes_lines: bool = False,
    ) -> None:
        self._verification = verification
        self._memory = memory
        self._language = language
        self._client = client
        self._until = monotonic() + SECONDS_MAX
        self._takes_lines = takes_lines
        self._left = FILES_MAX
        self._lines_left = LINES_MAX
        self._unpacking = Unpacking(file_bytes_max=CHECKED_BYTES_MAX, bytes_max=INFLATED_BYTES_MAX)

    async def rows(self, files: AsyncIterator[FormFile]) -> AsyncIterator[BatchRow]:
        """A row for each file, archives opened; the last says so where there were too many."""
        async for file in files:
            if self._takes_lines and file.name.lower().endswith(LINES_NAMES):
                async for row in self._of_lines(file):
                    yield row
            elif not self._left:
                yield BatchRow(file.name, reason=NotChecked.TOO_MANY)
                return
            elif is_archive(await to_the_end(partial(_beginning, file.content))):
                async for row in self._of_archive(file):
                    yield row
            else:
                self._left -= 1
                yield await self._row(_given(file))

    async def _of_archive(self, file: FormFile) -> AsyncIterator[BatchRow]:
        try:
            found = await to_the_end(partial(entries, file.content))
        except Unread as unread:
            yield BatchRow(file.name, reason=NotChecked(unread.reason))
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
            yield await self._row(_Given(entry.path, entry.size, read, first))
        if has_more:
            yield BatchRow(file.name, reason=NotChecked.TOO_MANY)

    async def _of_lines(self, file: FormFile) -> AsyncIterator[BatchRow]:
        """A row for each line that is not blank."""
        file.content.seek(0)
        purpose = PURPOSE.get()
        while lines := await to_the_end(partial(_lines, file.content)):
            found: list[BatchRow] = []
            await purpose.step_back()
            purpose.begin_anew()
            try:
                found += [await self._line(line) for line in lines[: self._lines_left]]
            finally:
                purpose.step_aside()
            for row in found:
                yield row
            self._lines_left -= len(found)
            if len(found) < len(lines):
                yield BatchRow(file.name, reason=NotChecked.TOO_MANY)
                return

    async def _line(self, text: bytes) -> BatchRow:
        """The row of one line, whatever is in it."""
        row = BatchRow(
            one_line(text[:SHOWN_LENGTH_MAX].decode("utf-8", "replace")), kind=RowKind.SERIAL
        )
        try:
            if len(text) > LINE_BYTES_MAX:
                raise Malformed("line", "within_bounds", length_max=LINE_BYTES_MAX)
            line: CheckLine = read_json(text, CheckLine)
            if (line.serial is None) == (line.claim is None):
                raise Malformed("serial", "given")
            row = replace(row, id=line.id, path=one_line(line.serial or line.claim or ""))
            if line.claim is not None:
                row = replace(row, kind=RowKind.CLAIM)
                return replace(row, told=await self._verification.claim(line.claim, self._language))
            return replace(row, told=await self._verification.stamp(row.path, self._language))
        except DatabaseBusy:
            return replace(row, reason=NotChecked.BUSY)
        except Refusal as refusal:
            if refusal.status == _UNAVAILABLE:
                raise
            return replace(row, refused=refusal)

    async def _row(self, given: _Given) -> BatchRow:
        """The row of one file, which is tried again where others come first."""
        purpose = PURPOSE.get()
        for pause in PAUSES:
            if monotonic() > self._until:
                return BatchRow(given.path, reason=NotChecked.LATE)
            await asyncio.sleep(pause)
            try:
                await purpose.step_back()
                purpose.begin_anew()
                return BatchRow(given.path, await self._view(given), first=given.first)
            except NotJudged:
                return BatchRow(given.path, reason=NotChecked.NOT_JUDGED)
            except Unread as unread:
                return BatchRow(given.path, reason=NotChecked(unread.reason))
            except _Unfit as unfit:
                return BatchRow(given.path, reason=unfit.reason)
            except Refusal as refusal:
                if refusal.status != _UNAVAILABLE:
                    raise
            finally:
                purpose.step_aside()
        return BatchRow(given.path, reason=NotChecked.BUSY)

    async def _view(self, given: _Given) -> VerificationView:
        if given.size > CHECKED_BYTES_MAX:
            raise _Unfit(NotChecked.TOO_LARGE)
        await self._memory.wait_for(given.size)
        try:
            document = await to_the_end(given.read)
            if kind := kind_of(document):
                raise _Unfit(NotChecked(kind))
            if is_archive(
                document
            ):  # one that is no document was opened, or is refused inside another
                raise _Unfit(NotChecked.OFFICE)
            return await self._verification.check(document, self._language, self._client, isolated)
        finally:
            self._memory.give_back(given.size)


def _lines(file: IO[bytes]) -> list[bytes]:
    """The next lines that are not blank; of one that is too long as much as says so."""
    found: list[bytes] = []
    while len(found) < LINES_AT_ONCE and (line := file.readline(LINE_BYTES_MAX + 1)):
        is_whole = line.endswith(b"\n") or len(line) <= LINE_BYTES_MAX
        while not is_whole and (rest := file.readline(PIECE_BYTES)):
            is_whole = rest.endswith(b"\n")
        if line.strip():
            found.append(line.strip())
    return found


async def to_the_last(
    first: BatchRow, rest: AsyncIterator[BatchRow], on_fault: Callable[[Exception], object]
) -> AsyncIterator[BatchRow]:
    """The rows of an answer that has begun: what ends them early is said in the last of them.

    `on_fault` logs and counts a fault: nobody else sees what ends a stream.
    """
    yield first
    try:
        async for row in rest:
            yield row
    except Refusal:
        yield BatchRow("…", reason=NotChecked.DAMAGED)
    except Exception as fault:
        on_fault(fault)
        yield BatchRow("…", reason=NotChecked.FAULT)


def _beginning(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(4)


def _given(file: FormFile) -> _Given:
    content = file.content
    return _Given(file.name, file.size, partial(_whole, content), partial(_first, content))


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _first(file: IO[bytes], size: int) -> Iterator[bytes]:
    file.seek(0)
    yield from pieces_of(file, size)
