"""Every periodic task handles each of its rows by itself (meterai/plumbing/work/periodic.py)."""

import ast
import inspect
import textwrap
from types import SimpleNamespace
from typing import Any, cast

from meterai.apps.rooms import offers_of
from meterai.apps.worker import periodic_tasks
from meterai.plumbing.observe.stations import Stations
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.plumbing.work.retention import Leaves
from meterai.room import Container

RULES = tuple(rule for rule in offers_of().retention if isinstance(rule, Leaves))
# Periodic tasks without rows of their own, each with its reason.
WITHOUT_ROWS: dict[str, str] = {
    f"retention_{rule.name}": "one statement takes a batch and passes by rows that are held"
    for rule in RULES
} | {
    "audit": "looks at everything, and leaves one point",
    "begin_maintenance": "maintenances are few and of no account; one that cannot begin is told in the log",
    "watch_incidents": "asks the watchers; what they agree on is one transaction",
    "tell_subscribers": "one transaction takes a batch, of a row that a worker holds",
    "forget_documents": "one statement takes a batch and passes by rows that are held",
    "sweep_objects": "one statement condemns what nobody wants of a piece of the store",
    "sample_minutes": "keeps what was counted in a minute, of which a worker writes the row",
    "watch_mails": "counts what was given up, for the metrics",
    "expire_approvals": "one statement ends what nobody decided on, and passes by nothing",
    "tell_of_breaches": "breaches are few and of no account; mails to their subjects are queued one batch after another",
    "measure_webhooks": "counts what is due, for the metrics",
    "measure_batches": "counts what is under way, for the metrics",
    "measure_deposits": "counts what waits, for the metrics",
    "measure_finance": "counts days to close and adds up what is due, for the metrics",
    "count_channels": "adds what was posted since the last time up by channel, in one transaction",
    "watch_suspense": "counts what is open, for the metrics",
    "reconcile": "days are few and of no account; one that cannot be compared is put off and told",
    "weigh_floats": "banks are few and of no account; one that does not answer is asked again in a minute",
    "suspend_silence": "one transaction compares questions without an answer with their items",
    "let_record_files_go": "files are few and of no account; one that cannot be removed is tried again",
    "watch_queues": "counts what waits, for the metrics",
    "advance_recovery": "one recovery is under way at a time, of no account; it is tried again in two seconds",
    "advance_draws": "as advance_lines; one that goes no further is shown, and told in the log",
    "retire_documents": "takes files away, of lines that have ended",
    "tell_waits": "asks how long people wait, each question by itself of one row",
    "make_extracts": "one day after the other, each signed over the one before; a lock lets one worker make it",
    "advance_lines": "lines are few and of no account; one that fails is tried again in a second",
}


def every_task() -> list[PeriodicTask]:
    # Nothing is built: each task is a function of its class.
    unbuilt = SimpleNamespace(
        of=lambda kind: kind, database=None, clock=None, stations=Stations(), offers=offers_of()
    )
    return list(periodic_tasks(cast(Container, unbuilt)))


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
    """What a periodic task calls itself: a constant, of its module or of a module it has imported."""
    return eval(ast.unparse(call.args[1]), vars(inspect.getmodule(run)))


def test_every_round_hands_its_rows_to_each_under_its_own_name() -> None:
    wrong = []
    for one in every_task():
        if one.name in WITHOUT_ROWS:
            continue
        names = {name_of(call, one.run) for call in calls_of_each(one.run)}
        if names != {one.name}:
            wrong.append(f"{one.name}: {one.run.__qualname__} hands its rows to {names or None}")
    assert not wrong, "\n".join(wrong)


def test_no_round_gathers_rows_by_itself() -> None:
    for one in every_task():
        source = inspect.getsource(one.run)
        assert "gather(" not in source, f"{one.name}: one row that fails ends it for the others"
