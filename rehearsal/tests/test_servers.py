"""The servers of the simulation agree with closed formulas, and with Ciw, another simulation.

Each figure is the mean of independent replications of fixed seeds; the truth must lie within its 99.9 % interval.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from math import factorial, sqrt

import ciw
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterai.kit.priority import Priority
from meterai_rehearsal.curves import Curve
from meterai_rehearsal.simulation.demand import arrivals
from meterai_rehearsal.simulation.durations import draw, mean_of, stream
from meterai_rehearsal.simulation.model import Retries, ServiceTime, Step
from meterai_rehearsal.simulation.servers import Served, Servers

REPLICATIONS = 12
DEVIATIONS = 4.44  # of Student's t at 99.9 % and eleven degrees of freedom
PATIENT = Retries()


def serve(
    servers: int, steps: Sequence[Step], came: Sequence[float], seed: int, since: float = 0.0
) -> Served:
    return Servers(servers, steps, PATIENT, np.random.SeedSequence(seed)).serve(came, since)


def poisson(rate: float, count: int, seed: int) -> list[float]:
    random = np.random.default_rng([seed, 77])
    came: list[float] = np.cumsum(random.exponential(1 / rate, count)).tolist()
    return came


def replicate(figure: Callable[[int], float]) -> tuple[float, float]:
    """Return the mean of a figure over replications, and its tolerance."""
    found = [figure(seed) for seed in range(REPLICATIONS)]
    return float(np.mean(found)), DEVIATIONS * float(np.std(found, ddof=1)) / sqrt(len(found))


def request(mean: float, priority: Priority = Priority.NEW, pause: float = 0.0) -> Step:
    return Step("x", priority, ServiceTime((mean,)), pause)


# -- closed forms ------------------------------------------------------------------------------


def erlang_c_wait(rate: float, mean: float, servers: int) -> float:
    """Return the mean wait in M/M/c: the Erlang C probability of waiting, over the spare capacity of the servers."""
    load = rate * mean
    top = load**servers / factorial(servers) * servers / (servers - load)
    waits = top / (sum(load**n / factorial(n) for n in range(servers)) + top)
    return waits / (servers / mean - rate)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (2, 0.8), (5, 0.85), (16, 0.9)])
def test_waits_match_erlang_c(servers: int, load: float) -> None:
    rate = load * servers / 0.1

    def mean_wait(seed: int) -> float:
        came = poisson(rate, 30_000, seed)
        served = serve(servers, [request(0.1)], came, seed, since=came[3_000])
        return float(np.mean(served.waited[0]))

    mean, off = replicate(mean_wait)
    assert abs(mean - erlang_c_wait(rate, 0.1, servers)) <= off
    assert off < 0.25 * mean


BIMODAL = ServiceTime((0.02, 0.9), counts=(95, 5))  # a page, and sometimes a PDF


@pytest.mark.parametrize(
    "service",
    [ServiceTime((0.05,), is_constant=True), ServiceTime((0.05,)), BIMODAL],
    ids=["constant", "exponential", "bimodal"],
)
def test_waits_match_pollaczek_khinchine(service: ServiceTime) -> None:
    mean = mean_of(service)
    rate = 0.6 / mean
    values, weights = np.array(service.values), np.array(service.counts or (1,))
    square = float(np.average(values**2, weights=weights))
    if not (service.counts or service.is_constant):
        square = 2 * mean**2
    wait = rate * square / (2 * (1 - rate * mean))

    def mean_wait(seed: int) -> float:
        came = poisson(rate, 40_000, seed)
        step = Step("x", Priority.NEW, service)
        return float(np.mean(serve(1, [step], came, seed, since=came[4_000]).waited[0]))

    found, off = replicate(mean_wait)
    assert abs(found - wait) <= off
    assert off < 0.25 * found


def test_waits_by_priority_match_cobham() -> None:
    """Two steps without a pause are two classes of requests at one server; everybody sends one request of each class."""
    # Waits of class k: R / ((1 - sum of higher loads) (1 - sum of loads up to k)), R the residual work.
    rate, mean = 6.0, 0.06
    steps = [request(mean, Priority.NEW), request(mean, Priority.MONEY, pause=50.0)]
    load = rate * mean
    in_hand = 2 * rate * (2 * mean**2) / 2
    expected = (in_hand / ((1 - load) * (1 - 2 * load)), in_hand / (1 - load))

    def waits(seed: int, step: int) -> float:
        came = poisson(rate, 25_000, seed)
        served = Servers(1, steps, PATIENT, np.random.SeedSequence(seed)).serve(
            came, since=500.0, until=came[-1]
        )
        return float(np.mean(served.waited[step]))

    for step, truth in enumerate(expected):
        found, off = replicate(lambda seed, step=step: waits(seed, step))  # type: ignore[misc]
        assert abs(found - truth) <= off
    assert expected[0] > 3 * expected[1]


# -- Ciw ---------------------------------------------------------------------------------------


def of_ciw(
    network: Callable[[], object], until: float, seed: int, since: float
) -> dict[str, float]:
    """Return the mean wait by class. `seed` is set before `network` is called, so that it also determines
    arrivals that the network chooses when it is made.
    """
    ciw.seed(seed)
    simulation = ciw.Simulation(network())
    simulation.simulate_until_max_time(until)
    waits: dict[str, list[float]] = {}
    for one in simulation.get_all_records():
        if one.arrival_date >= since:
            waits.setdefault(one.customer_class, []).append(one.waiting_time)
    return {name: float(np.mean(found)) for name, found in waits.items()}


def agree(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    """True if the difference of the means is within the tolerance."""
    off = sqrt(sum(float(np.var(one, ddof=1)) / len(one) for one in (ours, theirs)))
    return abs(float(np.mean(ours)) - float(np.mean(theirs))) <= 3.5 * off


def test_priorities_of_several_servers_match_ciw() -> None:
    rate, means, until, since = 10.0, (0.05, 0.2), 400.0, 50.0
    network = partial(
        ciw.create_network,
        arrival_distributions={
            "new": [ciw.dists.Exponential(rate)],
            "money": [ciw.dists.Exponential(rate)],
        },
        service_distributions={
            "new": [ciw.dists.Exponential(1 / means[0])],
            "money": [ciw.dists.Exponential(1 / means[1])],
        },
        number_of_servers=[3],
        priority_classes={"money": 0, "new": 1},
    )
    theirs = [of_ciw(network, until, seed, since) for seed in range(6)]
    steps = [request(means[0]), request(means[1], Priority.MONEY, pause=30.0)]
    ours = []
    for seed in range(REPLICATIONS):
        # The second class comes after a long pause, so it is independent of the first class.
        came = poisson(rate, 6_000, seed)
        ours.append(
            Servers(3, steps, PATIENT, np.random.SeedSequence(seed)).serve(came, 150.0, came[-1])
        )
    for step, name in enumerate(("new", "money")):
        assert agree(
            [float(np.mean(one.waited[step])) for one in ours], [one[name] for one in theirs]
        )


def test_changing_arrivals_match_ciw() -> None:
    """A rush exceeds the capacity for a while, and the rest is served afterwards."""
    rates, ends = (10.0, 30.0, 12.0), (60.0, 100.0, 200.0)
    points = []
    for (begin, end), rate in zip(pairwise((0.0, *ends)), rates, strict=True):
        points += [(begin, rate), (end, rate)]
    curve = Curve(tuple(points))

    def network() -> object:
        came = ciw.dists.PoissonIntervals(rates, ends, max_sample_date=200.0)
        return ciw.create_network(
            arrival_distributions=[came],
            service_distributions=[ciw.dists.Exponential(10.0)],
            number_of_servers=[2],
        )

    theirs = [of_ciw(network, 400.0, seed, 0.0)["Customer"] for seed in range(12)]
    ours = []
    for seed in range(24):
        random = np.random.default_rng(seed)
        came = arrivals(curve, random.poisson(curve.total), random)
        ours.append(float(np.mean(serve(2, [request(0.1)], came.tolist(), seed).waited[0])))
    assert agree(ours, theirs)
    assert np.mean(ours) > 2.0  # there was a rush


# -- in order ----------------------------------------------------------------------------------


def test_requests_are_served_in_order() -> None:
    """Waits equal the recursion of Kiefer and Wolfowitz with the same service times."""
    came = poisson(18.0, 2_000, seed=5)
    served = serve(2, [request(0.1)], came, 5)
    times = stream(
        ServiceTime((0.1,)), np.random.default_rng(np.random.SeedSequence(5).spawn(3)[0])
    )
    free, expected = [0.0, 0.0], []
    for at in came:
        start = max(at, free[0])
        expected.append(start - at)
        free = sorted([start + next(times), free[1]])
    assert list(served.waited[0]) == pytest.approx(expected, abs=1e-4)


# -- what always holds -------------------------------------------------------------------------

TIMES = st.lists(st.floats(0, 50), min_size=1, max_size=60).map(sorted)


@settings(max_examples=60, deadline=None)
@given(
    came=TIMES,
    servers=st.integers(1, 4),
    patience=st.sampled_from([None, 0.5, 3.0]),
    times=st.integers(0, 2),
    seed=st.integers(0, 1000),
)
def test_every_request_is_served_or_given_up(
    came: list[float], servers: int, patience: float | None, times: int, seed: int
) -> None:
    steps = [request(1.0), request(0.5, Priority.MONEY, pause=1.0), request(0.2, Priority.PAID)]
    rules = Retries({Priority.NEW: patience} if patience else {}, times, 2.0)
    served = Servers(servers, steps, rules, np.random.SeedSequence(seed)).serve(came)
    assert served.finished + served.gave_up == len(came)
    assert served.gave_up == 0 or patience is not None
    assert len(served.answered[0]) == len(came)
    assert len(served.waited[1]) == len(served.waited[2]) == served.finished
    assert all(wait >= 0 for wait in served.waited[0])
    assert served.busy <= servers * (served.ended or np.inf)


def test_long_waiting_request_is_refused_and_retried() -> None:
    constant = [Step("x", Priority.NEW, ServiceTime((10.0,), is_constant=True))]
    rules = Retries({Priority.NEW: 1.0}, times=50, pause_seconds=1.0)
    served = Servers(1, constant, rules, np.random.SeedSequence(1)).serve([0.0, 0.5])
    assert served.finished == 2
    assert served.refused >= 3
    # The wait of the second request counts from its first try, through every refusal, until the first request is served.
    assert served.waited[0][1] >= 9.5
    rules = Retries({Priority.NEW: 1.0}, times=1, pause_seconds=0.001)
    served = Servers(1, constant, rules, np.random.SeedSequence(1)).serve([0.0, 0.5])
    assert (served.finished, served.gave_up, served.refused) == (1, 1, 2)
    assert served.p99_of(constant) == {Priority.NEW: np.inf}


@pytest.mark.parametrize(
    "service",
    [
        BIMODAL,
        ServiceTime((0.0, 0.1, 0.5, 0.5), shares=(0.0, 0.5, 0.99, 1.0)),
        ServiceTime((0.3,), scale=2.0),
        ServiceTime((0.3,), is_constant=True),
    ],
)
def test_service_times_have_their_mean(service: ServiceTime) -> None:
    drawn = draw(service, np.random.default_rng(1), 200_000)
    assert float(drawn.mean()) == pytest.approx(mean_of(service), rel=0.02)
