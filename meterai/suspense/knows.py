"""Suspense items in the staff console: search by number, timeline of an item, list of open items."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from meterai.accounts import Permission
from meterai.kit.ids import read_typed, show
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList
from meterai.suspense import store
from meterai.suspense.model import Item

NUMBER_LENGTH_MAX = 100  # characters of a reference or of a payment's number
EVIDENCE_LENGTH_MAX = (
    2_000  # characters of lines of a record and of the books; the command `breaks show` prints all
)
ITEMS_TOLD_MAX = 50  # most items on the timeline of one order


def subject(item: Item) -> Subject:
    """Return the `Subject` that names a suspense item in the console."""
    return Subject(SubjectKind.SUSPENSE, show("sus", item.id))


async def items_of(tx: ReadTx, references: Sequence[str]) -> list[Item]:
    """Open and resolved suspense items with one of these references (such as our id of a payment attempt), newest first."""
    return await store.items_of(tx, references, ITEMS_TOLD_MAX) if references else []


async def find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    """Find suspense items by the item's id (`sus_...`), by our reference of its payment, or by the provider's number of that
    payment.
    """
    if (identifier := read_typed("sus", text)) is not None:
        found = await store.look(tx, identifier)
        return [subject(found)] if found else ()
    if len(text) > NUMBER_LENGTH_MAX:
        return ()
    return [subject(one) for one in await store.items_by_number(tx, text, limit)]


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """The timeline of a suspense item.  If the item is a difference, the timeline includes its evidence.

    Empty if `about` is not a suspense item.
    """
    identifier = read_typed("sus", about.shown) if about.kind == SubjectKind.SUSPENSE else None
    found = await store.look(tx, identifier) if identifier else None
    if found is None:
        return ()
    happened = list(told(found))
    if found.source != "notification" and (kept := await store.evidence(tx, found.id)):
        shown = kept.decode("utf-8", "replace")[:EVIDENCE_LENGTH_MAX]
        happened.append(
            Happening(found.opened_at, "suspense_evidence", {"evidence": shown}, for_staff=True)
        )
    return happened


def told(item: Item, about: Subject | None = None) -> Iterator[Happening]:
    """Return the events of a suspense item, which only staff see on timelines.

    On the timeline of another subject, `about` is the item, to which each event links; None on the item's own timeline.
    """
    facts = _facts(item)
    yield Happening(item.opened_at, "suspense_opened", facts, about, for_staff=True)
    if item.resolved_at is not None:
        yield Happening(
            item.resolved_at,
            "suspense_resolved",
            facts,
            about,
            item.resolved_by or "",
            for_staff=True,
        )


def _facts(item: Item) -> dict[str, object]:
    return {
        "item": show("sus", item.id),
        "reason": Sentence(f"suspense.reason.{item.reason}", {}),
        "amount": item.amount,
        "booked": item.booked,
        "difference": item.difference,
        "reference": item.reference,
        "payment": item.payment,
        "owner": item.owner,
        "due_at": item.due_at,
        "resolution": Sentence(f"suspense.resolution.{item.resolution}", {}),
        "note": item.note,
    }


async def _open(tx: ReadTx, _: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    return [
        WorkItem(subject(one), one.opened_at, one.due_at, _facts(one))
        for one in await store.open_items(tx, limit)
    ]


KNOWS = Knows(find=find, tell=tell)
WORK = (WorkList(name="suspense", permission=Permission.CONSOLE_READ, waiting=_open),)
