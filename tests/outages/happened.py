"""A record of an outage in each of its states."""

from tests.support.history import History
from tests.support.outages import Keeping
from tests.support.pulling import member

AFTER = ("cases",)


def happen(history: History) -> None:
    keeping = Keeping(history.shop, history.shop.container.settings.process.directory / "watchers")
    withdrawn = keeping.propose()
    member(history.shop, "operations").pull("outage withdraw", outage=withdrawn.shown)
    replaced = keeping.sealed()
    history.names["replaced.outage"] = replaced.id
    history.names["confirmed.outage"] = keeping.sealed(replaces=replaced.id).id
    history.names["proposed.outage"] = keeping.propose().id
