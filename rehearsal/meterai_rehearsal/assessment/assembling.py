"""Data of a report, from the given files."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from meterai import __version__
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.files import read_file
from meterai_rehearsal import results
from meterai_rehearsal.assessment.judgement import (
    RECOVERY_SECONDS,
    first_page,
    missing_of,
    tested,
)
from meterai_rehearsal.assessment.measured import run_part
from meterai_rehearsal.assessment.model import SCHEMA, Assessment, File, LivePart, PlanPart, Source
from meterai_rehearsal.curves import shapes
from meterai_rehearsal.simulation.model import SCHEMA as PLAN_SCHEMA
from meterai_rehearsal.simulation.model import Plan

PLAN_BYTES_MAX = 16 * 1024 * 1024


class PlanUnreadable(CommandRefusal):
    """The file is not an output of `meterai plan --json` of this version."""

    code = "plan_unreadable"
    status = 422

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def file_of(path: Path, length_max: int) -> File:
    """Return name, size and digest of a file."""
    content = read_file(path, length_max)
    return File(path.name, len(content), hashlib.sha256(content).hexdigest())


def plan_of(path: Path) -> PlanPart:
    """Read a simulation from its file. Refuses `PlanUnreadable`."""
    try:
        plan = msgspec.json.decode(read_file(path, PLAN_BYTES_MAX), type=Plan)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise PlanUnreadable(str(path)) from None
    if plan.schema != PLAN_SCHEMA:
        raise PlanUnreadable(str(path))
    safe = plan.safe_rate
    headroom = None if safe is None else 1 - plan.needed_rate.mean / safe.low
    return PlanPart(file_of(path, PLAN_BYTES_MAX), plan, headroom)


def assess(
    paths: Sequence[Path],
    plan_path: Path | None,
    bound_seconds: float,
    core_hour_rupiah: int | None,
    live: LivePart | None = None,
) -> Assessment:
    """Return all data of the report. Refuses `RunUnreadable`, `PlanUnreadable`."""
    runs = tuple(
        run_part(results.read(path), file_of(path, results.RUN_BYTES_MAX), core_hour_rupiah)
        for path in paths
    )
    plan = None if plan_path is None else plan_of(plan_path)
    return Assessment(
        schema=SCHEMA,
        version=__version__,
        bound_seconds=bound_seconds,
        recovery_bound_seconds=RECOVERY_SECONDS,
        tested=tested(runs),
        first_page=first_page(runs, plan, bound_seconds),
        files=len(runs) + (plan is not None),
        runs=runs,
        plan=plan,
        live=live,
        sources=tuple(
            Source(name, one.title, one.source, one.known, one.ours)
            for name, one in shapes().items()
        ),
        missing=tuple(missing_of(runs, plan)),
    )
