"""A visitor's connection reads answers of servers, and reports when it was lost."""

import asyncio
import os
import resource
import sys
from ipaddress import IPv4Address

import pytest

from meterai_rehearsal.clients.connection import (
    AT_ONCE,
    Answer,
    Connection,
    Network,
    Traffic,
    address_alone,
    address_among,
    can_choose_address,
    request,
)
from meterai_rehearsal.clients.sites import AddressWrong, Site, site_of
from meterai_rehearsal.clients.wire import ConnectionLost
from scripted_server import ScriptedServer, always, answer, in_turn

HEAD = b"HTTP/1.1 200 OK\r\n"


def asked(server: ScriptedServer, network: Network = AT_ONCE, times: int = 1) -> list[Answer]:
    async def ask() -> list[Answer]:
        async with server.running():
            made = await Connection.open(server.site, network, Traffic())
            sent = request(server.site, "GET", "/", {})
            try:
                return [await made.ask(sent) for _ in range(times)]
            finally:
                made.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("told", "body"),
    [
        (answer(200, b"whole"), b"whole"),
        (answer(200), b""),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nwho\r\n2;x=y\r\nle\r\n0\r\n\r\n",
            b"whole",
        ),
        (HEAD + b"Connection: close\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(200, b"later"), b"later"),
        (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", b""),
    ],
)
def test_answer_is_read_with_any_framing(told: bytes, body: bytes) -> None:
    assert asked(always(told))[0].body == body


def test_many_requests_use_one_connection() -> None:
    server = in_turn(answer(200, b"one"), answer(503, b"two", "Retry-After: 3"), answer(200))
    one, two, _ = asked(server, times=3)
    assert (one.body, two.status, two.headers["retry-after"]) == (b"one", 503, "3")
    assert server.connections == 1
    assert len(server.asked) == 3


def test_every_cookie_is_stored() -> None:
    (found,) = asked(always(answer(200, b"", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2")))
    assert found.cookies == ("a=1; Path=/", "b=2")


@pytest.mark.parametrize(
    "told",
    [
        None,
        b"garbage\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Content-Length: 9\r\nConnection: close\r\n\r\nshort",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_invalid_answer_is_a_lost_connection(told: bytes | None) -> None:
    with pytest.raises(ConnectionLost) as lost:
        asked(always(told))
    assert not lost.value.was_idle


def test_connection_closed_while_idle_is_marked() -> None:
    with pytest.raises(ConnectionLost) as lost:
        asked(in_turn(answer(200), None), times=2)
    assert lost.value.was_idle


def test_closed_port_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLost):
        asyncio.run(Connection.open(Site("127.0.0.1", 1, "127.0.0.1"), AT_ONCE, Traffic()))


def test_slow_network_delays_both_ways() -> None:
    loop_times = []

    async def ask() -> bytes:
        server = always(answer(200, b"x" * 30_000))
        async with server.running():
            network = Network(latency_seconds=0.05, bytes_per_second=200_000)
            begun = asyncio.get_running_loop().time()
            made = await Connection.open(server.site, network, Traffic())
            found = await made.ask(request(server.site, "POST", "/", {}, b"y" * 30_000))
            loop_times.append(asyncio.get_running_loop().time() - begun)
            made.close()
            assert server.asked[0].endswith(b"y" * 30_000)
        return found.body

    assert asyncio.run(ask()) == b"x" * 30_000
    # Two round trips, and 0.15 s for each direction; a shorter time is impossible in this network.
    assert loop_times[0] > 0.2 + 0.28


def test_aborted_request_is_not_awaited() -> None:
    async def cut() -> Traffic:
        traffic = Traffic()
        server = always(answer(200))
        async with server.running():
            made = await Connection.open(server.site, AT_ONCE, traffic)
            await made.cut(request(server.site, "GET", "/", {}), 0.0)
            assert not made.is_open
        return traffic

    assert asyncio.run(cut()).requests == 1


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost", "http://localhost:80"),
        ("https://127.0.0.1/some/page", "https://127.0.0.1:443"),
        ("http://[::1]:81", "http://[::1]:81"),
    ],
)
def test_site_is_parsed_from_its_address(url: str, found: str) -> None:
    site = site_of(url)
    assert site.url == found
    assert site.is_loopback


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://a@127.0.0.1", "http://x:99999",
     "http://no such host", "http://[::1"],
)  # fmt: skip
def test_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(AddressWrong):
        site_of(url)


def test_visitors_have_own_addresses_on_this_machine_only() -> None:
    here, elsewhere = Site("x", 80, "127.0.0.1"), Site("x", 80, "192.0.2.1")
    assert len({address_alone(number) for number in range(10_000)}) > 9_000
    assert can_choose_address(here) is (sys.platform == "linux")
    assert not can_choose_address(elsewhere)


@pytest.mark.parametrize(("neighbours", "of_24"), [(False, 600), (True, 1)])
def test_networks_of_journey_are_separate_or_in_one_24(neighbours: bool, of_24: int) -> None:
    count = 254 if neighbours else 600
    groups = [
        {address_among(group, number, neighbours=neighbours) for number in range(count)}
        for group in range(20)
    ]
    assert len(set.union(*groups)) == 20 * count
    assert all(IPv4Address(one).is_loopback for one in set.union(*groups))
    assert len({one.rpartition(".")[0] for one in groups[19]}) == of_24
    assert "127.0.0.1" not in set.union(*groups)


def test_lack_of_files_is_counted_as_own_fault() -> None:
    traffic = Traffic()

    async def ask() -> None:
        async with always(answer(200)).running():
            with pytest.raises(ConnectionLost):
                await Connection.open(site_of("http://127.0.0.1:1"), AT_ONCE, traffic)
            assert traffic.starved == 0, "a closed port is the server's"
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            # Open files have the lowest free numbers.
            lowest = os.dup(0)
            os.close(lowest)
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
            try:
                with pytest.raises(ConnectionLost):
                    await Connection.open(site_of("http://127.0.0.1:1"), AT_ONCE, traffic)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    asyncio.run(ask())
    assert traffic.starved == 1
