"""Writing of the report from files, once the libraries of `meterai assess` are installed."""

from collections.abc import Sequence
from pathlib import Path

from meterai.kit.refusal import Malformed
from meterai_rehearsal.assessment.assembling import assess
from meterai_rehearsal.assessment.model import LivePart
from meterai_rehearsal.assessment.rendering import write

RUNS_MAX = 50  # runs of one report; each takes some pages


def write_report(
    runs: Sequence[Path],
    out: Path,
    plan: Path | None,
    lang: str,
    measures: tuple[float, int | None],
    live: LivePart | None,
) -> tuple[Path, Path]:
    """Write the report. Refuses `Malformed` without runs and live figures, `RunUnreadable`, `PlanUnreadable`."""
    if not (live is None) <= len(runs) <= RUNS_MAX:
        raise Malformed("RUN", "runs", runs_max=RUNS_MAX)
    bound_seconds, core_hour_rupiah = measures
    return write(assess(runs, plan, bound_seconds, core_hour_rupiah, live), lang, out)
