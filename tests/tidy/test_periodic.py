"""Every periodic task handles each of its rows independently, or declares that it has none.

See meterai/plumbing/work/periodic.py.
"""

import ast
import inspect
import textwrap
from types import SimpleNamespace
from typing import Any, cast

from meterai.apps.rooms import ROOMS, offers_of
from meterai.apps.worker import periodic_tasks
from meterai.plumbing.observe.stations import Stations
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Rooms


def every_task(rooms: Rooms = ROOMS) -> list[PeriodicTask]:
    # Services are not built: each task is a function of its class.
    unbuilt = SimpleNamespace(
        of=lambda kind: kind,
        database=None,
        clock=None,
        stations=Stations(),
        offers=offers_of(rooms),
    )
    return list(periodic_tasks(cast(Container, unbuilt), rooms))


def calls_of_each(run: Any) -> list[ast.Call]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(run)))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name | ast.Attribute)
        and (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) == "each"
    ]


def name_of(call: ast.Call, run: Any) -> object:
    """The name of a periodic task: a constant of its module or of an imported one."""
    return eval(ast.unparse(call.args[1]), vars(inspect.getmodule(run)))


def test_every_task_handles_its_rows_by_each_under_its_name(rooms: Rooms) -> None:
    wrong = []
    for one in every_task(rooms):
        names = {name_of(call, one.run) for call in calls_of_each(one.run)}
        if names != (set() if one.without_rows else {one.name}):
            wrong.append(f"{one.name}: {one.run.__qualname__} hands its rows to {names or None}")
    assert not wrong, "\n".join(wrong)


def test_task_does_not_gather_rows_itself(rooms: Rooms) -> None:
    for one in every_task(rooms):
        source = inspect.getsource(one.run)
        assert "gather(" not in source, f"{one.name}: one row that fails ends it for the others"
