"""Conditions that the networks from which the console is reachable must meet in production."""

from collections.abc import Iterator, Mapping

from meterai.commands import Demand, Facts
from meterai.plumbing.config import Configuration, ConfigurationWrong
from meterai.plumbing.networks import networks_of


def _networks(of: Configuration) -> Iterator[Facts]:
    """Yield a finding if `console_networks` was not set, is unreadable, or contains every network."""
    told = of.value("console_networks")
    try:
        networks = networks_of("console_networks", told)
    except ConfigurationWrong as wrong:
        yield {"found": wrong.reason}
        return
    is_of_everybody = any(one.prefixlen == 0 for one in networks)
    if of.sources["console_networks"] == "default" or is_of_everybody:
        yield {"found": told}


DEMANDS: tuple[Demand, ...] = (Demand("console_door", ("console_networks",), _networks),)
UNDEMANDED: Mapping[str, str] = {
    "console_is_served": "a process without the console serves all other pages",
}
