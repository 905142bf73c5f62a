"""Questions of the first page, each answered by a light and a sentence, from the parts of the report only.

In doubt the worse light is shown: a value that was not measured is unknown and never green, and void runs are ignored.
"""

from collections.abc import Iterable, Iterator, Sequence

from meterai_rehearsal.assessment.model import FaultPart, Light, PlanPart, RunPart, Said, StepPart

RECOVERY_SECONDS = 10.0  # aim of the platform, from the end of a disturbance to normal latency
PAID = frozenset({"money", "paid"})
SERVED_SHARE = 0.999  # of those who paid; a lower share is more than a rounding error
SLOW_FACTOR = 3.0  # beyond this multiple of a bound, slow is red
ENOUGH_HEADROOM_SHARE = 0.2  # a smaller headroom is sufficient without a reserve


def first_page(
    runs: Sequence[RunPart], plan: PlanPart | None, bound_seconds: float
) -> tuple[Said, ...]:
    """Return the five answers, in the order of the page."""
    usable = [run for run in runs if not run.is_void]
    return (
        _promises(usable),
        _paid(usable, bound_seconds),
        _faults(usable),
        _judge_capacity(plan),
        _judge_waits(plan),
    )


def tested(runs: Sequence[RunPart]) -> Said:
    """Return the sentence about the tests, or that there were none."""
    usable = [run for run in runs if not run.is_void]
    figures = {
        "visitors": sum(run.visitors for run in usable),
        "length_seconds": sum(run.length_seconds for run in usable),
        "runs": len(usable),
        "void_runs": len(runs) - len(usable),
        "stamps": sum(run.costs.stamps for run in usable),
    }
    if not usable:
        return Said("tested", "void", Light.RED, figures)
    answer = "partly_void" if len(usable) < len(runs) else "all"
    return Said("tested", answer, Light.RED if answer == "partly_void" else Light.GREEN, figures)


def missing_of(runs: Sequence[RunPart], plan: PlanPart | None) -> Iterator[str]:
    """Yield the parts that this report lacks."""
    usable = [run for run in runs if not run.is_void]
    has = {
        "runs": bool(usable),
        "faults": any(run.faults for run in usable),
        "promises": any(one.held or one.broken for run in usable for one in run.promises),
        "audit": any(one.name == "audit" and one.held for run in usable for one in run.promises),
        "plan": plan is not None,
        "chain": plan is None or plan.plan.measured_sha256 in {run.file.sha256 for run in usable},
        "law": any(run.scalability for run in usable),
        "processor": any(run.bottleneck.groups for run in usable),
        "figures_of_installation": any(run.classes for run in usable),
        "stamps": any(run.costs.stamps for run in usable),
        "price": any(run.costs.core_hour_rupiah is not None for run in usable),
        "repeat": len(usable) > 1,
    }
    return (name for name, is_there in has.items() if not is_there)


def _promises(runs: Sequence[RunPart]) -> Said:
    asked = [one for run in runs for one in run.promises]
    figures = {
        "asked": sum(one.asked for one in asked),
        "held": sum(one.held for one in asked),
        "broken": sum(one.broken for one in asked),
        "unanswered": sum(one.unknown for one in asked),
        "error_pages": sum(run.error_pages for run in runs),
    }
    broken = tuple(dict.fromkeys(one.name for one in asked if one.broken))
    if broken or figures["error_pages"]:
        answer = "broken" if broken else "errors"
        return Said("promises", answer, Light.RED, figures, {"promise": broken})
    if not figures["held"]:
        return Said("promises", "missing", Light.UNKNOWN, figures)
    if figures["unanswered"]:
        return Said("promises", "partly", Light.AMBER, figures)
    return Said("promises", "held", Light.GREEN, figures)


