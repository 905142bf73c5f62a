"""Levers: acts of staff that are pulled at the command line and in the console by one way.

A room registers a `Lever` beside the command of the same name.  Whoever pulls one (the room `approvals`) asks for its
permission, makes its forecast, asks for an approval where one is needed, and carries it out in one transaction with
its record in the audit trail.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec

from meterai.kit.actor import Actor
from meterai.kit.subjects import Subject, SubjectKind
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx, Tx

# An argument of a lever that is a moment: one without an offset is refused.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull of a lever: who, when, why, and the settings in force."""

    actor: Actor
    at: datetime
    reason: str
    settings: Settings


Offered = Callable[[Subject], Mapping[str, str] | None]


def offered_on(kind: SubjectKind, argument: str) -> Offered:
    """Offers a lever on the timelines of subjects of a kind; `argument` is the subject as it is shown."""
    return lambda subject: {argument: subject.shown} if subject.kind == kind else None


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a lever will do: `effect.<word>` in the messages of its room, filled in by `facts`.

    `about` is the thing it is done to.  Facts must not change with time alone, such as an age: the forecast of an
    approval is compared with the one that was shown.
    """

    word: str
    facts: Mapping[str, object] = field(default_factory=dict)
    about: Subject | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The dry run of a lever: its effects, how many rows it changes, and how many rupiah it moves."""

    effects: Sequence[Effect]
    rows: int
    rupiah: int = 0

    def as_json(self) -> bytes:
        """The forecast as it is kept and shown: the same bytes for the same effects."""
        return msgspec.json.encode(msgspec.to_builtins(self), order="sorted")

    def digest(self, lever: str, arguments: msgspec.Struct) -> bytes:
        """SHA-256 of the lever, its arguments and the forecast: what an approver approves."""
        return digest_of(lever, msgspec.to_builtins(arguments), self)


def digest_of(lever: str, arguments: object, forecast: object) -> bytes:
    """`Forecast.digest` of a lever, its arguments and its forecast, made now or read back from JSON."""
    told = msgspec.json.encode([lever, arguments], order="sorted")
    shown = msgspec.json.encode(msgspec.to_builtins(forecast), order="sorted")
    return hashlib.sha256(told + b"\n" + shown).digest()


class NoArguments(msgspec.Struct, frozen=True):
    """Arguments of a lever that takes none but the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """One act of staff.

    name       the words of its command, such as `issuing stop`
    permission who may pull it: a staff permission (`accounts`)
    arguments  a Struct of what it is told; its fields are those of its form
    forecast   says what it will do, and changes nothing; refuses what it would refuse
    carry_out  does it, in the transaction it is given; must not commit, call or send anything
    is_always_approved  true where a second person approves it by default whatever it moves
    offered    the arguments with which it is offered on the timeline of a subject, None where it is not
    happened   the word of a happening without which it is not offered on a timeline: that it is a collector, say
    """

    name: str
    permission: str
    arguments: type[msgspec.Struct]
    forecast: Callable[[ReadTx, Any, Pull], Awaitable[Forecast]]
    carry_out: Callable[[Tx, Any, Pull], Awaitable[None]]
    is_always_approved: bool = False
    offered: Offered = lambda _subject: None
    happened: str = ""
