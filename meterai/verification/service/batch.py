"""Many files checked in one request, one after another.

Each file has a turn of its own among all who check (`plumbing/turns`): between two files the
request holds none, so that whoever pays, and whoever checks one document, comes in between.  In
memory is the file that is being checked and no other.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from time import monotonic
from typing import IO

from meterai.kit.refusal import Refusal
from meterai.kit.text import isolated
from meterai.plumbing.archives import (
    Unpacking,
    Unread,
    entries,
    is_archive,
    is_document,
    pieces,
    pieces_of,
)
from meterai.plumbing.bodies import Budget
from meterai.plumbing.forms import FormFile
from meterai.plumbing.threads import to_the_end
from meterai.plumbing.turns import PURPOSE
from meterai.sealing import CHECKED_BYTES_MAX, NotJudged
from meterai.verification.service import VerificationService
from meterai.verification.service.kinds import kind_of
from meterai.verification.service.views import VerificationView

FILES_MAX = 500  # of one request: "several hundred", and its answer is one table
SECONDS_MAX = 600.0  # of one request; 500 files take a tenth of it
# What archives of one request inflate to: what an archive of a gigabyte of scans does.
INFLATED_BYTES_MAX = 1024 * 1024 * 1024
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)  # seconds before a try of a file, while others come first
_UNAVAILABLE = 503
First = Callable[[int], Iterator[bytes]]  # the first so many bytes of a file, a piece at a time


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
    """One file of a batch: what checking it found, or why it was not checked.

    `first` reads the file again, until the next row is asked for.
    """

    path: str
    found: VerificationView | None = None
    reason: NotChecked | None = None
    first: First | None = None


@dataclass(frozen=True, slots=True)
class _Given:
    """One file to check: its size, and how its bytes are read."""

    path: str
    size: int
    read: Callable[[], bytes]
    first: First


class Batch:
    """The files of one request.  `memory` is what documents may hold in this process."""

    def __init__(
        self, verification: VerificationService, memory: Budget, language: str, client: str
    ) -> None:
        self._verification = verification
        self._memory = memory
        self._language = language
        self._client = client
        self._until = monotonic() + SECONDS_MAX
        self._left = FILES_MAX
        self._unpacking = Unpacking(file_bytes_max=CHECKED_BYTES_MAX, bytes_max=INFLATED_BYTES_MAX)

    async def rows(self, files: AsyncIterator[FormFile]) -> AsyncIterator[BatchRow]:
        """A row for each file, archives opened; the last says so where there were too many."""
        async for file in files:
            if not self._left:
                yield BatchRow(file.name, reason=NotChecked.TOO_MANY)
                return
            if is_archive(await to_the_end(partial(_beginning, file.content))):
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
