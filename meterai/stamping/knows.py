"""Look-up of stampings for staff and complaints: search by number, reference or digest; timeline; stuck stampings."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from meterai import notifications, stamps
from meterai.accounts import Permission
from meterai.kit.ids import read_typed, show
from meterai.kit.labels import REFERENCE_LENGTH_MAX
from meterai.kit.paging import WHOLE
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.kit.text import named
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.messages import catalogue
from meterai.room import Knows, WorkList
from meterai.stamping import store
from meterai.stamping.model import Stamping, StampingState
from meterai.stamps import StampTold

STAMPINGS_TOLD_MAX = 50  # stampings from the balance on the timeline of an account, newest first
# Sealing takes seconds, and an interrupted stamping is resumed within a minute. Staff look at stampings reserved for longer.
STUCK_AFTER = timedelta(minutes=2)
_DIGEST_CHARACTERS = 64
_MAILED = ("stamping_delivered", "stamping_failed")  # causes of the mails of stampings


def subject(account: UUID, stamping: UUID) -> Subject:
    """Return the subject (of a timeline) that stands for a stamping."""
    return Subject(SubjectKind.STAMPING, show("stg", stamping), account)


async def find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    """Find stampings by number, by SHA-256 of the original or stamped file in hexadecimal, or by the client's reference."""
    if (stamping := read_typed("stg", text)) is not None:
        found = await store.by_id(tx, stamping)
    elif (digest := _digest(text)) is not None:
        found = await store.by_digest(tx, digest, limit)
    elif len(text) <= REFERENCE_LENGTH_MAX:
        found = await store.by_reference(tx, text, limit)
    else:
        return ()
    return [subject(one.account, one.stamping) for one in found]


def _digest(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if len(text) == _DIGEST_CHARACTERS else None
    except ValueError:
        return None


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """Return the events of stampings for the timeline of a subject.

    The subject is a stamping, a serial (its stamping), an order (the stampings of its documents), or an account (its
    newest stampings from the balance).
    """
    if about.account is None:
        return ()
    match about.kind:
        case SubjectKind.STAMPING if stamping := read_typed("stg", about.shown):
            found = await store.stampings(tx, about.account, [stamping])
        case SubjectKind.SERIAL:
            record = await stamps.stamp(tx, about.account, about.shown)
            wanted = [record.stamping] if record else []
            found = await store.stampings(tx, about.account, wanted)
        case SubjectKind.ORDER if order := read_typed("ord", about.shown):
            found = await store.stampings_of_orders(tx, about.account, [order])
        case SubjectKind.ACCOUNT:
            newest = await store.from_balance(tx, about.account, WHOLE.before, STAMPINGS_TOLD_MAX)
            return [_requested(one, subject(one.account, one.id)) for one in newest]
        case _:
            return ()
    every = await stamps.stamps_told(tx, about.account, [one.id for one in found])
    causes = [f"{cause}:{one.id}" for one in found for cause in _MAILED]
    return [
        *(happened for one in found for happened in _happenings(one, every, about)),
        *await notifications.mails_told(tx, about.account, causes),
    ]


def _facts(one: Stamping) -> dict[str, object]:
    return {
        "document": named(one.document_name),
        "digest": one.sha256_original.hex(),
        "stamped": one.sha256_stamped.hex() if one.sha256_stamped else None,
        "serials": ", ".join(one.serials),
        "due_at": one.due_at,
        "kept_until": one.kept_until,
        "stage": Sentence(f"state.stamping.{one.state}", {}),
        "reason": Sentence(_reason(one.refused), {}),
        "stamping": show("stg", one.id),
    }


def _reason(code: str | None) -> str:
    """Return the message key of the sentence with the reason of a failure.

    The sentence does not say whether the stamp was given back.
    """
    own = f"stamping.refused.{code}"
    key = own if own in catalogue() else f"refusal.{code}"
    sentences = catalogue().get(key, {"": "{"})
    return "stamping.refused" if any("{" in one for one in sentences.values()) else key


def _requested(one: Stamping, about: Subject | None) -> Happening:
    return Happening(one.requested_at, "stamping_asked", _facts(one), about)


def _happenings(one: Stamping, every: Sequence[StampTold], about: Subject) -> Iterator[Happening]:
    itself = subject(one.account, one.id)
    link = None if about == itself else itself
    facts = _facts(one)
    yield _requested(one, link)
    if one.order is not None and about.kind != SubjectKind.ORDER:
        of = Subject(SubjectKind.ORDER, show("ord", one.order), one.account)
        yield Happening(one.requested_at, "stamping_of_order", {"order": of.shown}, of)
    mine = [stamp for stamp in every if stamp.stamping == one.id]
    if mine and about.kind != SubjectKind.SERIAL:
        serials = ", ".join(stamp.serial for stamp in mine)
        at = min(stamp.reserved_at for stamp in mine)
        yield Happening(at, "stamping_reserved", facts | {"serials": serials}, link)
    if one.delivered_at is not None:
        yield Happening(one.delivered_at, "stamping_delivered", facts, link)
    if one.state == StampingState.FAILED:
        ended = [stamp.voided_at for stamp in mine if stamp.voided_at is not None]
        yield Happening(max(ended, default=one.requested_at), "stamping_failed", facts, link)
    if one.is_forgotten:
        yield Happening(one.kept_until, "stamping_forgotten", facts, link)


async def _stuck_stampings(
    tx: ReadTx, _: Settings, now: datetime, limit: int
) -> Sequence[WorkItem]:
    return [
        WorkItem(
            subject(one.account, one.stamping),
            one.requested_at,
            one.due_at,
            {"tries": one.tries, "quantity": one.quantity, "stamping": show("stg", one.stamping)},
        )
        for one in await store.stuck(tx, now - STUCK_AFTER, limit)
    ]


KNOWS = Knows(find=find, tell=tell)
WORK = (
    WorkList(name="stampings_stuck", permission=Permission.CONSOLE_READ, waiting=_stuck_stampings),
)
