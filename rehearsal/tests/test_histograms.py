"""Distributions of durations: recorded, added, read back."""

import pytest

from meterai_rehearsal.histograms import LONGEST_SECONDS, Recorder, read, together


def test_recorded_durations_are_read_back_within_a_thousandth() -> None:
    kept = Recorder()
    for milliseconds in range(1, 1001):
        kept.record(milliseconds / 1000)
    told = kept.latency()
    assert told.count == 1000
    assert told.p50 == pytest.approx(0.5, rel=2e-3)
    assert told.p99 == pytest.approx(0.99, rel=2e-3)
    assert told.longest == pytest.approx(1.0, rel=2e-3)
    assert read(told).latency() == told


def test_several_distributions_are_added() -> None:
    both = Recorder(), Recorder()
    for one, seconds in zip(both, (0.01, 3.0), strict=True):
        for _ in range(10):
            one.record(seconds)
    told = together(one.latency() for one in both)
    assert told.count == 20
    assert told.p50 == pytest.approx(0.01, rel=2e-3)
    assert told.p90 == pytest.approx(3.0, rel=2e-3)


def test_empty_distribution_is_zero_and_adds_nothing() -> None:
    told = Recorder().latency()
    assert (told.count, told.mean, told.p99, told.longest) == (0, 0.0, 0.0, 0.0)
    assert together([told, told]).count == 0


def test_out_of_range_durations_are_counted() -> None:
    kept = Recorder()
    kept.record(LONGEST_SECONDS * 10)
    kept.record(-1.0)
    assert kept.count == 2
    assert kept.latency().longest == pytest.approx(LONGEST_SECONDS, rel=2e-3)
