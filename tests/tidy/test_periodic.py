"""Every round handles each of its rows by itself (meterai/plumbing/periodic.py)."""

import ast
import inspect
import textwrap
from types import SimpleNamespace
from typing import Any, cast

from meterai.apps.container import House
from meterai.apps.retention import RULES
from meterai.apps.worker import rounds
from meterai.documents import DocumentDesk
from meterai.notifications import MailDesk
from meterai.orders import OrderDesk
from meterai.payments import PaymentDesk
from meterai.plumbing.jobs import Rounds
from meterai.refunds import RefundDesk
from meterai.stamping import StampingDesk
from meterai.suspense import SuspenseDesk

DESKS: dict[str, type] = {
    "documents": DocumentDesk,
    "mails": MailDesk,
    "orders": OrderDesk,
    "payments": PaymentDesk,
    "refunds": RefundDesk,
    "stamping": StampingDesk,
    "suspense": SuspenseDesk,
}
# Rounds without rows of their own, each with its reason.
WITHOUT_ROWS: dict[str, str] = {
    f"retention_{rule.name}": "one statement takes a batch and passes by rows that are held"
    for rule in RULES
} | {
    "watch_suspense": "counts what is open, for the metrics",
    "watch_queues": "counts what waits, for the metrics",
}


def every_round() -> list[Rounds]:
    return list(rounds(cast(House, SimpleNamespace(**DESKS, database=None, clock=None))))


def calls_of_each(sweep: Any) -> list[ast.Call]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(sweep)))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name | ast.Attribute)
        and (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) == "each"
    ]


def name_of(call: ast.Call, sweep: Any) -> object:
    """What a round calls itself: a constant, of its module or of a module it has imported."""
    return eval(ast.unparse(call.args[1]), vars(inspect.getmodule(sweep)))


def test_every_round_hands_its_rows_to_each_under_its_own_name() -> None:
    wrong = []
    for one in every_round():
        if one.name in WITHOUT_ROWS:
            continue
        names = {name_of(call, one.sweep) for call in calls_of_each(one.sweep)}
        if names != {one.name}:
            wrong.append(f"{one.name}: {one.sweep.__qualname__} hands its rows to {names or None}")
    assert not wrong, "\n".join(wrong)


def test_no_round_gathers_rows_by_itself() -> None:
    for one in every_round():
        source = inspect.getsource(one.sweep)
        assert "gather(" not in source, f"{one.name}: one row that fails ends it for the others"
