"""The law of scalability is recovered from points made by it."""

import numpy as np
import pytest

from meterai_rehearsal.simulation.scalability import TooFewPoints, fit, throughput

LOADS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)


def points(sigma: float, kappa: float, noise: float, seed: int = 1) -> list[tuple[float, float]]:
    random = np.random.default_rng(seed)
    return [
        (
            float(load),
            throughput(load, 100.0, sigma, kappa) * (1 + noise * random.standard_normal()),
        )
        for load in LOADS
        for _ in range(2)
    ]


def test_coefficients_are_recovered() -> None:
    found = fit(points(0.05, 0.001, 0.0))
    assert found.sigma.mean == pytest.approx(0.05, rel=1e-3)
    assert found.kappa.mean == pytest.approx(0.001, rel=1e-3)
    assert found.knee is not None
    assert found.knee.mean == pytest.approx((0.95 / 0.001) ** 0.5, rel=1e-3)
    assert found.peak == pytest.approx(throughput(found.knee.mean, 100, 0.05, 0.001), rel=1e-3)
    assert not found.is_extrapolated
    assert found.r_squared == pytest.approx(1.0)


def test_intervals_contain_truth_at_their_level() -> None:
    held = 0
    for seed in range(6):
        found = fit(points(0.05, 0.001, 0.03, seed), seed)
        held += found.sigma.low <= 0.05 <= found.sigma.high
    assert held >= 4  # of six at 95 %: fewer than four is one in five hundred


def test_knee_beyond_measurements_is_extrapolated() -> None:
    found = fit(points(0.02, 0.00005, 0.0))
    assert found.knee is not None
    assert found.knee.mean > found.load_max
    assert found.is_extrapolated


def test_law_without_coherency_has_no_knee() -> None:
    found = fit(points(0.05, 0.0, 0.0))
    assert found.knee is None
    assert found.is_extrapolated
    assert found.peak == pytest.approx(100 / 0.05, rel=0.01)


@pytest.mark.parametrize(
    "few",
    [
        [],
        [(1.0, 10.0)] * 20,
        points(0.05, 0.001, 0.0)[:5],
        [(float(load), 0.0) for load in LOADS],
        [(1.0, 9.0), (2.0, 17.0), (4.0, 30.0), (8.0, 50.0)] * 3,
    ],
)
def test_too_few_points_are_refused(few: list[tuple[float, float]]) -> None:
    with pytest.raises(TooFewPoints):
        fit(few)


def test_same_seed_has_same_intervals() -> None:
    assert fit(points(0.05, 0.001, 0.02), 7) == fit(points(0.05, 0.001, 0.02), 7)
