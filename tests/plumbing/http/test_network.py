"""The client address by which limits per network are counted."""

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import RequestFactory

from meterai.plumbing.http.requests import network_of

# Made once, since each factory makes an application, which takes longer than these tests.
FACTORY = RequestFactory()


def network(seen: str, told: list[str], proxies: int) -> str:
    request = FACTORY.get("/")
    request.scope["client"] = (seen, 1)
    request.scope["headers"] = [(b"x-forwarded-for", line.encode("latin-1")) for line in told]
    return network_of(request, proxies)


@pytest.mark.parametrize(
    ("seen", "told", "proxies", "expected"),
    [
        ("203.0.113.7", [], 0, "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], 0, "203.0.113.7"),  # no proxy is trusted
        ("10.0.0.1", ["198.51.100.1"], 1, "198.51.100.1"),
        # A stranger wrote the first address.
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], 1, "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], 2, "198.51.100.1"),
        # A header line of the stranger, before or joined with that of our proxy.
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1"], 1, "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 7.7.7.7", "198.51.100.1"], 1, "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1", "10.0.0.2"], 2, "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1, 10.0.0.2"], 2, "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6,,", "", " , 198.51.100.1 ,"], 1, "198.51.100.1"),
        ("10.0.0.1", [], 1, "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], 2, "10.0.0.1"),  # did not pass all of our proxies
        ("10.0.0.1", ["nonsense"], 1, "unknown"),
        ("", [], 0, "unknown"),
        ("2001:db8:1:2:3::4", [], 0, "2001:db8:1:2::/64"),
    ],
)
def test_network_is_that_of_the_last_untrusted_address(
    seen: str, told: list[str], proxies: int, expected: str
) -> None:
    assert network(seen, told, proxies) == expected


V6_FORMS = ("{a}", "[{a}]", "[{a}]:4711", '"[{a}]:4711"', "{a}%eth0", "[{a}%25eth0]:4711", "{A}")


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_ipv6_prefix_of_64_is_one_network_in_every_notation(
    address: IPv6Address, host: int
) -> None:
    if address.ipv4_mapped is not None:
        return
    neighbour = IPv6Address(int(address) >> 64 << 64 | host)
    expected = network(str(address), [], 0)
    assert expected.endswith("/64")
    if neighbour.ipv4_mapped is None:
        for form in V6_FORMS:
            told = form.format(a=neighbour, A=neighbour.exploded.upper())
            assert network("10.0.0.1", [told], 1) == expected, form
    beside = IPv6Address(int(address) ^ 1 << 64)
    assert network(str(beside), [], 0) != expected


@given(st.text(alphabet=st.characters(max_codepoint=255)), st.integers(0, 3))
def test_forged_header_never_changes_the_network(text: str, proxies: int) -> None:
    ours = ["198.51.100.1", "10.0.0.2", "10.0.0.3"][:proxies]
    told = network("10.0.0.9", [text, *ours], proxies)
    assert told == (ours[0] if proxies else "10.0.0.9")
    network("10.0.0.9", [text], proxies)
