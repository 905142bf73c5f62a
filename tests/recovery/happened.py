"""A recovery that moved one step on, one step back, and was given up."""

from datetime import UTC, datetime
from functools import partial

from meterai import incidents
from meterai.incidents import IncidentChange, IncidentState, IncidentText
from meterai.incidents.subscribing import Subscriptions
from meterai.kit.components import Component, ComponentState
from meterai.plumbing.db.database import Tx
from meterai.recovery import steps as recovery_steps
from meterai.recovery.model import StepEvent
from tests.support.history import History
from tests.support.shop import TESTER

AFTER = ("incidents",)


def happen(history: History) -> None:
    told = IncidentText(title_id="Judul", title_en="Title", text_id="Kabar.", text_en="News.")
    now, states = datetime.now(UTC), {Component.PAYMENT: ComponentState.PARTIAL_OUTAGE}
    begun = IncidentChange(state=IncidentState.INVESTIGATING, components=states)

    async def start(tx: Tx) -> None:
        one = await incidents.open_one(tx, begun, told, started_at=now, at=now, actor=TESTER)
        await recovery_steps.start(tx, one, at=now, actor=TESTER)

    async def move(tx: Tx, event: StepEvent) -> None:
        recovery = await recovery_steps.locked(tx)
        await recovery_steps.move(tx, recovery, event, at=now, actor=TESTER)

    database = history.shop.container.database
    history.shop.do(database.run(start))
    for event in (StepEvent.NEXT, StepEvent.BACK, StepEvent.ABANDONED):
        history.shop.do(database.run(partial(move, event=event)))
    while history.shop.do(history.shop.container.of(Subscriptions).tell()):
        pass
    history.shop.work()
