"""Addresses as an operator configures them: what of them can be served with."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_NOWHERE = ("localhost", "invalid")  # RFC 6761


def split_url(text: str) -> SplitResult | None:
    """The parts of an address; None where it is none."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    return url


def is_a_public_host(host: str) -> bool:
    """True for a name or an address that others than this machine and its neighbours reach."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and host.rsplit(".", 1)[-1] not in _NOWHERE


def is_this_machine(host: str) -> bool:
    """True for a name or an address of the machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
