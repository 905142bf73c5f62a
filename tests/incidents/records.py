"""Incidents opened by tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from meterai import incidents
from meterai.incidents import Incident, IncidentChange, IncidentState, IncidentText
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.components import Component, ComponentState
from meterai.plumbing.db.database import Tx
from tests.support.shop import TESTER, Shop

NOW = datetime.now(UTC).replace(microsecond=0)
BUYING_DOWN = {Component.BUYING: ComponentState.MAJOR_OUTAGE}
WATCH = Actor(ActorKind.JOB, "incidents_watch")


TOLD = IncidentText(
    title_id="Pembelian tidak berfungsi",
    title_en="Buying does not work",
    text_id="Kami sedang mencari sebabnya.",
    text_en="We are looking for the cause.",
)


def opened(shop: Shop, **more: Any) -> Incident:
    """Open an incident about buying, by staff unless `more` names another actor."""
    facts: dict[str, Any] = {
        "told": TOLD,
        "components": BUYING_DOWN,
        "started_at": NOW - timedelta(minutes=10),
        "at": NOW,
        "actor": TESTER,
    } | more
    begun = IncidentChange(state=IncidentState.INVESTIGATING, components=facts.pop("components"))

    async def act(tx: Tx) -> Incident:
        return await incidents.open_one(tx, begun, **facts)

    return shop.do(shop.container.database.run(act))


def announced(
    shop: Shop, begins: timedelta = timedelta(days=1), ends: timedelta = timedelta(days=1, hours=2)
) -> Incident:
    """Announce a maintenance of checking, tomorrow by default."""

    async def act(tx: Tx) -> Incident:
        planned = NOW + begins, NOW + ends
        return await incidents.announce(
            tx, [Component.CHECKING], TOLD, planned, at=NOW, actor=TESTER
        )

    return shop.do(shop.container.database.run(act))


def updated(shop: Shop, of: Incident, state: IncidentState, **more: Any) -> Incident:
    """Update a record to this state."""
    at, actor = more.pop("at", NOW + timedelta(minutes=1)), more.pop("actor", TESTER)

    async def act(tx: Tx) -> Incident:
        return await incidents.update(
            tx, of.id, IncidentChange(state=state, **more), TOLD, at=at, actor=actor
        )

    return shop.do(shop.container.database.run(act))


def loaded(shop: Shop, of: Incident) -> Incident:
    """Return the stored record."""

    async def act(tx: Tx) -> Incident:
        return await incidents.one(tx, of.id)

    return shop.do(shop.container.database.run(act))
