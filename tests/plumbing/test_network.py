"""Whose address a limit per network is counted for."""

import pytest
from litestar.testing import RequestFactory

from meterai.plumbing.http import network_of


@pytest.mark.parametrize(
    ("seen", "told", "proxies", "network"),
    [
        ("203.0.113.7", "", 0, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", 0, "203.0.113.7"),  # nobody asked to believe it
        ("10.0.0.1", "198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", 1, "198.51.100.1"),  # a stranger wrote the first
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", 2, "198.51.100.1"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("10.0.0.1", "nonsense", 1, "unknown"),
        ("2001:db8:1:2:3::4", "", 0, "2001:db8:1:2::/64"),
    ],
)
def test_network(seen: str, told: str, proxies: int, network: str) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": told} if told else None)
    request.scope["client"] = (seen, 1)
    assert network_of(request, proxies) == network
