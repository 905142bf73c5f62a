"""Parts of a report that are copied from a run, or computed from it."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from meterai.kit.priority import Priority
from meterai_rehearsal.assessment.bottleneck import bottleneck_of, points_of
from meterai_rehearsal.assessment.model import (
    ClassPart,
    CostPart,
    ErrorPart,
    FaultPart,
    File,
    FlowPart,
    JourneyPart,
    Line,
    LossPart,
    PromisePart,
    RunPart,
    StepPart,
)
from meterai_rehearsal.losses import LOST, Loss, losses_of
from meterai_rehearsal.results import Fault, Journey, Latency, Promise, Run, Step
from meterai_rehearsal.simulation.compared import compared
from meterai_rehearsal.simulation.measured import NOT_SERVING, load_points, priority_of
from meterai_rehearsal.simulation.scalability import fit_where_enough

WAITED = "meterai_limiter_waited_seconds_total"
POINTS_MAX = 240  # points of one line in a chart
ROWS_MAX = 30  # of a table of a whole run
CORE_SECONDS_PER_HOUR = 3_600


def run_part(run: Run, file: File, core_hour_rupiah: int | None) -> RunPart:
    """Return all data of the report about one run."""
    machine, target, generator = run.machine, run.target, run.generator
    data, flow = machine.data, _flow(run)
    return RunPart(
        name=run.name,
        file=file,
        began_at=run.began_at,
        length_seconds=run.seconds,
        seed=str(run.seed),
        command=" ".join(run.command),
        void=tuple(one.value for one in generator.void),
        cores=machine.cores,
        memory_bytes=machine.memory_bytes,
        system=machine.system,
        load_average=machine.load_average,
        versions=tuple(sorted(machine.versions.items())),
        commit=machine.commit or "",
        data_bytes=data.directory_bytes_after if data else None,
        url=target.url,
        is_own=target.is_own,
        allowed_by=target.allowed_by or "",
        settings=tuple(sorted(target.settings.items())),
        generator_processes=generator.processes,
        generator_limit_rate=generator.limit_per_second,
        generator_peak_rate=generator.peak_per_second,
        generator_late_p99_seconds=generator.lateness.p99,
        wrk_rate=generator.wrk_per_second,
        visitors=sum(run.arrivals.offered),
        visitors_dropped=sum(run.arrivals.dropped),
        visitors_peak_rate=float(max(run.arrivals.offered, default=0)),
        flow=tuple(Line(name, thinned(list(enumerate(one)))) for name, one in flow.items()),
        flow_table=tuple(_flow_table(flow)),
        losses=tuple(_loss(one) for one in losses_of(run)),
        statuses=tuple(sorted(run.statuses.items())),
        error_pages=run.error_pages,
        first_error_pages=tuple(
            ErrorPart(one.at, one.journey, one.step, str(one.status), one.path)
            for one in run.first_error_pages
        ),
        journeys=tuple(_journey(one) for one in run.journeys),
        classes=tuple(_classes(run)),
        goodput=tuple(_goodput(run)),
        scalability=fit_where_enough(load_points(run), run.seed),
        compared=compared(run, run.seed),
        bottleneck=bottleneck_of(run),
        faults=tuple(_fault(one) for one in run.faults),
        promises=tuple(_promises(run.promises)),
        costs=_costs(run, core_hour_rupiah),
    )


def thinned(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Reduce points to at most POINTS_MAX: means of neighbours."""
    size = -(-len(points) // POINTS_MAX) or 1
    parts = [points[n : n + size] for n in range(0, len(points), size)]
    return tuple((float(part[0][0]), sum(value for _, value in part) / len(part)) for part in parts)


def _flow(run: Run) -> dict[str, list[int]]:
    """Return the visitors who arrived, finished and were lost, in each second."""
    came = list(run.arrivals.offered)
    found = {"came": came}
    for name, series in (("finished", "finished"), ("lost", LOST)):
        points = points_of(run, series)
        found[name] = [int(points.get(float(second), 0)) for second in range(len(came))]
    return found


def _flow_table(flow: Mapping[str, list[int]]) -> Iterable[FlowPart]:
    length = len(flow["came"])
    size = -(-length // ROWS_MAX) or 1
    for begin in range(0, length, size):
        end = min(begin + size, length)
        came, finished, lost = (sum(one[begin:end]) for one in flow.values())
        yield FlowPart(float(begin), float(end), came, finished, lost)


def _loss(loss: Loss) -> LossPart:
    return LossPart(
        journey=loss.journey,
        step=loss.step,
        reason=loss.reason,
        visitors=loss.visitors,
        first_seconds=loss.first_at,
        last_seconds=loss.last_at + 1,
        pool=loss.pool or "none",
        pressure_share=loss.pressure,
        line_rate=loss.line_rate,
    )


def _journey(journey: Journey) -> JourneyPart:
    return JourneyPart(
        name=journey.name,
        started=journey.started,
        finished=journey.finished,
        finished_share=_share(journey.finished, journey.started),
        p50_seconds=journey.latency.p50,
        p99_seconds=_known(journey.latency.p99, journey.latency, 100),
        longest_seconds=journey.latency.longest,
        working_p50_seconds=journey.working.p50,
        working_p99_seconds=_known(journey.working.p99, journey.working, 100),
        steps=tuple(_step(one) for one in journey.steps),
    )


def _step(step: Step) -> StepPart:
    latency = step.latency
    return StepPart(
        name=step.name,
        priority=priority_of(step.name).name.lower(),
        started=step.started,
        finished=step.finished,
        stopped=step.started - step.finished,
        stopped_share=_share(step.started - step.finished, step.started),
        refused=step.refused,
        failed=_most(step.failed),
        p50_seconds=latency.p50,
        p90_seconds=_known(latency.p90, latency, 10),
        p99_seconds=_known(latency.p99, latency, 100),
        p999_seconds=_known(latency.p999, latency, 1_000),
        longest_seconds=latency.longest,
    )


def _known(percentile: float, latency: Latency, least: int) -> float | None:
    return percentile if latency.count >= least else None


def _most(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _classes(run: Run) -> Iterable[ClassPart]:
    for priority in (one.name.lower() for one in Priority):
        goodput = points_of(run, "goodput", priority)
        if not goodput:
            continue
        rates = list(goodput.values())
        late = sum(points_of(run, "late", priority).values())
        refused = sum(points_of(run, "refused", priority).values())
        waited = sum(points_of(run, WAITED, priority).values())
        answered = sum(rates) + late
        yield ClassPart(
            priority=priority,
            mean_rate=sum(rates) / len(rates),
            peak_rate=max(rates),
            late=late,
            refused=refused,
            waiting_peak=max(points_of(run, "waiting", priority).values(), default=0.0),
            waited_each_seconds=waited / answered if waited and answered else None,
        )


def _goodput(run: Run) -> Iterable[Line]:
    for priority in (one.name.lower() for one in Priority):
        points = sorted(points_of(run, "goodput", priority).items())
        if points:
            yield Line(priority, thinned(points))


def _fault(fault: Fault) -> FaultPart:
    return FaultPart(
        kind=fault.kind,
        at_seconds=fault.at,
        down_seconds=None if fault.healed_at is None else fault.healed_at - fault.at,
        recovery_seconds=fault.recovery_seconds,
        lost=sum(fault.lost.values()),
        lost_by_name=tuple(sorted(fault.lost.items())),
    )


def _promises(promises: Iterable[Promise]) -> Iterable[PromisePart]:
    for name, group in groupby(sorted(promises, key=lambda one: one.name), lambda one: one.name):
        asked = list(group)
        broken = [one for one in asked if one.held is False]
        unknown = [one for one in asked if one.held is None]
        yield PromisePart(
            name=name,
            asked=len(asked),
            held=len(asked) - len(broken) - len(unknown),
            broken=len(broken),
            unknown=len(unknown),
            found=[*asked, *unknown[-1:], *broken[-1:]][-1].found,
        )


def _costs(run: Run, core_hour_rupiah: int | None) -> CostPart:
    costs = run.costs
    serving = [spent for group, spent in costs.cpu_seconds.items() if group not in NOT_SERVING]
    spent = sum(serving) if serving else None
    stamps = costs.stamps
    each = spent / stamps if spent is not None and stamps else None
    traffic = (costs.bytes_sent + costs.bytes_received) / stamps if stamps else None
    thousand = None
    if each is not None and core_hour_rupiah is not None:
        thousand = round(1_000 * each * core_hour_rupiah / CORE_SECONDS_PER_HOUR)
    return CostPart(
        stamps=stamps,
        orders_paid=costs.orders_paid,
        requests=costs.requests,
        serving_cpu_seconds=spent,
        cpu_each_ms=None if each is None else each * 1_000,
        traffic_each_bytes=traffic,
        core_hour_rupiah=core_hour_rupiah,
        thousand_rupiah=thousand,
    )
