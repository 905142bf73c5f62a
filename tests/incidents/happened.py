"""An open incident, a reviewed one, and a planned maintenance of which a subscriber is notified."""

from datetime import UTC, datetime, timedelta

from meterai import incidents
from meterai.incidents import IncidentChange, IncidentState, IncidentText
from meterai.incidents.subscribing import Subscriptions
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.components import Component, ComponentState
from meterai.plumbing.db.database import Tx
from tests.support.history import History
from tests.support.shop import TESTER

AFTER = ("privacy",)


def happen(history: History) -> None:
    news = history.shop.container.of(Subscriptions)
    history.shop.do(news.ask("ani@example.id", "id", "192.0.2.1"))
    [row] = history.shop.rows("SELECT subscriber_id FROM incident_subscribers")
    history.shop.do(news.confirm(row["subscriber_id"]))
    told = IncidentText(title_id="Judul", title_en="Title", text_id="Kabar.", text_en="News.")
    now = datetime.now(UTC)

    def begun(component: Component) -> IncidentChange:
        states = {component: ComponentState.MAJOR_OUTAGE}
        return IncidentChange(state=IncidentState.INVESTIGATING, components=states)

    async def act(tx: Tx) -> None:
        held, over = [
            await incidents.open_one(
                tx, begun(one), told, started_at=now, at=now, actor=Actor(ActorKind.JOB, "watch")
            )
            for one in (Component.BUYING, Component.CHECKING)
        ]
        over_now = IncidentChange(state=IncidentState.RESOLVED)
        await incidents.update(tx, over.id, over_now, told, at=now, actor=TESTER)
        await incidents.review(tx, over.id, "Diubah.", "Changed.", at=now, actor=TESTER)
        times = now + timedelta(days=1), now + timedelta(days=1, hours=1)
        await incidents.announce(tx, [Component.LINE], told, times, at=now, actor=TESTER)
        history.names |= {"held.incident": held.id, "over.incident": over.id}

    history.shop.do(history.shop.container.database.run(act))
    while history.shop.do(news.tell()):
        pass
    history.shop.work()
