"""Settings of the console: who reaches its pages."""

from ipaddress import IPv4Network, IPv6Network, ip_network

import msgspec

from meterai.plumbing.config import ConfigurationWrong

Networks = tuple[IPv4Network | IPv6Network, ...]


class ConsoleSettings(msgspec.Struct, frozen=True):
    """The door of the console.  Its pages are not there for who comes from another network."""

    # CIDR, separated by commas.  Loopback alone: staff elsewhere come by a tunnel or a network named here.
    console_networks: str = "127.0.0.0/8, ::1/128"
    console_is_served: bool = True  # false: this web process has no console for anybody


def networks_of(text: str) -> Networks:
    """The networks of a list.  Refuses `ConfigurationWrong`."""
    named = [one.strip() for one in text.split(",") if one.strip()]
    try:
        return tuple(ip_network(one) for one in named)
    except ValueError as error:
        raise ConfigurationWrong("console_networks", "settings", str(error)) from None
