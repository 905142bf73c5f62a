"""Small deterministic runs, in the form in which `meterai rehearse` records them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np

from meterai_rehearsal.histograms import Recorder
from meterai_rehearsal.results import (
    SCHEMA,
    Arrivals,
    Costs,
    DataSize,
    Fault,
    Generator,
    Journey,
    Latency,
    Machine,
    Promise,
    Run,
    Series,
    Step,
    Target,
)

SECONDS = 120
VISITORS = 600
PAUSES = 8.0  # seconds of a visit in which the visitor thinks
STEPS = {  # medians of latencies in seconds
    "front": 0.02,
    "mail": 0.3,
    "sign_in": 0.15,
    "order": 0.08,
    "pay": 0.25,
    "stamp": 0.5,
    "download": 0.04,
}


def latency(seconds: Iterable[float]) -> Latency:
    kept = Recorder()
    for one in seconds:
        kept.record(one)
    return kept.latency()


def journey(run: Run, name: str) -> Journey:
    return next(one for one in run.journeys if one.name == name)


def _buy(random: np.random.Generator, factor: float) -> Journey:
    drawn = {
        name: random.lognormal(np.log(median * factor), 0.5, VISITORS)
        for name, median in STEPS.items()
    }
    here = VISITORS
    steps = []
    for number, (name, times) in enumerate(drawn.items()):
        # Two visitors run out of patience at each step.
        steps.append(
            Step(name, here, here - 2, {"gave_up": 2}, 5 * number, latency(times[: here - 2]))
        )
        here -= 2
    working = np.sum(list(drawn.values()), axis=0)[:here]
    failed = {f"{step.name}: gave_up": 2 for step in steps}
    return Journey(
        "buy", VISITORS, here, failed, latency(working + PAUSES), latency(working), tuple(steps)
    )


def _loads(random: np.random.Generator) -> Sequence[Series]:
    """Return the series of a load that rises through the run, with a throughput by the law of scalability (sigma 0.05,
    kappa 0.001).
    """
    at = tuple(float(second) for second in range(SECONDS))
    load = np.linspace(1, 50, SECONDS)
    rate = 40 * load / (1 + 0.05 * (load - 1) + 0.001 * load * (load - 1))
    rate *= 1 + 0.02 * random.standard_normal(SECONDS)
    found = []
    for priority, share in (("money", 0.4), ("new", 0.6)):
        found += [
            Series("running", priority, "requests", at, tuple((load * share).tolist())),
            Series("goodput", priority, "1/s", at, tuple((rate * share).tolist())),
            Series("waiting", priority, "requests", at, tuple((load * share / 4).tolist())),
            Series("refused", priority, "1/s", at, tuple(np.maximum(load - 40, 0).tolist())),
        ]
    for step in STEPS:
        lost = tuple(2.0 if second == 60 else 0.0 for second in range(SECONDS))
        found.append(Series("lost", f"buy.{step}: gave_up", "1/s", at, lost))
    turn = tuple((load / 50).tolist())
    found.append(Series("meterai_station_pressure", "turn", "number", at, turn))
    found.append(Series("finished", "buy", "1/s", at, (4.0,) * SECONDS))
    for group, most in (("web", 0.9), ("worker", 0.5), ("postgres", 0.4)):
        found.append(Series("cpu", group, "cores", at, tuple((load / 50 * most).tolist())))
    return found


def a_run(name: str = "small", seed: int = 1, factor: float = 1.0) -> Run:
    """Return a run of two minutes with 600 buyers on two cores: every promise held, and a worker was killed and restarted."""
    random = np.random.default_rng(seed)
    buy = _buy(random, factor)
    a_second = tuple([VISITORS // SECONDS] * SECONDS)
    return Run(
        schema=SCHEMA,
        name=name,
        began_at=datetime(2026, 11, 26, 2, tzinfo=UTC),
        seconds=float(SECONDS),
        seed=seed,
        command=("meterai", "rehearse", f"{name}.toml", "--seed", str(seed)),
        plan='name = "small"\n',
        machine=Machine(
            2,
            8_000_000_000,
            "Linux 6.1",
            0.5,
            {"python": "3.11.7", "meterai": "0.1.0", "postgres": "17.2"},
            "0123456789abcdef",
            DataSize(80_000_000, 95_000_000),
        ),
        target=Target("http://127.0.0.1:8000", is_own=True, is_loopback=True),
        generator=Generator(2, 9_000.0, 120.0, 2_000, latency([0.001] * 50), 11_000.0),
        arrivals=Arrivals(a_second, a_second, tuple([0] * SECONDS)),
        journeys=(buy,),
        statuses={"200": 5_400, "303": 1_200, "busy": 75},
        error_pages=0,
        first_error_pages=(),
        series=tuple(_loads(random)),
        faults=(
            Fault("kill_worker", 40.0, 41.5, 44.0, 2.5, {"orders": 0, "stamps": 0, "payments": 0}),
        ),
        promises=(
            Promise("audit", 60.0, held=True, found="every invariant holds"),
            Promise("audit", 120.0, held=True, found="every invariant holds"),
            Promise("no_error_pages", 120.0, held=True, found="none of 6675 answers"),
            Promise("paid_before_unpaid", 120.0, held=True, found="p99 0.4 s, newcomers 0.9 s"),
        ),
        costs=Costs(
            {"web": 60.0, "worker": 25.0, "postgres": 30.0, "standins": 20.0, "generator": 40.0},
            4_000_000,
            90_000_000,
            6_675,
            buy.finished,
            buy.finished,
        ),
    )
