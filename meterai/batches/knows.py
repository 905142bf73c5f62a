"""Batches in the console: search by id or reference, timeline with the counts of rows, work list of stalled batches.

Staff see no file names and no facts of documents here; a row is shown only as its stamping.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from meterai.accounts import Permission
from meterai.batches import store
from meterai.batches.model import BATCH_KIND, BATCH_SUBJECT, STILL_SECONDS, Batch, Counts
from meterai.kit.ids import read_typed, show
from meterai.kit.labels import REFERENCE_LENGTH_MAX
from meterai.kit.paging import ListPage
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList

STILL = timedelta(seconds=STILL_SECONDS)
BATCHES_TOLD_MAX = 50  # newest batches on the timeline of an account


def subject(account: UUID, batch: UUID) -> Subject:
    """Return the `Subject` that names a batch in the console."""
    return Subject(BATCH_SUBJECT.kind, show(BATCH_KIND, batch), account)


async def _find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    if (batch := read_typed(BATCH_KIND, text)) is not None:
        return [subject(*one) for one in await store.by_id(tx, batch)]
    if len(text) > REFERENCE_LENGTH_MAX:
        return ()
    return [subject(*one) for one in await store.by_reference(tx, text, limit)]


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    if about.account is None:
        return ()
    if about.kind == SubjectKind.ACCOUNT:
        newest = await store.listed(tx, about.account, ListPage().before, BATCHES_TOLD_MAX, None)
        return [_made(one, subject(one.account, one.id)) for one in newest]
    batch = read_typed(BATCH_KIND, about.shown) if about.kind == BATCH_SUBJECT.kind else None
    found = await store.batch(tx, about.account, batch) if batch else None
    if found is None:
        return ()
    counts = await store.counts(tx, found.account, found.id)
    return [_made(found), *_steps(found, counts)]


def _made(one: Batch, about: Subject | None = None) -> Happening:
    facts = {"batch": show(BATCH_KIND, one.id), "now": Sentence(f"batch.told.{one.state}", {})}
    word = "batch_made" if about is None else "batch_of_account"
    return Happening(one.made_at, word, facts, about, begins=about is None)


def _steps(one: Batch, counts: Counts) -> Iterator[Happening]:
    rows = dict(counts._asdict())
    if one.started_at is not None:
        yield Happening(one.started_at, "batch_started", rows)
        if one.order is not None:
            order = Subject(SubjectKind.ORDER, show("ord", one.order), one.account)
            yield Happening(one.started_at, "batch_ordered", {"needed": one.needed}, order)
    if one.ended_at is not None:
        yield Happening(one.ended_at, f"batch_{one.state}", rows)


async def _stalled_batches(
    tx: ReadTx, _: Settings, now: datetime, limit: int
) -> Sequence[WorkItem]:
    found = await store.stalled_batches(tx, now - STILL, limit)
    return [
        WorkItem(
            subject(one.account, one.batch),
            one.since,
            one.since + STILL,
            {"open": one.open, "now": Sentence(f"batch.told.{one.state}", {})},
        )
        for one in found
    ]


KNOWS = Knows(find=_find, tell=_tell)
WORK = (
    WorkList(name="batches", permission=Permission.CONSOLE_OPERATIONS, waiting=_stalled_batches),
)
