"""Levers that two people pulled, and requests that ended otherwise or still wait."""

from meterai.kit.ids import show
from tests.support.history import History
from tests.support.lines import BUYING
from tests.support.pulling import member

AFTER = ("suspense",)


def happen(history: History) -> None:
    shop, always = history.shop, {"approval_always": "line resume, refunds ask"}
    approver = member(shop, "supervisor", settings=always)
    for name in ("executed", "declined", "withdrawn", "expired", "waiting"):
        seconds = 0.001 if name == "expired" else 3_600.0
        settings = {**always, "approval_lives_seconds": seconds}
        asker = member(shop, "operations", settings=settings)
        pulled = asker.pull("line resume", name=BUYING)
        if name in ("executed", "declined"):
            approver.decide(pulled, approve=name == "executed")
        elif name == "withdrawn":
            asker.withdraw(pulled)
        elif name == "expired":
            while not shop.do(asker.service.expire()):
                pass  # the clock has stepped back since the request
        history.names[f"approval_{name}"] = pulled.request
    order = history.quota("regretted", 2)
    pulled = member(shop, "finance", settings=always).pull("refunds ask", order=show("ord", order))
    shop.ask_back(order)
    approver.decide(pulled)
    history.names["approval_overtaken"] = pulled.request
    shop.work()
