"""Losses of visitors: place, reason and pool."""

import msgspec

from meterai_rehearsal.losses import LOST, losses_of
from meterai_rehearsal.results import Run, Series
from runs import a_run


def lost(of: str, *seconds: float) -> Series:
    return Series(LOST, of, "1/s", tuple(map(float, range(len(seconds)))), seconds)


def seen(name: str, of: str, *values: float) -> Series:
    at = tuple(second + 0.4 for second in range(len(values)))
    return Series(name, of, "number", at, values)


def with_series(*series: Series) -> Run:
    return msgspec.structs.replace(a_run(), series=series)


def test_loss_is_named_with_the_station_of_highest_pressure_in_its_seconds() -> None:
    run = with_series(
        lost("buy.upload: busy", 0, 0, 3, 1),
        lost("buy.front: gave_up", 1, 0, 0, 0),
        # This pool was full at a time at which nobody was lost at the upload.
        seen("meterai_station_pressure", "turn", 0.9, 0.9, 0.0, 0.0),
        seen("meterai_station_pressure", "examination", 0.0, 0.0, 2.0, 4.0),
    )
    upload, front = losses_of(run)
    assert (upload.journey, upload.step, upload.reason) == ("buy", "upload", "busy")
    assert (upload.visitors, upload.first_at, upload.last_at) == (4, 2.0, 3.0)
    assert (upload.pool, upload.pressure) == ("examination", (3 * 2.0 + 4.0) / 4)
    assert (front.pool, front.pressure) == ("turn", 0.9)


def test_loss_in_line_has_pool_line_with_rate() -> None:
    run = with_series(
        lost("grab.queue: gave_up", 0, 2),
        seen("meterai_station_pressure", "turn", 9.0, 9.0),
        seen("meterai_line_rate", "buying", 4.0, 2.0),
    )
    (found,) = losses_of(run)
    assert (found.pool, found.pressure, found.line_rate) == ("line", None, 2.0)


def test_pool_is_empty_without_full_station_or_recent_figures() -> None:
    idle = seen("meterai_station_pressure", "turn", 0.01)
    silent = Series("meterai_station_pressure", "turn", "number", (0.0,), (5.0,))
    for run in (
        with_series(lost("look.front: away", 2), idle),
        with_series(lost("look.front: away", *[0] * 20, 2), silent),
    ):
        (found,) = losses_of(run)
        assert (found.pool, found.pressure, found.line_rate) == ("", None, None)


def test_run_without_lost_visitors_has_no_loss() -> None:
    assert losses_of(with_series(lost("buy.front: busy", 0, 0))) == ()
