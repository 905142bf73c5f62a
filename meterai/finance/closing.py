"""Closes of days: the preview of a close, the signed close, and the check of closes and journals by a third party.

A close names the close of the day before by its SHA-256, so that the holder of one close detects a change of any earlier day.
The `sha256` in a close is the hash of the concatenated digests of the day's entries, in the order of the journal (`DAY.jsonl`).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec

from meterai import reconciliation, suspense, trail
from meterai.accounts import NOBODY
from meterai.finance import store
from meterai.finance.model import (
    Close,
    CloseTooEarly,
    CloseWrong,
    DayClosed,
    DayNotNext,
    DayNotReconciled,
    KeptClose,
    PeriodBalance,
    StatementRequest,
    StatementScope,
    UnexplainedBreak,
)
from meterai.kit.actor import Actor
from meterai.kit.days import DAY, begin_of, last_settled
from meterai.kit.ids import show
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.files import read_file
from meterai.plumbing.keyring import Keyring, keyring_of
from meterai.plumbing.signed import DocumentSigner, SignatureWrong, read_signed

KIND = "meterai day close"  # kind of the signed document
SIGNING = "closes of days"  # purpose of the derived key
MANIFEST_BYTES_MAX = 1024 * 1024  # a close has some 4 KB, and 100 bytes for each open break


def signer_of(keyring: Keyring) -> DocumentSigner:
    """Return the signer of closes; its public key is published."""
    return DocumentSigner(keyring.derived(SIGNING))


def journal_of(day: date) -> str:
    """Return the name of the file with the ledger entries of a day."""
    return f"{day}.jsonl"


def signed(found: Close, signer: DocumentSigner, settings: Settings) -> str:
    """Return the close of a day as a signed document."""
    process = settings.process
    return signer.sign(
        KIND,
        {
            "by": process.url,
            "specimen": not process.is_production,
            "day": str(found.day),
            "entries": found.entries,
            "sha256": found.sha256.hex(),
            "books": {one.book: [one.debit, one.credit, one.closing] for one in found.balances},
            "breaks": {one.item: one.rupiah for one in found.breaks},
            "before": found.before,
        },
    )


def digest(manifest: str) -> str:
    """Return the SHA-256 of a signed close, by which the close of the next day names it."""
    return hashlib.sha256(manifest.encode()).hexdigest()


def asked_of_day(day: date) -> StatementRequest:
    """Return the request for the statement of all books of a day."""
    return StatementRequest(StatementScope.BOOKS, str(day), begin_of(day), begin_of(day + DAY))


async def next_day(tx: ReadTx) -> date | None:
    """Return the next day to close; None if no day was closed yet, so that any day may be the first."""
    last = await store.last_close(tx)
    return last.day + DAY if last else None


async def check_closes(tx: ReadTx, day: date) -> Close:
    """Check that a day can be closed, and return its close without storing it.

    Refuses `CloseTooEarly`, `DayClosed`, `DayNotNext`, `DayNotReconciled`.
    """
    last = await store.last_close(tx)
    if day > last_settled(await store.now(tx)):
        raise CloseTooEarly(day)
    if last is not None and day <= last.day:
        raise DayClosed(str(day))
    if last is not None and day != last.day + DAY:
        raise DayNotNext(last.day + DAY)
    asked = asked_of_day(day)
    if records := await reconciliation.not_final(tx, day):
        raise DayNotReconciled(day, records)
    sums = await store.digest(tx, asked.begin, asked.end)
    balances = sorted(await store.balances(tx, asked))
    breaks = await _breaks(tx, asked)
    before = digest(last.manifest) if last else ""
    return Close(day, sums.entries, sums.sha256, balances, breaks, before)


async def _breaks(tx: ReadTx, asked: StatementRequest) -> list[UnexplainedBreak]:
    """Return the items in suspense, such as differences between books and bank records, that are open and were opened before
    the end of the day, sorted.
    """
    found = await suspense.open_items(tx)
    return sorted(
        UnexplainedBreak(show("sus", one.id), one.amount.value if one.amount else 0)
        for one in found
        if one.opened_at < asked.end
    )


async def close(tx: Tx, found: Close, settings: Settings, actor: Actor) -> None:
    """Store the signed close of a day, and write the audit trail. Refuses `DayClosed`, `CloseWrong`."""
    signer, last = signer_of(keyring_of(settings)), await store.last_close(tx)
    if last is not None:  # the chain continues only after a close that our key signed
        read_close(last.manifest.encode(), signer.public_key())
    await store.insert_close(tx, found, signed(found, signer, settings))
    await trail.record(tx, NOBODY, actor=actor, action="day_closed", subject=str(found.day))


# -- the check -------------------------------------------------------------------------------------


class CloseText(msgspec.Struct):
    """Content of a signed close, as read from its file."""

    by: str
    specimen: bool
    day: date
    entries: int
    sha256: str
    books: dict[str, tuple[int, int, int]]
    breaks: dict[str, int]
    before: str


def read_close(document: bytes, public_key: bytes) -> CloseText:
    """Read a signed close. Refuses `CloseWrong`."""
    try:
        return msgspec.convert(read_signed(document, KIND, public_key), CloseText, strict=False)
    except (msgspec.ValidationError, SignatureWrong) as error:
        raise CloseWrong("?", str(error)) from None


def check_files(paths: Sequence[Path], public_key: bytes) -> Iterator[tuple[CloseText, bool]]:
    """Check closes day by day, each with the journal in the same folder. Yield (close, True if the folder has its journal).

    Refuses `CloseWrong`.
    """
    before: tuple[CloseText, str] | None = None
    read = [(read_file(path, MANIFEST_BYTES_MAX), path) for path in paths]
    found = sorted(
        ((read_close(one, public_key), one.decode(), path) for one, path in read),
        key=lambda one: one[0].day,
    )
    for close, document, path in found:
        if before is not None:
            _check_chain(*before, close)
        before = close, digest(document)
        journal = path.with_name(journal_of(close.day))
        if journal.exists():
            with journal.open("rb") as rows:
                check_journal(close, rows)
        yield close, journal.exists()


def _check_chain(last: CloseText, digested: str, close: CloseText) -> None:
    day = str(close.day)
    if close.day != last.day + timedelta(days=1) or close.before != digested:
        raise CloseWrong(day, "the close does not name the close of the day before")
    for book, (debit, credit, closing) in close.books.items():
        if closing != last.books.get(book, (0, 0, 0))[2] + credit - debit:
            raise CloseWrong(
                day, f"the opening balance of {book} is not the closing balance of the day before"
            )
    if last.books.keys() - close.books.keys():
        raise CloseWrong(day, "a book is missing")


def check_journal(close: CloseText, rows: Iterable[bytes]) -> None:
    """Compare the entries of a day with its close. Refuses `CloseWrong`."""
    hashed, entries = hashlib.sha256(), 0
    sides: Counter[tuple[str, bool]] = Counter()
    for row in rows:
        hashed.update(hashlib.sha256(row.removesuffix(b"\n")).digest())
        entries += 1
        for book, amount in json.loads(row)[5].items():
            sides[book, amount > 0] += abs(amount)
    totals = {book: (sides[book, False], sides[book, True]) for book in close.books}
    if (
        (entries, hashed.hexdigest()) != (close.entries, close.sha256)
        or {book for book, _ in sides} - close.books.keys()
        or any(totals[book] != sums[:2] for book, sums in close.books.items())
    ):
        raise CloseWrong(str(close.day), "the entries differ from the closed ones")


def written(found: KeptClose) -> tuple[str, bytes]:
    """Return (name, content) of the file that a close is exported to."""
    return f"{found.day}.json", found.manifest.encode()


def is_balanced(balances: Sequence[PeriodBalance]) -> bool:
    """True if debits equal credits in each unit (rupiah, stamps)."""
    sums: Counter[str] = Counter()
    for one in balances:
        sums[one.of.unit] += one.closing
    return not any(sums.values())
