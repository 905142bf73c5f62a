"""Intake of the files of a batch: parts of a form, files in a zip, or a request body. Each file is examined and stored by
itself.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import IO, NamedTuple

from meterai.batches import store
from meterai.batches.model import (
    ArchiveUnread,
    Batch,
    BatchFileTaken,
    BatchFull,
    BatchStarted,
    BatchState,
    FileDiffers,
    FileIsLink,
    FileNameUnsafe,
    FileUnread,
)
from meterai.batches.reading import safe_name
from meterai.batches.settings import BatchSettings
from meterai.documents import DocumentSettings
from meterai.kit.refusal import Refusal
from meterai.orders import OrderSettings
from meterai.plumbing import archives
from meterai.plumbing.archives import ArchiveEntry, UnreadReason
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.threads import to_the_end
from meterai.sealing import CHECKED_BYTES_MAX, DocumentTooLarge
from meterai.stamping import KnownContent, RowStamping, TakenIn

TAKEN_AT_ONCE = 16  # files examined together
TAKEN_BYTES_AT_ONCE = 8 * 1024 * 1024  # bytes examined together; a single file may have more
INFLATED_BYTES_MAX = 1024 * 1024 * 1024  # of one archive: enough for a gigabyte of scans
# Largest ratio of inflated to compressed bytes of a file in an archive. Deflate reaches no more, so a larger declared
# size is false.
RATIO_MAX = 1_100
DAY_SECONDS = 86_400.0


class ReceivedFile(NamedTuple):
    """A received file: its name, and either its bytes or the reason why it is refused."""

    name: str
    content: bytes
    refusal: Refusal | None = None


class FileIntake:
    """Takes in the files of batches."""

    def __init__(self, database: Database, rows: RowStamping, settings: Settings) -> None:
        self._database = database
        self._rows = rows
        self._bytes_max = settings.of(BatchSettings).batch_bytes_max
        self._file_bytes_max = settings.of(DocumentSettings).document_bytes_max
        orders = settings.of(OrderSettings)
        open_seconds = settings.of(BatchSettings).batch_open_days * DAY_SECONDS
        # Longest time from the intake of a file to its stamping: the batch stays open, waits for stamps, and waits in
        # the queue.
        self._wanted_seconds = open_seconds + orders.stamps_due_seconds + DAY_SECONDS

    async def take(self, batch: Batch, files: AsyncIterator[ReceivedFile]) -> list[BatchFileTaken]:
        """Take in files, and return the outcome of each file in the same order. A refused file stops no other file.

        Once the batch was started, no file is added: a file that the batch already has is `known`, any other file is refused.
        Refuses `BatchFull`; files taken in until then stay in the batch.
        """
        taken: list[BatchFileTaken] = []
        waiting: list[ReceivedFile] = []
        size = 0
        async for one in files:
            if waiting and (
                len(waiting) >= TAKEN_AT_ONCE or size + len(one.content) > TAKEN_BYTES_AT_ONCE
            ):
                taken += await self._take_several(batch, waiting)
                waiting, size = [], 0
            waiting.append(one)
            size += len(one.content)
        return taken + await self._take_several(batch, waiting)

    async def take_stored(self, batch: Batch, name: str, content: KnownContent) -> None:
        """Add a stored document as a file of an open batch, which must have no file of this name. Does nothing if the document
        cannot be stamped.

        Refuses `BatchFull`, `StoreNotOurs`.
        """
        if content.size > self._file_bytes_max:
            return
        await self._check_room(batch, content.size)
        found = await self._rows.take_in(
            batch.account, [(name, content)], wanted_seconds=self._wanted_seconds
        )
        await self._store_names(
            batch, [ReceivedFile(name, b"")], [content.sha256], dict(enumerate(found))
        )

    async def _take_several(
        self, batch: Batch, files: Sequence[ReceivedFile]
    ) -> list[BatchFileTaken]:
        if not files:
            return []
        digests = await to_the_end(lambda: [hashlib.sha256(one.content).digest() for one in files])
        came = [self._checked(one) for one in files]
        names = [one.name for one in came if one.refusal is None]
        known = await self._database.once(store.files_named, batch.account, batch.id, names)
        answers: dict[int, BatchFileTaken] = {}
        first: dict[str, bytes] = {name: one.came_sha256 for name, one in known.items()}
        new: list[int] = []
        for at, (one, digest) in enumerate(zip(came, digests, strict=True)):
            if one.refusal is not None:
                answers[at] = BatchFileTaken(one.name, "refused", refusal=one.refusal)
            elif (before := first.setdefault(one.name, digest)) != digest:
                answers[at] = BatchFileTaken(
                    one.name, "refused", refusal=FileDiffers("other bytes")
                )
            elif one.name in known:
                kept = known[one.name]
                answers[at] = BatchFileTaken(one.name, "known", kept.sha256, kept.is_repaired)
            elif batch.state is not BatchState.OPEN:
                refusal = BatchStarted(batch.state)
                answers[at] = BatchFileTaken(one.name, "refused", refusal=refusal)
            elif before is digest:
                new.append(at)
            else:
                answers[at] = BatchFileTaken(one.name, "known", digest)
        if new:
            await self._check_room(batch, sum(len(came[at].content) for at in new))
            found = await self._rows.take_in(
                batch.account,
                [(came[at].name, came[at].content) for at in new],
                wanted_seconds=self._wanted_seconds,
            )
            pairs = dict(zip(new, found, strict=True))
            answers |= await self._store_names(batch, came, digests, pairs)
        return [answers[at] for at in range(len(files))]

    def _checked(self, one: ReceivedFile) -> ReceivedFile:
        if one.refusal is not None:
            return one
        try:
            name = safe_name(one.name)
            if len(one.content) > self._file_bytes_max:
                raise DocumentTooLarge(
                    size_bytes=len(one.content), limit_bytes=self._file_bytes_max
                )
        except Refusal as refusal:
            return ReceivedFile(one.name, b"", refusal)
        return ReceivedFile(name, one.content)

    async def _check_room(self, batch: Batch, size: int) -> None:
        _, kept = await self._database.once(store.files_total, batch.account, batch.id)
        if kept + size > self._bytes_max:
            raise BatchFull(limit_bytes=self._bytes_max)

    async def _store_names(
        self,
        batch: Batch,
        came: Sequence[ReceivedFile],
        digests: Sequence[bytes],
        found: dict[int, TakenIn | Refusal],
    ) -> dict[int, BatchFileTaken]:
        """Store the names of the files that were taken in, and return the outcome of each file."""
        kept = [
            {
                "name": came[at].name,
                "plain": one.about.name,
                "came": digests[at].hex(),
                "sha256": one.sha256.hex(),
                "bytes": one.about.bytes,
                "pages": one.about.pages,
                "kept_until": one.about.kept_until.isoformat(),
                "is_repaired": one.is_repaired,
            }
            for at, one in found.items()
            if isinstance(one, TakenIn)
        ]
        added: set[str] = set()
        if kept:
            added = await self._database.once(store.add_files, batch.account, batch.id, kept)
        answers: dict[int, BatchFileTaken] = {}
        for at, one in found.items():
            name = came[at].name
            if isinstance(one, Refusal):
                answers[at] = BatchFileTaken(name, "refused", refusal=one)
            elif name in added:
                answers[at] = BatchFileTaken(name, "added", one.sha256, one.is_repaired)
            else:  # another request took the name first
                now = await self._database.once(store.files_named, batch.account, batch.id, [name])
                is_same = name in now and now[name].came_sha256 == digests[at]
                answers[at] = (
                    BatchFileTaken(name, "known", one.sha256, one.is_repaired)
                    if is_same
                    else BatchFileTaken(name, "refused", refusal=FileDiffers("other bytes"))
                )
        return answers


async def of_archive(file: IO[bytes], files_max: int) -> AsyncIterator[ReceivedFile]:
    """Yield the files of a zip, a small group in memory at a time.

    Against zip bombs, a file that inflates to more than its declared size, or at a ratio that deflate cannot reach, is not
    read. All files together inflate to at most `INFLATED_BYTES_MAX`. If the archive is refused, `ArchiveUnread` is raised
    before the first file is yielded.
    """
    try:
        entries = await to_the_end(partial(archives.entries, file))
    except archives.Unread as unread:
        raise ArchiveUnread(unread.reason) from None
    if len(entries) > files_max:
        raise ArchiveUnread(UnreadReason.TOO_MANY)
    if archives.is_document(entries):
        raise ArchiveUnread("office")
    unpacking = archives.Unpacking(file_bytes_max=CHECKED_BYTES_MAX, bytes_max=INFLATED_BYTES_MAX)
    for group in _groups(entries):
        for one in await to_the_end(partial(_read_group, file, unpacking, group)):
            yield one


def _groups(entries: Sequence[ArchiveEntry]) -> Iterator[list[ArchiveEntry]]:
    """Group entries to read together: up to `TAKEN_AT_ONCE` entries and `TAKEN_BYTES_AT_ONCE` bytes, or one larger entry."""
    group: list[ArchiveEntry] = []
    size = 0
    for entry in entries:
        if group and (len(group) >= TAKEN_AT_ONCE or size + entry.size > TAKEN_BYTES_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(entry)
        size += entry.size
    yield group


def _refused(entry: ArchiveEntry) -> Refusal | None:
    """Return the refusal of an entry that must not be read; None if the entry may be read."""
    if entry.is_link:
        return FileIsLink("a link")
    if not _is_plain(entry.raw):
        return FileNameUnsafe("it leads elsewhere")
    if entry.size > RATIO_MAX * max(entry.compressed, 1):
        return FileUnread(UnreadReason.TOO_LARGE)
    return None


def _read_group(
    file: IO[bytes], unpacking: archives.Unpacking, group: Sequence[ArchiveEntry]
) -> list[ReceivedFile]:
    found = []
    for entry in group:
        content, why = b"", _refused(entry)
        if why is None:
            try:
                content = unpacking.read(file, entry)
            except archives.Unread as unread:
                why = FileUnread(unread.reason)
        found.append(ReceivedFile(entry.raw, content, why))
    return found


def _is_plain(name: str) -> bool:
    try:
        safe_name(name)
    except FileNameUnsafe:
        return False
    return True


def archive_files(beginning: bytes) -> bool:
    """True if a file with these first bytes is a zip."""
    return archives.is_archive(beginning)


async def listed(
    files: Iterator[ReceivedFile] | Sequence[ReceivedFile],
) -> AsyncIterator[ReceivedFile]:
    """Yield files that are already in memory."""
    for one in files:
        yield one