def _paid(runs: Sequence[RunPart], bound_seconds: float) -> Said:
    steps = [step for run in runs for step in _steps(run) if step.priority in PAID and step.started]
    if not steps:
        return Said("paid", "missing", Light.UNKNOWN, {"bound_seconds": bound_seconds})
    finished = sum(step.finished for step in steps)
    # Visitors who were cut off by the end of a run count neither as served nor as lost.
    ended = finished + sum(count for step in steps for _, count in step.failed)
    share = finished / ended if ended else 0.0
    figures = {"finished_share": share, "bound_seconds": bound_seconds}
    worst = max(steps, key=lambda step: step.p99_seconds or 0.0)
    words = {"step": (worst.name,)}
    if share < SERVED_SHARE:
        return Said("paid", "not_served", Light.RED, figures)
    if worst.p99_seconds is None:
        figures["longest_seconds"] = max(step.longest_seconds for step in steps)
        return Said("paid", "too_few", Light.UNKNOWN, figures)
    figures["p99_seconds"] = worst.p99_seconds
    if worst.p99_seconds > bound_seconds:
        is_red = worst.p99_seconds > SLOW_FACTOR * bound_seconds
        return Said("paid", "slow", Light.RED if is_red else Light.AMBER, figures, words)
    return Said("paid", "served", Light.GREEN, figures, words)


def _steps(run: RunPart) -> Iterable[StepPart]:
    return (step for journey in run.journeys for step in journey.steps)


def _faults(runs: Sequence[RunPart]) -> Said:
    faults = [one for run in runs for one in run.faults]
    if not faults:
        return Said("faults", "missing", Light.UNKNOWN)
    lost, never = sum(one.lost for one in faults), [one for one in faults if _is_never(one)]
    slowest = max((one.recovery_seconds or 0.0 for one in faults), default=0.0)
    figures = {
        "faults": len(faults),
        "lost": lost,
        "never": len(never),
        "slowest_seconds": slowest,
        "bound_seconds": RECOVERY_SECONDS,
    }
    if lost:
        return Said("faults", "lost", Light.RED, figures)
    if never:
        return Said("faults", "never", Light.RED, figures)
    if slowest > RECOVERY_SECONDS:
        return Said("faults", "slow", Light.AMBER, figures)
    return Said("faults", "recovered", Light.GREEN, figures)


def _is_never(fault: FaultPart) -> bool:
    return fault.recovery_seconds is None


def _judge_capacity(part: PlanPart | None) -> Said:
    if part is None:
        return Said("capacity", "missing", Light.UNKNOWN)
    plan, scenario = part.plan, part.plan.scenario
    figures: dict[str, float] = {
        "applicants": scenario.applicants,
        "length_hours": scenario.hours,
        "machines": scenario.machines,
        "needed_rate": plan.needed_rate.mean,
    }
    if plan.safe_rate is None or part.headroom_share is None:
        return Said("capacity", "never", Light.RED, figures)
    figures["safe_rate"] = plan.safe_rate.low
    figures["headroom_share"] = part.headroom_share
    if part.headroom_share < 0:
        if plan.machines_needed is None:
            return Said("capacity", "never", Light.RED, figures)
        figures["machines_needed"] = plan.machines_needed
        return Said("capacity", "more_machines", Light.RED, figures)
    if part.headroom_share < ENOUGH_HEADROOM_SHARE:
        return Said("capacity", "narrow", Light.AMBER, figures)
    return Said("capacity", "enough", Light.GREEN, figures)


def _judge_waits(part: PlanPart | None) -> Said:
    if part is None or part.plan.rate_per_second is None or part.plan.night is None:
        return Said("waits", "missing", Light.UNKNOWN)
    plan, night = part.plan, part.plan.night
    figures = {
        "setting_rate": plan.rate_per_second or 0.0,
        "median_seconds": night.wait_median,
        "longest_seconds": night.wait_longest,
        "bound_seconds": plan.wait_bound_seconds,
        "left_share": night.left / night.applicants,
    }
    if night.wait_longest <= plan.wait_bound_seconds:
        return Said("waits", "short", Light.GREEN, figures)
    is_red = night.wait_median > plan.wait_bound_seconds
    return Said("waits", "long", Light.RED if is_red else Light.AMBER, figures)
