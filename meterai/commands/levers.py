"""Levers: staff actions with a forecast, which work the same at the command line and in the console.

A room registers a `Lever` beside the command of the same name. The room `approvals` checks the permission, makes the
forecast, requests an approval if one is needed, and carries the lever out in one transaction with its record in the
audit trail.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec

from meterai.kit.actor import Actor
from meterai.kit.subjects import Subject
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx, Tx

# Argument of a lever that is a time; a time without an offset is refused.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True, slots=True)
class Pull:
    """One use of a lever: actor, time, reason, and the current settings."""

    actor: Actor
    at: datetime
    reason: str
    settings: Settings


Offered = Callable[[Subject], Mapping[str, str] | None]


def offered_on(kind: str, argument: str) -> Offered:
    """Return the `offered` function of a lever that is offered on the timeline of every subject of a kind. The
    function sets the lever's argument named `argument` to the public id of the subject.
    """
    return lambda subject: {argument: subject.shown} if subject.kind == kind else None


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of a lever, shown as the message `effect.<word>` of its room, filled from `facts`.

    `about` is the changed subject. Facts must not depend on the current time, as an age does: at the approval the
    forecast is made again and must equal the one that was shown.
    """

    word: str
    facts: Mapping[str, object] = field(default_factory=dict)
    about: Subject | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """Result of a dry run of a lever: its effects, the number of rows that it would change, and the rupiah that it
    would move.
    """

    effects: Sequence[Effect]
    rows: int
    rupiah: int = 0

    def as_json(self) -> bytes:
        """Return the forecast as JSON; equal forecasts give equal bytes."""
        return msgspec.json.encode(msgspec.to_builtins(self), order="sorted")

    def digest(self, lever: str, arguments: msgspec.Struct) -> bytes:
        """Return the SHA-256 of the name of a lever (a staff action), its arguments and this forecast. An approval is valid for
        this hash alone.
        """
        return digest_of(lever, msgspec.to_builtins(arguments), self)


def digest_of(lever: str, arguments: object, forecast: object) -> bytes:
    """Return `Forecast.digest` for a lever, its arguments and its forecast, each as an object or as read from stored
    JSON.
    """
    encoded = msgspec.json.encode([lever, arguments], order="sorted")
    shown = msgspec.json.encode(msgspec.to_builtins(forecast), order="sorted")
    return hashlib.sha256(encoded + b"\n" + shown).digest()


class NoArguments(msgspec.Struct, frozen=True):
    """Arguments of a lever that has only a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """A staff action with a forecast.

    name          the words of its command, such as `issuing stop`
    permission    the staff permission (`accounts`) that it needs
    arguments     Struct of its arguments; the Struct's fields are the fields of its form
    forecast      returns its effects without changing anything; refuses what `carry_out` would refuse
    carry_out     executes it in the given transaction; must not commit, call providers or send anything
    is_always_approved  True if a second person must always approve it, whatever rupiah or rows it changes
    offered       for a subject, returns the arguments with which its timeline offers the lever; None if it does not
                  offer it
    happened      kind of event that a timeline must contain to offer the lever, such as the approval of a collector
    """

    name: str
    permission: str
    arguments: type[msgspec.Struct]
    forecast: Callable[[ReadTx, Any, Pull], Awaitable[Forecast]]
    carry_out: Callable[[Tx, Any, Pull], Awaitable[None]]
    is_always_approved: bool = False
    offered: Offered = lambda _subject: None
    happened: str = ""
