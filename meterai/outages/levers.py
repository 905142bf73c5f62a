"""Levers of outage records (staff actions with a forecast): confirm, by two persons, or withdraw a proposal."""

from collections.abc import Sequence

import msgspec

from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Pull, offered_on
from meterai.kit.actor import ActorKind
from meterai.kit.ids import read, show
from meterai.kit.subjects import Subject
from meterai.outages import proposing
from meterai.outages.model import (
    OUTAGE,
    OUTAGE_KIND,
    OUTAGE_SUBJECT,
    Outage,
    OutageEvent,
    OutageNeedsStaff,
)
from meterai.outages.rules import MINUTE
from meterai.plumbing.db.database import ReadTx, Tx


class OutageArguments(msgspec.Struct, frozen=True):
    """Argument of a lever (staff action): an outage record, as `out_...`."""

    outage: str


_offered = offered_on(OUTAGE_SUBJECT.kind, "outage")


async def _confirming(tx: ReadTx, arguments: OutageArguments, pull: Pull) -> Forecast:
    if pull.actor.kind is not ActorKind.STAFF:
        raise OutageNeedsStaff("a record needs the confirmation of two members of staff")
    found = await _proposed(tx, arguments, OutageEvent.CONFIRMED)
    await proposing.check_replaced(tx, found)
    return Forecast(effects("outage_is_confirmed", found), rows=2 if found.replaces else 1)


async def _withdrawing(tx: ReadTx, arguments: OutageArguments, _: Pull) -> Forecast:
    found = await _proposed(tx, arguments, OutageEvent.WITHDRAWN)
    return Forecast(effects("outage_is_withdrawn", found)[:1], rows=1)


async def _proposed(tx: ReadTx, arguments: OutageArguments, event: OutageEvent) -> Outage:
    found = await proposing.needed(tx, read(OUTAGE_KIND, arguments.outage))
    OUTAGE.after(found.state, event)
    return found


def effects(word: str, outage: Outage) -> Sequence[Effect]:
    """Return what the forecast of a lever (staff action) shows: each period of failure, and the hash of the findings, to
    which an approval is bound.
    """
    about = Subject(OUTAGE_SUBJECT.kind, outage.shown)
    facts = {
        "outage": outage.shown,
        "begin_at": outage.begins_at,
        "end_at": outage.ends_at,
        "sha256": outage.findings_sha256.hex(),
    }
    replaced = {"replaced": show(OUTAGE_KIND, outage.replaces)} if outage.replaces else None
    found = outage.findings
    minutes = [
        sum((one.end - one.begin) // MINUTE for one in spans) for spans in found.unmeasured.values()
    ]
    measured = {
        "watchers": len(found.watchers),
        "unmeasured": max(minutes, default=0),
        "left_out": ", ".join(sorted({one.watcher for one in found.left_out})),
    }
    return [
        Effect(word, facts, about),
        *([Effect("outage_replaces", replaced, about)] if replaced else []),
        *(
            Effect(
                f"outage_fails_{act}",
                {"begin_at": one.begin, "end_at": one.end, "minutes": one.failed_minutes},
                about,
            )
            for act, periods in found.failed.items()
            for one in periods
        ),
        Effect("outage_measured", measured, about),
    ]


async def _confirm(tx: Tx, arguments: OutageArguments, pull: Pull) -> None:
    outage = read(OUTAGE_KIND, arguments.outage)
    await proposing.confirm(tx, outage, actor=pull.actor, at=pull.at)


async def _withdraw(tx: Tx, arguments: OutageArguments, pull: Pull) -> None:
    outage = read(OUTAGE_KIND, arguments.outage)
    await proposing.withdraw(tx, outage, actor=pull.actor, at=pull.at)


CONFIRM = Lever(
    name="outage confirm",
    permission=Permission.CONSOLE_INCIDENTS,
    arguments=OutageArguments,
    forecast=_confirming,
    carry_out=_confirm,
    is_always_approved=True,
    offered=_offered,
)
WITHDRAW = Lever(
    name="outage withdraw",
    permission=Permission.CONSOLE_INCIDENTS,
    arguments=OutageArguments,
    forecast=_withdrawing,
    carry_out=_withdraw,
    offered=_offered,
)
LEVERS = (CONFIRM, WITHDRAW)
