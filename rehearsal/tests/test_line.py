"""The line of the simulation equals a reference that is computed person by person; demand follows its curve."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterai.kit.refusal import Malformed
from meterai_rehearsal.curves import Curve, shapes
from meterai_rehearsal.simulation.demand import arrivals, shape_of
from meterai_rehearsal.simulation.line import admit, called_at
from meterai_rehearsal.simulation.model import Line


def one_after_the_other(came: Sequence[float], gap: float, free: float) -> list[float]:
    called = []
    for at in came:
        called.append(max(at, free))
        free = called[-1] + gap
    return called


@given(
    came=st.lists(st.floats(0, 1e5), min_size=1, max_size=80).map(sorted),
    gap=st.floats(0.001, 50),
    free=st.floats(0, 1e5),
)
def test_line_calls_in_order(came: list[float], gap: float, free: float) -> None:
    found = called_at(np.array(came), gap, free)
    assert found == pytest.approx(one_after_the_other(came, gap, free), abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(
    came=st.lists(st.floats(0, 500), min_size=1, max_size=200).map(sorted),
    rate=st.floats(0.05, 20),
    no_shows=st.floats(0, 0.9),
    patience=st.sampled_from([None, 5.0, 200.0]),
)
def test_line_calls_nobody_before_earlier_arrivals(
    came: list[float], rate: float, no_shows: float, patience: float | None
) -> None:
    line, random = Line(no_shows, patience, reaction_seconds=1.0), np.random.default_rng(1)
    found = admit(np.array(came), rate, line, random)
    entered = found.entered(line, random)
    assert len(found.called) == len(came)
    assert (np.diff(found.called) >= 0).all()
    assert (found.waits >= -1e-9).all()
    assert (np.diff(entered) >= 0).all()
    assert len(entered) == found.is_there.sum()
    # In no period more people enter than the rate and its correction allow.
    assert found.called[-1] - found.called[0] >= (len(came) - 1) / (rate * 2.0) - (
        came[-1] - came[0]
    )


def test_no_shows_are_compensated() -> None:
    """If a third of the people do not come, the others still enter at the rate."""
    came = np.zeros(30_000)
    line, random = Line(no_shows=1 / 3), np.random.default_rng(1)
    found = admit(came, 10.0, line, random)
    entered = found.entered(line, random)
    middle = entered[(entered > 100) & (entered < 1_900)]
    assert len(middle) / 1_800 == pytest.approx(10.0, rel=0.02)
    assert found.left == pytest.approx(1 / 3, abs=0.01)


def test_compensation_of_no_shows_is_bounded() -> None:
    line = Line(no_shows=0.8, correction_max=2.0)
    found = admit(np.zeros(30_000), 10.0, line, np.random.default_rng(1))
    assert found.called[-1] == pytest.approx(30_000 / 20, rel=0.02)


def test_person_without_wait_comes() -> None:
    came = np.arange(1_000, dtype=np.float64) * 10
    line, random = Line(no_shows=0.9), np.random.default_rng(1)
    assert admit(came, 1.0, line, random).entered(line, random).tolist() == came.tolist()


def test_impatient_people_have_left() -> None:
    line = Line(no_shows=0.0, patience_seconds=60.0, reaction_seconds=0.0)
    found = admit(np.zeros(20_000), 10.0, line, np.random.default_rng(1))
    # Of the people called at time t (at most twice the rate), the share exp(-t / 60) is still there.
    assert 60 * 10 < found.is_there.sum() < 60 * 21


@pytest.mark.parametrize("name", shapes())
def test_arrivals_follow_their_curve(name: str) -> None:
    curve = shapes()[name].curve.over(3_600)
    came = arrivals(curve, 50_000, np.random.default_rng(1))
    assert (np.diff(came) >= 0).all()
    assert came[0] >= 0
    assert came[-1] <= 3_600
    expected = [curve.when(curve.total * share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)]
    found = np.searchsorted(came, expected) / len(came)
    assert found == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9], abs=0.01)


def test_zero_rate_has_no_arrivals() -> None:
    curve = Curve(((0.0, 0.0), (10.0, 0.0), (10.0, 5.0), (20.0, 5.0), (20.0, 0.0), (30.0, 0.0)))
    came = arrivals(curve, 1_000, np.random.default_rng(1))
    assert came.min() >= 10.0
    assert came.max() <= 20.0


@pytest.mark.parametrize(
    "text", ["", "[", "points = 3", 'title="x"', "points = [[0.0, 1.0], [1.0, nan]]"]
)
def test_file_that_is_no_curve_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "curve.toml"
    path.write_text(text)
    with pytest.raises(Malformed) as refused:
        shape_of(str(path))
    assert refused.value.field == "--curve"


def test_empty_curve_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "curve.toml"
    words = 'title = "x"\nsource = "x"\nknown = "x"\nours = "x"\n'
    path.write_text(words + "points = [[0.0, 0.0], [1.0, 0.0]]")
    with pytest.raises(Malformed):
        shape_of(str(path))
    path.write_text(words + "points = [[0.0, 0.0], [1.0, 2.0]]")
    assert shape_of(str(path)).curve.total > 0
