"""Classification of addresses in the configuration: public, or of this machine."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_NOWHERE = ("localhost", "invalid")  # RFC 6761


def split_url(text: str) -> SplitResult | None:
    """Return the parts of a URL; None if the text is no URL."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    return url


def is_a_public_host(host: str) -> bool:
    """True for a host name or IP address that is reachable from outside this machine and its network."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and host.rsplit(".", 1)[-1] not in _NOWHERE


def is_this_machine(host: str) -> bool:
    """True for a host name or IP address of this machine (loopback)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
