"""Arrival curves: invalid ones are refused, and their integrals and inverses agree."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai_rehearsal.curves import Curve, CurveWrong, shapes

RATES = st.floats(0, 1000)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    steps = draw(st.lists(st.tuples(st.floats(0, 100), RATES), min_size=1, max_size=8))
    at, points = 0.0, [(0.0, draw(RATES))]
    for step, rate in steps:
        at += step
        points.append((at, rate))
    points.append((at + 1.0, draw(RATES)))
    return Curve(tuple(points))


def area(curve: Curve, at: float) -> float:
    """Return the expected arrivals up to a time, piece by piece."""
    found = 0.0
    for (begin, low), (end, high) in pairwise(curve.points):
        if at > begin and end > begin:
            width = min(at, end) - begin
            found += width * (low + (high - low) * width / (end - begin) / 2)
    return found


@given(curves(), st.floats(0, 1))
def test_when_is_inverse_of_the_integral(curve: Curve, share: float) -> None:
    at = curve.when(curve.total * share)
    assert 0 <= at <= curve.seconds
    assert area(curve, at) == pytest.approx(curve.total * share, rel=1e-6, abs=1e-4)


@given(curves(), st.floats(0.1, 50), st.floats(0.1, 1000))
def test_curve_is_scaled_in_height_and_time(curve: Curve, factor: float, seconds: float) -> None:
    assert curve.times(factor).total == pytest.approx(curve.total * factor)
    assert curve.over(seconds).seconds == pytest.approx(seconds)
    assert curve.over(seconds).peak == curve.peak


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((0.0, 1.0),),
        ((1.0, 1.0), (2.0, 1.0)),
        ((0.0, 1.0), (0.0, 2.0)),
        ((0.0, 1.0), (5.0, 1.0), (4.0, 1.0)),
        ((0.0, -1.0), (1.0, 1.0)),
        ((0.0, math.nan), (1.0, 1.0)),
        ((0.0, 1.0), (math.nan, 1.0)),
        ((0.0, 1.0), (math.inf, 1.0)),
        ((0.0, 1e9), (1.0, 1.0)),
    ],
)
def test_invalid_curve_is_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(CurveWrong):
        Curve(points)


def test_jump_has_two_rates_at_one_time() -> None:
    curve = Curve(((0.0, 1.0), (10.0, 1.0), (10.0, 5.0), (20.0, 5.0)))
    assert (curve.rate(9.999), curve.rate(10.0), curve.rate(20.0), curve.rate(20.1)) == (1, 5, 5, 0)
    assert curve.total == 60
    assert curve.when(10.0) == pytest.approx(10.0)
    assert curve.when(35.0) == pytest.approx(15.0)


def test_shipped_curves_match_their_sources() -> None:
    found = shapes()
    cpns, cowin = found["cpns_2024"].curve, found["cowin_opening"].curve
    # BKN's four counts; the last is of 100 hours.
    assert cpns.total == pytest.approx(3_570_000 - 952_581, rel=0.01)
    assert cpns.seconds == 151 * 3600
    assert cowin.total == pytest.approx(8_000_000, rel=0.02)
    assert cowin.when(cowin.total / 100) < 60 * 60
    assert max(cowin.points, key=lambda point: point[1])[0] < 60
