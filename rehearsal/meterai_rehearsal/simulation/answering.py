"""Output of `meterai plan`: tables for a person, or JSON."""

from collections.abc import Iterable, Mapping
from io import StringIO

import msgspec
from rich.console import Console
from rich.table import Table

from meterai_rehearsal.simulation.asked import Asked
from meterai_rehearsal.simulation.model import (
    COMPARED_SHARE,
    Comparison,
    Cores,
    Interval,
    Plan,
    Scalability,
    Waits,
)
from meterai_rehearsal.simulation.planning import plan
from meterai_rehearsal.simulation.question import question_of

WIDTH = 118


def json_of(asked: Asked) -> str:
    """Simulate, and return the plan as JSON. Refuses what `question_of` refuses."""
    found = plan(question_of(asked))
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def text_of(asked: Asked) -> str:
    """Simulate, and return a table and sentences. Refuses what `question_of` refuses."""
    return _text(plan(question_of(asked)))


def _text(found: Plan) -> str:
    out = StringIO()
    console = Console(file=out, width=WIDTH, highlight=False, markup=False, emoji=False)
    console.print(*_headline(found), sep="\n")
    console.print(_table(found))
    console.print(*_verdict(found), sep="\n")
    return out.getvalue().rstrip()


def _headline(found: Plan) -> Iterable[str]:
    scenario = found.scenario
    yield (
        f"{scenario.applicants:,} people in {scenario.hours:g} h ({scenario.curve}), "
        f"{scenario.machines} machine(s) of {scenario.servers} server(s)"
    )
    yield f"{found.replications} replications, seed {found.seed}; ± is a 95 % interval of the mean"
    yield from (f"from {source}" for source in found.sources)


def _table(found: Plan) -> Table:
    table = Table(box=None, pad_edge=False)
    bound = f"> {clock(found.wait_bound_seconds)}"
    for head in ("admitted/s", "servers", "wait p50", "p90", "p99", "longest", bound):
        table.add_column(head, justify="right")
    for head in ("left", "line empty", "inside p99"):
        table.add_column(head, justify="right")
    table.add_column("", no_wrap=True)
    for one in found.waits:
        table.add_row(*_row(one))
    return table


def _row(one: Waits) -> Iterable[str]:
    yield f"{one.rate:.4g}"
    yield f"{one.utilization:.0%}"
    yield from (clock(wait.mean) for wait in (one.median, one.p90, one.p99, one.longest))
    yield f"{one.longer.mean:.1%}"
    yield f"{one.left.mean:.1%}"
    yield f"{one.emptied_hours.mean:.1f} h"
    yield _worst(one)
    yield " ".join(
        (("safe" if one.is_safe else "unsafe"), ("in time" if one.is_emptied else "too late"))
    )


def _worst(one: Waits) -> str:
    if one.inside_p99 is None:
        return "never"
    worst = max(one.inside_p99.values(), key=lambda interval: interval.mean)
    return f"{worst.mean * 1000:,.0f} ms"


def _verdict(found: Plan) -> Iterable[str]:
    scenario = found.scenario
    bounds = ", ".join(f"{name} {bound * 1000:,.0f} ms" for name, bound in scenario.bounds.items())
    yield f"bounds, 99 of 100 within   {bounds}"
    yield f"all servers busy at        {found.capacity_per_second:.4g}/s"
    if found.safe_rate is None:
        yield "safe rate                  none: a bound is broken by idle servers"
    else:
        yield f"safe rate                  {spread(found.safe_rate)}/s"
    yield f"needed to empty the line   {spread(found.needed_rate)}/s"
    needed = "no number of them" if found.machines_needed is None else found.machines_needed
    yield f"machines needed            {needed}  (at least: what all machines share is not in the model)"
    if found.rate_per_second is not None:
        yield f"waiting room               meterai line rate NAME --at-most {found.rate_per_second:g}"
    if found.scalability is not None:
        yield f"knee of the run            {_knee(found.scalability)}"
    for cores in found.cores:
        yield from _cores(cores)
    if found.compared is not None:
        yield from _compared(found.compared)
    if found.night is not None:
        night = found.night
        inside = ", ".join(f"{name} {p99 * 1000:,.0f} ms" for name, p99 in night.inside_p99.items())
        yield (
            f"the whole night, once      {night.finished:,} served, {night.left:,} left, "
            f"{night.gave_up:,} gave up, last after {night.ended_hours:.1f} h; p99 {inside}; "
            f"{night.requests:,} requests in {night.wall_seconds:.0f} s"
        )


def _cores(one: Cores) -> Iterable[str]:
    """Yield two rows of the table of cores: with a line, and without a line."""

    def parts(found: Mapping[str, float]) -> str:
        return ", ".join(f"{group} {value:.3g}" for group, value in found.items())

    yield f"cores, by {one.by:16} {sum(one.cores.values()):.3g} kept busy at the needed rate ({parts(one.cores)})"
    yield (
        f"{'':26} {sum(one.cores_peak.values()):.3g} when most come, without a line; "
        f"{sum(one.cost_ms.values()):.3g} ms a journey ({parts(one.cost_ms)})"
    )
    yield f"{'':26} from {one.source}"


def _compared(one: Comparison) -> Iterable[str]:
    """Yield two rows of the comparison: the median and the 95th percentile."""
    verdict = {True: "within", False: "NOT within", None: "too few to say within"}[one.is_within]
    rows = (
        ("p50", one.predicted_p50, one.measured_p50, one.quotient_p50),
        ("p95", one.predicted_p95, one.measured_p95, one.quotient_p95),
    )
    for name, predicted, measured, quotient in rows:
        yield (
            f"wait in the run's line {name} predicted {predicted:.1f} s, measured {measured:.1f} s: "
            f"{quotient:.2f} times"
        )
    yield (
        f"{'':26} {verdict} {COMPARED_SHARE:.0%}; {one.waited:,} came in, "
        f"{one.rate:.3g} a second while people waited"
    )


def _knee(law: Scalability) -> str:
    if law.knee is None:
        return f"none within {law.load_max:.4g} requests under way"
    guess = ": a guess, beyond what was measured" if law.is_extrapolated else ""
    return f"{spread(law.knee)} requests under way, {law.peak or 0:.4g} answers/s{guess}"


def spread(one: Interval) -> str:
    """Return a figure with its interval, as text."""
    return f"{one.mean:.4g} ± {max(one.mean - one.low, one.high - one.mean):.2g}"


def clock(seconds: float) -> str:
    """Return a duration as hours and minutes, or in seconds if it is short."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours}:{minutes:02} h" if hours else f"{minutes} min"
