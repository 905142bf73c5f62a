"""Uploads of files, in parts or whole, and their examination.

Until a file is complete each part is a separate object.  The object is stored first, whole or not at all; then the row of the
file records the new offset.  After a crash between the two, the sweep of the store deletes the object.  After the last part the
file is examined; after a crash the periodic task does that.  A file that is sent whole is examined first.  Then its document is
stored as one object, and after that the row of the file, which contains the result.

Limits count received bytes, and are checked when a file is created and at each part.  Announced bytes do not count, and a
sender cannot send more than announced.  Each of several concurrent senders may exceed a limit by one part.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from meterai import sealing
from meterai.documents import DocumentContents, DocumentSettings
from meterai.drafts import store
from meterai.drafts.due import DueDraft
from meterai.drafts.examination import DraftExamination
from meterai.drafts.holdings import Holdings
from meterai.drafts.model import (
    EMPTY_LIVES,
    PART_BYTES_MAX,
    PART_BYTES_MIN,
    Draft,
    DraftExaminationResult,
    DraftFile,
    DraftFull,
    DraftLimits,
    DraftTooLarge,
    DraftUsage,
    FileDamagedOnTheWay,
    FileNotExamined,
    FileState,
    NewFile,
    PartSizeWrong,
    UploadCompleted,
    UploadLengthInconsistent,
    UploadOffsetMismatch,
    hash_of,
)
from meterai.drafts.objects import FileObjects
from meterai.drafts.settings import DraftSettings
from meterai.kit import backoff
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.kit.refusal import NotFound, Refusal
from meterai.kit.text import file_name
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.forms import UNNAMED
from meterai.plumbing.networks import nested
from meterai.plumbing.work.periodic import each
from meterai.stamping import StampingSettings

WHOLE_AT_ONCE = 4  # files in memory during their examination, each of 20 MB at most
# How many of these files may come from one widest network (/48 or /24), so that a slot is left for other networks.
OF_NETWORK_AT_ONCE = 3
# An examination takes seconds; after this time another process may take it over.
LEASE_SECONDS = 120.0
# Files of one run of the periodic task.  They are examined at once: a waiting file is not leased.
LATER_AT_ONCE = 2
# Examinations of one file without a result, after which it is refused, since its document may crash the process.  A
# temporary fault, such as an unavailable store, has a quarter of an hour to end.
EXAMINATIONS_MAX = 10
PAUSE_SECONDS_MAX = 300.0  # between two examinations of a file
_log = structlog.get_logger()


class Uploads:
    """Receives the bytes of files, and examines whether they can be stamped."""

    def __init__(
        self,
        database: Database,
        objects: FileObjects,
        contents: DocumentContents,
        examination: DraftExamination,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._objects = objects
        self._contents = contents
        self._examination = examination
        self._limits = settings.of(DraftSettings)
        self._holdings = Holdings(database, self._limits)
        self.files_max = settings.of(StampingSettings).stampings_per_order_max
        self.file_bytes_max = settings.of(DocumentSettings).document_bytes_max
        self._clock = clock
        self._whole = sealing.Slots(WHOLE_AT_ONCE)
        self._of_network: Counter[str] = Counter()

    # -- receiving -----------------------------------------------------------------------------

    async def create(
        self, draft: Draft, name: str, size: int, digest: bytes | None = None, *, token: str = ""
    ) -> DraftFile:
        """Create a file of `size` announced bytes; with a `token` its draft is created in the same statement.

        Refuses `DocumentTooLarge`, `DraftFull`, `DraftTooLarge`, `NetworkFull`, `StrangersFull`,
        `DraftsFull`.
        """
        if size > self.file_bytes_max:
            raise sealing.DocumentTooLarge(size_bytes=size, limit_bytes=self.file_bytes_max)
        if not size:
            return await self.add_whole(draft, name, b"", digest, token=token)
        await self._check_room(draft, size, token)
        new = _new_file(name, size, digest, self._clock.now())
        return await self._add(draft, new, token, new.at + EMPTY_LIVES)

    async def add_whole(
        self,
        draft: Draft,
        name: str,
        content: bytes,
        digest: bytes | None = None,
        *,
        token: str = "",
    ) -> DraftFile:
        """Examine a file that was sent whole, for example by a form, and store its row, which contains the result.

        If no slot is free, the file is stored and examined later.  With a `token` its draft is created too.  If the process
        crashes after it stored the bytes and before it stored the row, the sweep of the store deletes the bytes.  Refuses like
        `create`.
        """
        size = len(content)
        if size > self.file_bytes_max:
            raise sealing.DocumentTooLarge(size_bytes=size, limit_bytes=self.file_bytes_max)
        await self._check_room(draft, size, token)
        new = await self._examined(
            draft.network, _new_file(name, size, digest, self._clock.now()), content
        )
        now, added = self._clock.now(), None
        is_kept = new.state != FileState.REFUSED
        until = self._limits.until(draft.created_at, now) if is_kept else now + EMPTY_LIVES
        try:
            added = await self._add(draft, new, token, until)
        finally:
            # If the result is unknown, the sweep checks the object again.
            if added is None:
                await self._objects.remove(new.id, *new.parts)
                await self._release(new.found)
        if is_kept:
            self._holdings.add(draft, size)
        return added

    async def _examined(self, network: str, file: NewFile, content: bytes) -> NewFile:
        """Examine a file that was sent whole, store its bytes unless it is refused, and return it with the result."""
        try:
            async with self._slot_for(network):
                await _check_digest(file.digest, content)
                examined = await self._examination.examine(network, content)
        except Refusal as refusal:
            if refusal.status != 503:
                facts = _plain(refusal.facts())
                refused = replace(file, state=FileState.REFUSED, examinations=1)
                return replace(refused, refusal=refusal.code, refusal_facts=facts)
            is_begun, at = self._again_at(refusal, 1)
            part = await self._objects.put(file.id, content)
            waits = replace(file, state=FileState.EXAMINING, examinations=int(is_begun))
            return replace(waits, parts=(part,), leased_until=at)
        found = examined.found
        await self._contents.put(found.sha256, examined.document)
        return replace(file, size=found.size, state=found.state, examinations=1, found=found)

    async def _check_room(self, draft: Draft, size: int, token: str) -> None:
        held = DraftUsage(0, 0) if token else await self._database.once(store.usage, draft.id)
        await self._holdings.check(draft, held.bytes, size, begins=bool(token))
        if held.files >= self.files_max:
            raise DraftFull(files_max=self.files_max)
        self._check_draft(held.bytes + size)

    async def _add(self, draft: Draft, file: NewFile, token: str, until: datetime) -> DraftFile:
        added = await self._database.once(
            store.add_file,
            draft,
            file,
            token_hash=hash_of(token) if token else None,
            until=until,
            limits=DraftLimits(
                self._limits.drafts_per_network_max, self.files_max, self._limits.draft_bytes_max
            ),
        )
        if added is None:
            raise NotFound("the draft no longer exists")
        return added

    def _check_draft(self, held: int) -> None:
        if held > self._limits.draft_bytes_max:
            raise DraftTooLarge(sum_bytes=self._limits.draft_bytes_max)

    async def append(self, draft: Draft, file: DraftFile, offset: int, content: bytes) -> DraftFile:
        """Store a part at the offset of the upload, in bytes, and return the file.

        After the last part the file is examined, or left to the periodic task if no slot is free.
        Refuses `UploadCompleted`, `UploadOffsetMismatch`, `PartSizeWrong`,
        `UploadLengthInconsistent`, `DraftTooLarge`, `NetworkFull`, `StrangersFull`, `DraftsFull`.
        """
        if not _is_part(file, offset, content):
            return file
        held = (await self._database.once(store.usage, draft.id)).bytes
        self._check_draft(held + len(content))
        await self._holdings.check(draft, held, len(content), begins=False)
        now = self._clock.now()
        part = await self._objects.put(file.id, content)
        after = await self._database.once(
            store.append,
            file,
            offset=offset,
            size=len(content),
            part=part,
            at=now,
            leased_until=now + self._lease(),
        )
        if after is None:
            await self._objects.remove(file.id, part)
            raise UploadOffsetMismatch(offset=(await self._reloaded(file)).received)
        self._holdings.add(draft, len(content))
        if after.state == FileState.EXAMINING:
            await self._examine(after, draft.network)
            after = await self._reloaded(after)
        if not file.received:
            until = self._limits.until(draft.created_at, now)
            await self._database.once(store.renew, draft.id, until)
        return after

    async def _reloaded(self, file: DraftFile) -> DraftFile:
        found = await self._database.once(store.file, file.draft, file.id)
        if found is None:
            raise NotFound("the file was removed from the draft")
        return found

    def _lease(self) -> timedelta:
        return timedelta(seconds=LEASE_SECONDS)

    # -- examination ---------------------------------------------------------------------------

    async def examine_due(self) -> int:
        """Periodic task: examine uploaded files that were not examined to the end and that no process is examining now. Returns
        their number.
        """
        now = self._clock.now()
        due = await self._database.once(store.to_examine, now + self._lease(), now, LATER_AT_ONCE)
        rows = [DueDraft(str(file.id), file) for file in due]
        act = self._examine_row
        return await each(
            self._database, "examine_files", rows, act, subject="name", at_once=LATER_AT_ONCE
        )

    async def _examine_row(self, due: DueDraft[DraftFile]) -> None:
        file = due.thing
        draft = await self._database.once(store.draft, file.draft)
        if draft is None:
            return  # the draft was deleted meanwhile, with its files
        if file.examinations > EXAMINATIONS_MAX:
            await self._refuse(file, FileNotExamined(f"{EXAMINATIONS_MAX} examinations"))
        else:
            await self._examine(file, draft.network)

    async def _refuse(self, file: DraftFile, refusal: Refusal) -> None:
        await self._database.once(store.refuse, file.id, refusal.code, _plain(refusal.facts()))
        await self._objects.remove(file.id, *file.parts)

    async def _postpone(self, file: DraftFile, refusal: Refusal) -> None:
        is_begun, at = self._again_at(refusal, file.examinations)
        await self._database.once(store.let_go, file.id, at, is_begun=is_begun)

    def _again_at(self, refusal: Refusal, examinations: int) -> tuple[bool, datetime]:
        """Return (True if the examination had begun, the time of the next examination), after an examination without a result.

        It had not begun if no slot was free.
        """
        _log.info("file_examined_later", code=refusal.code, examinations=examinations)
        is_begun = not isinstance(refusal, sealing.ExaminationBusy)
        seconds = float(refusal.retry_after_seconds or 1)
        if is_begun:
            seconds = backoff.pause(examinations, longest=PAUSE_SECONDS_MAX)
        return is_begun, self._clock.now() + timedelta(seconds=seconds)

    async def _release(self, found: DraftExaminationResult | None) -> None:
        """Condemn the stored content of a file whose row was not written; a content to which another row refers is kept."""
        if found is not None:
            await self._database.once(self._contents.let_go, [found.sha256])

    async def _examine(self, file: DraftFile, network: str) -> None:
        try:
            async with self._slot_for(network):
                examined = await self._examination.examine(network, await self._joined(file))
                await self._contents.put(examined.sha256, examined.document)
        except Refusal as refusal:
            # No slot is free, or the store is unavailable: the file is examined later.
            answer = self._postpone if refusal.status == 503 else self._refuse
            await answer(file, refusal)
        else:
            is_ours = False
            try:
                is_ours = await self._database.once(store.accept, file.id, examined.found)
            finally:
                # If the result is unknown, the sweep checks the object again.
                if not is_ours:
                    await self._release(examined.found)
            if is_ours:
                await self._objects.remove(file.id, *file.parts)

    @asynccontextmanager
    async def _slot_for(self, network: str) -> AsyncIterator[None]:
        network = nested(network)[-1]
        if network and self._of_network[network] >= OF_NETWORK_AT_ONCE:
            raise sealing.ExaminationBusy("this network has too many files under way")
        self._of_network[network] += 1
        try:
            async with self._whole.one(network):
                yield
        finally:
            self._of_network[network] -= 1
            if not self._of_network[network]:
                del self._of_network[network]

    async def _joined(self, file: DraftFile) -> bytes:
        pieces = [await self._objects.get(file.id, part) for part in file.parts]
        document = b"".join(pieces)
        await _check_digest(file.digest, document)
        return document


async def _check_digest(announced: bytes | None, document: bytes) -> None:
    if announced is None:
        return
    digest = await asyncio.to_thread(hashlib.sha256, document)
    if digest.digest() != announced:
        raise FileDamagedOnTheWay("the digest of the file differs from the announced one")


def _new_file(name: str, size: int, digest: bytes | None, now: datetime) -> NewFile:
    name = file_name(name) or UNNAMED
    return NewFile(id=new_id(), name=name, sent=size, size=size, digest=digest, at=now)


def _is_part(file: DraftFile, offset: int, content: bytes) -> bool:
    """Check that the content can be the next part of the file; False if it is empty.

    Refuses `UploadCompleted`, `UploadOffsetMismatch`, `PartSizeWrong`, `UploadLengthInconsistent`.
    """
    if file.state != FileState.RECEIVING:
        raise UploadCompleted(f"the file is {file.state}")
    if offset != file.received:
        raise UploadOffsetMismatch(offset=file.received)
    end = offset + len(content)
    if end > file.size:
        raise UploadLengthInconsistent(f"{end} of {file.size} bytes")
    is_small = len(content) < PART_BYTES_MIN and end < file.size
    if content and (len(content) > PART_BYTES_MAX or is_small):
        raise PartSizeWrong(least_bytes=PART_BYTES_MIN, most_bytes=PART_BYTES_MAX)
    return bool(content)


def _plain(facts: Mapping[str, object]) -> dict[str, object]:
    """Return the facts of a refusal that can be stored as JSON: numbers and texts."""
    return {name: value for name, value in facts.items() if isinstance(value, int | float | str)}
