"""Search of the console: subjects named by a text, a PDF or a photo; each search is recorded."""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meterai import trail
from meterai.accounts import NOBODY
from meterai.console.model import (
    SearchFileUnknown,
    SearchFileUnreadable,
    SearchTooLong,
)
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import Happening, Subject, SubjectKind, sort_of
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.room import Offers
from meterai.room.timelines import TEXT_LENGTH_MAX, found, subject_of, timeline
from meterai.sealing import PHOTO_BYTES_MAX, DocumentTooLarge
from meterai.verification import (
    FileKind,
    FinalVerdict,
    VerificationService,
    VerificationView,
    kind_of,
)

SUBJECTS_MAX = 50  # per search: as many as a person reads
NAMES_MAX = 20  # digests and serials of one file that are looked up
_ACCOUNT = "acc"


@dataclass(frozen=True, slots=True)
class Known:
    """A subject with its timeline, oldest first."""

    subject: Subject
    happenings: Sequence[Happening]


class Searching:
    """Searches of staff.

    Each search is recorded in the audit trail with a keyed digest of the text or file, so that nobody can guess the
    searched address from the record.
    """

    def __init__(
        self, database: Database, offers: Offers, verification: VerificationService, key: bytes
    ) -> None:
        self._database = database
        self._offers = offers
        self._verification = verification
        self._key = key

    async def by_text(self, actor: Actor, typed: str) -> Sequence[Subject]:
        """Return the subjects that a text names; no subject for an empty text.  Refuses `SearchTooLong`."""
        text = typed.strip()
        if len(text) > TEXT_LENGTH_MAX:
            raise SearchTooLong(TEXT_LENGTH_MAX)
        if not text:
            return ()
        return await self._looked_up(actor, "text", text.encode(), [self._meant(text)])

    async def by_file(
        self, actor: Actor, content: bytes, language: str, client: str
    ) -> Sequence[Subject]:
        """Return the subjects that a PDF or a photo of a stamp names; the file is not stored.

        Refuses `SearchFileUnknown`, `SearchFileUnreadable`, and what checking and scanning refuse.
        """
        kind = kind_of(content)
        if kind is FileKind.PHOTO:
            if len(content) > PHOTO_BYTES_MAX:
                raise DocumentTooLarge(size_bytes=len(content), limit_bytes=PHOTO_BYTES_MAX)
            code = await self._verification.scan(content, client)
            serial = _serial_of(code)
            return await self._looked_up(actor, "photo", serial.encode(), [serial])
        if kind is not None or b"%PDF-" not in content[:1024]:
            raise SearchFileUnknown("the file is neither a PDF nor a photo")
        checked = await self._verification.check(content, language, client)
        names = list(dict.fromkeys(_names(checked)))[:NAMES_MAX]
        subjects = await self._looked_up(actor, "pdf", bytes.fromhex(checked.sha256), names)
        if not subjects and checked.verdict == FinalVerdict.UNREADABLE:
            raise SearchFileUnreadable("the file is not a readable document")
        return subjects

    def _meant(self, text: str) -> str:
        """Return the text to search for: the serial if the typed text is the URL of a stamp's QR code, else the typed
        text.
        """
        code = self._verification.code_in(text)
        return _serial_of(code) if code else text

    async def _looked_up(
        self, actor: Actor, kind: str, content: bytes, names: Iterable[str]
    ) -> Sequence[Subject]:
        digest = hmac.digest(self._key, content, hashlib.sha256).hex()

        async def look(tx: Tx) -> list[Subject]:
            subjects: dict[Subject, None] = {}
            for name in names:
                left = SUBJECTS_MAX - len(subjects)
                if left > 0:
                    subjects |= dict.fromkeys(await found(tx, self._offers, name, left))
            await trail.record(
                tx,
                NOBODY,
                actor=actor,
                action="console_searched",
                subject=kind,
                digest=digest,
                found=len(subjects),
            )
            return list(subjects)

        return await self._database.run(look)

    async def opened(self, actor: Actor, kind: str, shown: str) -> Known:
        """Return the timeline of a subject and record that it was opened.  Refuses `NotFound`."""
        if sort_of(kind) is None:
            raise NotFound("no such kind of subject")
        if len(shown) > TEXT_LENGTH_MAX or not shown.isprintable():
            raise NotFound("no subject has this name")

        async def look(tx: Tx) -> Known:
            subject = await self._subject(tx, kind, shown)
            happenings = await timeline(tx, self._offers, subject)
            if not happenings:
                raise NotFound("nothing is stored about this subject")
            account = subject.account or NOBODY
            await trail.record(
                tx, account, actor=actor, action="console_opened", subject=subject.shown, kind=kind
            )
            return Known(subject, happenings)

        return await self._database.run(look)

    async def _subject(self, tx: ReadTx, kind: str, shown: str) -> Subject:
        """Return the subject of this kind and public id, with its account."""
        if kind == SubjectKind.ACCOUNT:
            return Subject(kind, shown, read(_ACCOUNT, shown))
        return await subject_of(tx, self._offers, kind, shown) or Subject(kind, shown)


def _serial_of(code: str) -> str:
    """Return the serial at the beginning of a code read by `VerificationService.code_in`."""
    return code.partition("/")[0].partition("?")[0]


def _names(checked: VerificationView) -> Iterable[str]:
    """Yield the texts to search for after a document was checked: digests of the file and of its original, and serials
    of its stamps.
    """
    yield checked.sha256
    if checked.sealed is not None:
        yield checked.sealed.sha256
    if checked.sha256_original is not None:
        yield checked.sha256_original
    yield from checked.serials
    for one in checked.earlier:
        yield from one.serials
