"""Many networks of one stranger are bounded together; many networks of a crowd are not."""

from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.plumbing import networks
from meterai.plumbing.networks import NETWORKS_MAX, Buckets, NetworkCounts, nested


class Hands:
    """A clock that a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(networks, "monotonic", lambda: self.now)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


def of_48(site: int, count: int) -> list[tuple[str, ...]]:
    """`count` networks of 64 bits within one of 48 bits, each in a /56 of its own."""
    return [nested(f"2001:db8:{site:x}:{number << 8:x}::/64") for number in range(count)]


@given(st.ip_addresses(v=6), st.ip_addresses(v=6))
def test_ipv6_networks_nest_as_their_prefixes_do(one: IPv6Address, other: IPv6Address) -> None:
    ours, theirs = (
        nested(str(IPv6Network((int(address), 64), strict=False))) for address in (one, other)
    )
    for bits, mine, its in zip((64, 56, 48), ours, theirs, strict=True):
        assert (mine == its) == (int(one) >> (128 - bits) == int(other) >> (128 - bits))
    assert len(set(ours)) == 3


@pytest.mark.usefixtures("hands")
def test_networks_of_one_48_get_sixteen_times_the_amount_of_one() -> None:
    buckets = Buckets(10, 100.0)
    assert sum(buckets.take(nested("2001:db8:1::/64")) for _ in range(50)) == 10
    taken = sum(buckets.take(names) for names in of_48(1, 200) for _ in range(50))
    assert taken == 160 - 10
    assert buckets.take(nested("2001:db8:2::/64")), "another /48 has its own"


def test_each_network_is_refilled_over_time(hands: Hands) -> None:
    buckets = Buckets(10, 100.0)
    names = nested("203.0.113.7")
    assert [buckets.take(names) for _ in range(11)] == [True] * 10 + [False]
    hands.now += 20.0
    assert [buckets.take(names) for _ in range(3)] == [True, True, False]
    hands.now += 10_000.0
    assert sum(buckets.take(names) for _ in range(50)) == 10


@pytest.mark.usefixtures("hands")
def test_exhausted_wide_network_is_remembered_while_it_asks() -> None:
    """Requests from ever new networks make it forget nothing, and fill no memory."""
    buckets = Buckets(1, 1e9)
    assert sum(buckets.take(names) for names in of_48(1, 100)) == 16
    crowd = (nested(f"{a}.{b}.{c}.1") for a in range(1, 9) for b in range(100) for c in range(100))
    for number, names in enumerate(crowd):
        buckets.take(names)
        if number % 10_000 == 0:
            assert not buckets.take(of_48(1, 200)[-1])
    assert len(buckets._left) <= NETWORKS_MAX


def test_count_of_a_client_follows_its_fullest_network() -> None:
    held = NetworkCounts()
    held.add("203.0.113.7", 2)
    held.add("203.0.113.8", 4)
    assert (held.of("203.0.113.7"), held.of("203.0.113.8")) == (3, 4)
    assert held.of("203.0.113.9", 1) == 3.5
    assert held.of("198.51.100.1", 1) == 1
    for names in of_48(1, 9):
        held.add(names[0])
    assert (held.of("2001:db8:1::/64"), held.of("2001:db8:2::/64")) == (3, 0)
    held.give_back("203.0.113.7", 2)
    held.give_back("203.0.113.8", 4)
    for names in of_48(1, 9):
        held.give_back(names[0])
    assert not held._held
