"""Every metric is registered by the room that counts it, with the platform's prefix."""

from importlib import import_module

from meterai import limiter
from meterai.apps.rooms import ROOMS
from meterai.plumbing.observe import telemetry
from meterai.plumbing.observe.metrics import Metric
from meterai.room import Rooms
from tests.tidy.sources import modules

REGISTERED = {"plumbing": telemetry.METRICS, "limiter": limiter.METRICS} | {
    room.name: room.metrics for room in ROOMS
}


def test_every_metric_is_registered_where_it_is_declared() -> None:
    declared: dict[str, set[str]] = {name: set() for name in REGISTERED}
    for name in modules():
        if name.endswith((".metrics", ".telemetry")):
            found = vars(import_module(name)).values()
            declared.setdefault(name.split(".")[1], set()).update(
                one.name for one in found if isinstance(one, Metric)
            )
    assert declared == {of: {one.name for one in found} for of, found in REGISTERED.items()}


def test_names_have_the_prefix_of_the_platform_and_are_unique(rooms: Rooms) -> None:
    registered = (telemetry.METRICS, limiter.METRICS, *(room.metrics for room in rooms))
    names = [one.name for found in registered for one in found]
    assert len(names) == len(set(names))
    assert all(name.startswith("meterai_") for name in names)
