"""An authority that does not answer is not asked for a while; others of its kind are."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from meterai.plumbing.work.outgoing import PROBE_SECONDS, SILENT_IN_A_ROW
from meterai.sealing.signing import network
from meterai.sealing.signing.network import HOSTS_MAX, Authorities, Unreached, exchange


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Refusing(BaseHTTPRequestHandler):
    """A server with a useful answer only at /good."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/good" else 500)
        self.end_headers()
        self.wfile.write(b"evidence")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def authority() -> Iterator[str]:
    """Address of an authority that answers."""
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address without a server, reserved for the test."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def ask(authorities: Authorities, url: str) -> bytes:
    return exchange(url, authorities.of(url), timeout_seconds=30.0, bytes_max=100)


def test_silent_authority_is_not_asked_and_others_are(authority: str, nobody: str) -> None:
    authorities, hands = Authorities("test"), Hands()
    authorities.of(nobody).clock = hands
    for _ in range(SILENT_IN_A_ROW):
        with pytest.raises(Unreached, match="gave no answer"):
            ask(authorities, nobody)
    with pytest.raises(Unreached, match="was not asked"):
        ask(authorities, f"{nobody}/another-path")
    assert ask(authorities, f"{authority}/good") == b"evidence"
    hands.now += PROBE_SECONDS
    with pytest.raises(Unreached, match="gave no answer"):
        ask(authorities, nobody)


def test_hosts_beyond_limit_share_one_circuit() -> None:
    authorities = Authorities("test")
    own = {id(authorities.of(f"http://{number}.example")) for number in range(HOSTS_MAX)}
    rest = {id(authorities.of(f"http://more-{number}.example")) for number in range(50)}
    assert (len(own), len(rest), len(own & rest)) == (HOSTS_MAX, 1, 0)
    assert len(authorities._hosts) <= network.HOSTS_MAX + 1
