"""Many idle connections: a new one is answered nevertheless."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.instance import Instance

IDLE = 2_200  # more than Granian holds by default
ASKED = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ANSWER_SECONDS_MAX = 90.0  # until a busy machine has accepted them all


@contextmanager
def room_for_files(count: int) -> Iterator[None]:
    """Let this process open up to `count` files for a while."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < count:
        pytest.skip(f"this system lets a process open {most} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before, count), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_new_connection_is_answered_beside_many_idle_ones(instance: Instance) -> None:
    there = ("127.0.0.1", instance.port)
    with room_for_files(2 * IDLE), ExitStack() as crowd:
        for _ in range(IDLE):
            crowd.enter_context(socket.create_connection(there, ANSWER_SECONDS_MAX))
        with socket.create_connection(there, ANSWER_SECONDS_MAX) as somebody:
            somebody.sendall(ASKED)
            assert somebody.recv(64).startswith(b"HTTP/1.1 200 ")
