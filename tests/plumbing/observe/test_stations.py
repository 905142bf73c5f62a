"""Stations: points where steps wait, and their mean wait compared with the promised one."""

from contextlib import ExitStack

import pytest

from meterai.plumbing.observe import stations as module
from meterai.plumbing.observe.stations import Station, Stations


class Watch:
    """The clock of the stations."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    found = Watch()
    monkeypatch.setattr(module, "monotonic", found)
    return found


def wait(station: Station, watch: Watch, seconds: float) -> None:
    with station.waiting():
        watch.at += seconds


def test_station_without_visitors_has_no_pressure() -> None:
    assert Stations().pressure() == 0.0
    assert Station("examination", 2.0).pressure() == 0.0


def test_pressure_is_the_mean_wait_as_a_share_of_the_bound(watch: Watch) -> None:
    station = Station("examination", 2.0)
    wait(station, watch, 1.0)
    wait(station, watch, 3.0)
    assert station.pressure() == 1.0
    assert station.pressure() == 0.0, "it begins anew"


def test_unfinished_wait_counts(watch: Watch) -> None:
    station = Station("examination", 2.0)
    with ExitStack() as waits:
        waits.enter_context(station.waiting())
        watch.at += 6.0
        assert station.pressure() == 3.0
        watch.at += 2.0
        assert station.pressure() == 4.0
    assert station.pressure() == 4.0, "it ended since"
    assert station.pressure() == 0.0


def test_station_with_most_pressure_counts(watch: Watch) -> None:
    stations = Stations()
    wait(stations.add(Station("examination", 2.0)), watch, 1.0)
    wait(stations.add(Station("pictures", 4.0)), watch, 3.0)
    assert stations.pressure() == 0.75
