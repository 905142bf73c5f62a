"""Levers (staff actions with a forecast) of breaches: enter, notify, close."""

import msgspec

from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Moment, Pull, offered_on
from meterai.kit.ids import new_id
from meterai.kit.subjects import Subject
from meterai.kit.text import one_line
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.privacy import breaches
from meterai.privacy.breaches import BreachRecipient
from meterai.privacy.model import BREACH_SUBJECT, Breach, BreachKnownLater, words

_TEXTS = ("exposed_id", "exposed_en", "happened_id", "happened_en", "handling_id", "handling_en")


class OpenArguments(msgspec.Struct, frozen=True):
    """A breach to enter: time of discovery, subjects (`all`, or accounts), and texts in both languages."""

    known_at: Moment
    subjects: str
    exposed_id: str
    exposed_en: str
    happened_id: str
    happened_en: str
    handling_id: str
    handling_en: str


class TellArguments(msgspec.Struct, frozen=True):
    """A breach as `brc_...`, and the recipient to be notified."""

    breach: str
    who: BreachRecipient


class BreachCloseArguments(msgspec.Struct, frozen=True):
    """Arguments: a breach as `brc_...`, and the reason why a recipient was not notified; the reason is empty if subjects and
    agency were notified.
    """

    breach: str
    not_told: str = ""


def _texts(arguments: OpenArguments) -> list[str]:
    return [words(getattr(arguments, name), name) for name in _TEXTS]


async def _opening(tx: ReadTx, arguments: OpenArguments, pull: Pull) -> Forecast:
    _texts(arguments)
    if arguments.known_at > pull.at:
        raise BreachKnownLater("the time when it became known is in the future")
    subjects = await breaches.subjects_of(tx, arguments.subjects)
    facts = {"known_at": arguments.known_at, "count": len(subjects or ())}
    word = "breach_opens" if subjects is not None else "breach_opens_of_all"
    return Forecast([Effect(word, facts)], rows=1)


async def _open(tx: Tx, arguments: OpenArguments, pull: Pull) -> None:
    subjects = await breaches.subjects_of(tx, arguments.subjects)
    await breaches.open_breach(
        tx,
        new_id(),
        _texts(arguments),
        subjects,
        known_at=arguments.known_at,
        actor=pull.actor,
        at=pull.at,
    )


async def _telling(tx: ReadTx, arguments: TellArguments, _: Pull) -> Forecast:
    found = await breaches.one(tx, arguments.breach)
    breaches.check_untold(found, arguments.who)
    word = f"breach_{arguments.who}_told"
    if arguments.who == BreachRecipient.SUBJECTS and found.accounts is None:
        word = "breach_all_told"
    facts = {"breach": found.shown, "count": len(found.accounts or ())}
    return Forecast([Effect(word, facts, subject(found))], rows=1)


async def _tell(tx: Tx, arguments: TellArguments, pull: Pull) -> None:
    found = await breaches.one(tx, arguments.breach)
    await breaches.tell(tx, found.id, arguments.who, actor=pull.actor, at=pull.at)


async def _closing(tx: ReadTx, arguments: BreachCloseArguments, _: Pull) -> Forecast:
    found = await breaches.one(tx, arguments.breach)
    reason = one_line(arguments.not_told)
    breaches.check_closes(found, reason)
    word = "breach_closes" if found.is_told else "breach_closes_untold"
    facts = {"breach": found.shown, "not_told": reason}
    return Forecast([Effect(word, facts, subject(found))], rows=1)


async def _close(tx: Tx, arguments: BreachCloseArguments, pull: Pull) -> None:
    found = await breaches.one(tx, arguments.breach)
    reason = one_line(arguments.not_told)
    await breaches.close(tx, found.id, reason, actor=pull.actor, at=pull.at)


def subject(found: Breach) -> Subject:
    """Return the `Subject` by which the staff console refers to a breach."""
    return Subject(BREACH_SUBJECT.kind, found.shown)


_offered = offered_on(BREACH_SUBJECT.kind, "breach")
OPEN = Lever(
    name="breaches open",
    permission=Permission.CONSOLE_PRIVACY,
    arguments=OpenArguments,
    forecast=_opening,
    carry_out=_open,
)
# A second person always approves: a mail to everybody cannot be recalled, and no single person may
# end the notification.
TELL = Lever(
    name="breaches tell",
    permission=Permission.CONSOLE_PRIVACY,
    arguments=TellArguments,
    forecast=_telling,
    carry_out=_tell,
    is_always_approved=True,
    offered=_offered,
)
CLOSE = Lever(
    name="breaches close",
    permission=Permission.CONSOLE_PRIVACY,
    arguments=BreachCloseArguments,
    forecast=_closing,
    carry_out=_close,
    is_always_approved=True,
    offered=_offered,
)
LEVERS = (OPEN, TELL, CLOSE)
