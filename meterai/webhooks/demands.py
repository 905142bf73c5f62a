"""Conditions that the settings of webhooks must meet in production."""

from collections.abc import Iterator

from meterai.commands import Demand, Facts
from meterai.plumbing.config import Configuration


def _webhook_networks(of: Configuration) -> Iterator[Facts]:
    if of.value("webhook_networks"):
        yield {"found": of.value("webhook_networks")}


DEMANDS: tuple[Demand, ...] = (
    Demand("webhook_networks", ("webhook_networks",), _webhook_networks),
)
