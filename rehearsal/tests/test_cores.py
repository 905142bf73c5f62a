"""Cores for a night, from the cost of a journey; and simulated waits of a run."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from meterai.kit.refusal import Malformed
from meterai_rehearsal import results
from meterai_rehearsal.results import Arrivals, Run, Series, Step
from meterai_rehearsal.simulation.asked import Asked
from meterai_rehearsal.simulation.compared import compared
from meterai_rehearsal.simulation.cores import cores_of, given_cost, measured_cost
from meterai_rehearsal.simulation.planning import plan
from meterai_rehearsal.simulation.question import question_of
from runs import a_run, latency

PLAN = "[bounds]\nline_patience_seconds = {patience}\n"


def test_cost_of_journey_is_of_serving_processes() -> None:
    run = a_run()
    found = measured_cost(run, "buy", "run.json")
    assert found is not None
    finished = run.costs.stamps
    assert found.ms == {
        "postgres": pytest.approx(30e3 / finished),
        "web": pytest.approx(60e3 / finished),
        "worker": pytest.approx(25e3 / finished),
    }
    assert found.source == f"run.json; {finished} finished"


def test_cores_are_the_rate_times_the_cost() -> None:
    found = cores_of(given_cost("api=web:20/worker:4/postgres:6"), 100.0, 250.0)
    assert found.cores == {"web": 2.0, "worker": pytest.approx(0.4), "postgres": pytest.approx(0.6)}
    assert found.cores_peak["web"] == 5.0
    assert cores_of(given_cost("api=30"), 100.0, 250.0).cores == {"all": 3.0}


@pytest.mark.parametrize("words", ["", "api", "=30", "api=", "api=-1", "api=nan", "api=a:1/a:2"])
def test_invalid_cost_is_refused_by_its_option(words: str) -> None:
    with pytest.raises(Malformed) as refused:
        given_cost(words)
    assert refused.value.field == "--journey-ms"


def test_plan_has_cores_by_browser_and_api_with_sources(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    results.write(a_run(), path)
    asked = Asked(
        applicants=20_000,
        hours=2.0,
        measured=path,
        replications=3,
        whole=False,
        journey_ms=("api=30",),
    )
    found = plan(question_of(asked))
    browser, api = found.cores
    assert (browser.by, api.by) == ("browser", "api")
    assert browser.source.startswith(f"{path}: small of 2026-11-26")
    assert api.source == "--journey-ms api=30"
    assert api.cores["all"] == pytest.approx(found.needed_rate.mean * 0.030)
    # The peak of the curve, which exceeds the rate that empties the line.
    assert api.cores_peak["all"] > api.cores["all"]


def a_line(rate: float, come: int, seconds: int, patience: float = 3_600.0) -> Run:
    """Return a run in which `come` visitors arrive each second at a line of this rate, and enter in order, each at a look
    of its page.
    """
    random = np.random.default_rng(5)
    came = np.arange(come * seconds) / come
    called = np.maximum(came, np.arange(len(came)) / rate)
    looks = came + 5 * (1 + random.random(len(came)))
    late = np.ceil(np.maximum(called - looks, 0) / 5)
    waits = looks + 5 * late - came
    seen: Sequence[float] = waits[(waits <= patience) & (came + waits <= seconds)].tolist()
    step = Step("queue", len(came), len(seen), {}, 0, latency(seen))
    at = tuple(float(second) for second in range(seconds))
    (buy,) = a_run().journeys
    return msgspec.structs.replace(
        a_run(),
        seconds=float(seconds),
        plan=PLAN.format(patience=patience),
        arrivals=Arrivals((come,) * seconds, (come,) * seconds, (0,) * seconds),
        journeys=(msgspec.structs.replace(buy, steps=(step,)),),
        series=(
            Series("meterai_line_rate", "buying", "number", at, (rate,) * seconds),
            Series("meterai_line_waiting", "buying", "number", at, (9.0,) * seconds),
        ),
    )


@pytest.mark.parametrize(("rate", "come"), [(20.0, 5), (4.0, 5), (2.0, 8)])
def test_waits_of_a_line_are_predicted_from_arrivals_and_rate(rate: float, come: int) -> None:
    found = compared(a_line(rate, come, 200), 1)
    assert found is not None
    assert found.is_within
    assert found.rate == rate
    assert found.quotient_p50 == pytest.approx(1, abs=0.15)
    assert found.quotient_p95 == pytest.approx(1, abs=0.15)


def test_nothing_is_predicted_without_waits_or_rate() -> None:
    assert compared(a_run(), 1) is None
    run = a_line(4.0, 5, 50)
    assert compared(msgspec.structs.replace(run, series=()), 1) is None
