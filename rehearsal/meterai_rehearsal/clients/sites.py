"""Sites: the servers of a run, by address."""

import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from meterai.kit.refusal import CommandRefusal

PORTS = {"http": 80, "https": 443}


class AddressWrong(CommandRefusal):
    """The given address cannot be requested by HTTP."""

    code = "address_wrong"
    status = 422

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


@dataclass(frozen=True, slots=True)
class Site:
    """One server: its network address and its name."""

    host: str
    port: int
    address: (
        str  # of IP, resolved once: resolving the name for each visitor would measure the resolver
    )
    is_tls: bool = False

    @property
    def url(self) -> str:
        """Its URL, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_tls else 'http'}://{host}:{self.port}"

    @property
    def authority(self) -> str:
        """Its host and port as in its URL, for the header Host."""
        return self.url.partition("://")[2]

    @property
    def is_loopback(self) -> bool:
        """True if it is on this machine, by its address and not by its name."""
        return ip_address(self.address).is_loopback

    @property
    def family(self) -> socket.AddressFamily:
        """Family of its address."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    def context(self) -> ssl.SSLContext | None:
        """Context for TLS, or None."""
        return ssl.create_default_context() if self.is_tls else None


def _split(url: str) -> SplitResult:
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        raise AddressWrong(url) from None
    if found.scheme not in PORTS or not found.hostname or found.username is not None:
        raise AddressWrong(url)
    return found


def site_of(url: str) -> Site:
    """Return the site of a URL; the path of the URL is ignored. Refuses `AddressWrong`."""
    found = _split(url)
    assert found.hostname is not None
    port = found.port or PORTS[found.scheme]
    try:
        told = socket.getaddrinfo(found.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressWrong(url) from None
    return Site(found.hostname, port, str(told[0][4][0]), found.scheme == "https")
