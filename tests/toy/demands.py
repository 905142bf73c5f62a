"""Demands of production on the guest book."""

from collections.abc import Iterator

from meterai.commands import Demand, Facts
from meterai.plumbing.config import Configuration


def _some_are_shown(of: Configuration) -> Iterator[Facts]:
    if of.value("guests_shown_max") > 1_000:
        yield {"found": of.value("guests_shown_max")}


DEMANDS = (Demand("guests_shown", ("guests_shown_max",), _some_are_shown),)
