"""The tests themselves reach no other machine."""

import socket
from collections.abc import Callable

import pytest

from tests.support.loopback import LeavesThisMachine

ELSEWHERE = "192.0.2.1"  # RFC 5737: an address for documentation


ACTS: dict[str, Callable[[socket.socket], object]] = {
    "connect": lambda one: one.connect((ELSEWHERE, 9)),
    "bind": lambda one: one.bind(("", 0)),
    "sendto": lambda one: one.sendto(b"", (ELSEWHERE, 9)),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_socket_to_another_machine_is_refused(act: Callable[[socket.socket], object]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one, pytest.raises(LeavesThisMachine):
        act(one)


def test_socket_of_this_machine_is_opened() -> None:
    with socket.socket() as one, socket.socket(socket.AF_INET6) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("::1", 0))
        assert one.getsockname()[0] == "127.0.0.1"
