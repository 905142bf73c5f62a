"""Registration of the room `finance`."""

from collections.abc import Sequence

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.finance import pages
from meterai.finance.audited import AUDITED
from meterai.finance.figures import FIGURES
from meterai.finance.invariants import (
    INVARIANTS,
    POSTINGS,
    compare_channel_sums,
    compare_closed_days,
    verify_manifests,
)
from meterai.finance.jobs import HANDLERS
from meterai.finance.knows import KNOWS, WORK
from meterai.finance.levers import LEVERS
from meterai.finance.metrics import METRICS
from meterai.finance.model import DAY_SUBJECT, PAYOUT, PAYOUT_SUBJECT
from meterai.finance.retention import RETENTION
from meterai.finance.service import FinanceService
from meterai.plumbing.db.checks import Check
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room

MEASURING = "measure_finance"
MEASURING_SECONDS = 300.0  # between two sums over the entries since the last close

COUNTING = "count_channels"
COUNTING_SECONDS = 30.0  # between two counts by channel, the longest delay of the console's figures


async def _build(container: Container) -> None:
    container.add(FinanceService(container.database, container.keyring, container.clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    finance = container.of(FinanceService)
    return [
        PeriodicTask(
            MEASURING,
            finance.measure,
            MEASURING_SECONDS,
            without_rows="counts the days to close and sums the duty that is due, for the metrics",
        ),
        PeriodicTask(
            COUNTING,
            finance.count_channels,
            COUNTING_SECONDS,
            without_rows=(
                "one transaction adds the entries since the last run to the sums by channel"
            ),
        ),
    ]


def _command(name: str, function: str, needs: Directory = Directory.DATABASE) -> Command:
    there = f"meterai.finance.commands:{function}"
    return Command(f"finance {name}", there, needs, DemandScope.DATABASE, Schema.CURRENT)


COMMANDS = (
    _command("trial-balance", "trial_balance"),
    _command("statement", "statement"),
    _command("ageing", "ageing"),
    _command("channels", "by_channel"),
    _command("export", "export"),
    _command("ledger", "write_ledger"),
    _command("close", "close", Directory.NEEDED),
    _command("payouts", "list_payouts"),
    *(_command(f"payout {word}", word) for word in ("propose", "send", "confirm", "fail")),
    Command(
        "finance verify",
        "meterai.finance.commands:verify",
        Directory.SETTINGS,
        DemandScope.NOTHING,
        Schema.NONE,
    ),
)
CHECKS: tuple[Check, ...] = (verify_manifests, compare_closed_days, compare_channel_sums)
ROOM = Room(
    name="finance",
    subjects=[DAY_SUBJECT, PAYOUT_SUBJECT],
    global_tables={
        "day_closes": "a day of the books of the whole installation",
        "day_close_sums": "a day of the books of the whole installation",
        "payouts": "duty of the whole installation, paid to the treasury",
        "channel_sums": "the books of the whole installation, by day and channel",
        "channel_counts": "one row: the time up to which the books are counted by channel",
    },
    lifecycles=(PAYOUT,),
    build=_build,
    services={"finance": FinanceService},
    routes=pages.routes,
    pages=pages.PAGES,
    tasks=_tasks,
    handlers=HANDLERS,
    levers=LEVERS,
    knows=KNOWS,
    work=WORK,
    commands=COMMANDS,
    command_groups={
        "finance": "Reports and closes for a controller.",
        "finance payout": "Payouts of duty to the treasury.",
    },
    figures=FIGURES,
    metrics=METRICS,
    invariants=INVARIANTS,
    postings=POSTINGS,
    checks=CHECKS,
    audited=AUDITED,
    retention=RETENTION,
)
