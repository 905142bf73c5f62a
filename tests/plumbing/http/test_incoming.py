"""One task calls the server's `receive` until the end, so that no message is lost when a reader stops waiting."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from litestar import Litestar, Request, post
from litestar.datastructures import State

from meterai.apps.edge import Edge
from meterai.apps.settings import settings_of
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.plumbing.config import Settings
from meterai.plumbing.http.bodies import UNCOUNTED_BYTES_MAX, Bodies, unless_gone
from meterai.plumbing.http.front import Front
from meterai.plumbing.http.incoming import Incoming
from meterai.plumbing.http.problems import on_refusal
from meterai.plumbing.http.requests import BoundedRequest
from tests.support.within import admission

Message = dict[str, Any]  # an ASGI message from the server

GONE: Message = {"type": "http.disconnect"}
BODY = bytes(range(256)) * 96  # stored in a file, since no body is kept in memory
WORK_STEPS = 6  # iterations of the loop that a check takes


class Server:
    """The server's side of one request: it sends each message after some iterations of the loop.

    As a real server may, it loses the current message if `receive` is cancelled, and fails if `receive` is
    called twice at once.
    """

    def __init__(self, messages: Sequence[Message], turns: Sequence[int]) -> None:
        self.left = list(messages)
        self._turns = list(turns) or [0]
        self._is_asked = False
        self.is_over = False
        self.cancelled = 0
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> Any:
        assert not self._is_asked, "asked twice at once"
        self._is_asked = True
        try:
            if not self.left:
                await asyncio.Event().wait()  # the connection stays open
            message = self.left.pop(0)
            for _ in range(self._turns[len(self.left) % len(self._turns)]):
                await asyncio.sleep(0)
            return message
        except asyncio.CancelledError:
            self.cancelled += not self.is_over
            raise
        finally:
            self._is_asked = False

    async def send(self, message: Any) -> None:
        self.is_over = True
        self.sent.append(message)


def pieces_of(body: bytes, cuts: Sequence[int]) -> list[Message]:
    """The body cut at these offsets, as a server sends it, with an empty last message."""
    marks = sorted({0, *(cut % len(body) for cut in cuts), len(body)})
    pieces = [body[start:end] for start, end in pairwise(marks)]
    return [
        *({"type": "http.request", "body": piece, "more_body": True} for piece in pieces),
        {"type": "http.request", "body": b"", "more_body": False},
    ]


# -- the messages ------------------------------------------------------------------------------


@given(
    count=some.integers(1, 12),
    turns=some.lists(some.integers(0, 4), max_size=6),
    patience=some.lists(some.integers(0, 3), min_size=1, max_size=20),
)
def test_every_message_arrives_once_in_order_despite_cancelled_readers(
    count: int, turns: list[int], patience: list[int]
) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": bytes([place]), "more_body": True}
        for place in range(count)
    ]
    server = Server([*messages, GONE], turns)

    async def run() -> list[object]:
        incoming, tries = Incoming(server.receive), 0
        found: list[object] = []
        while len(found) < count + 3:
            reader = asyncio.ensure_future(incoming())
            tries += 1
            # At the end it waits longer, since with zero iterations no reader would ever get a message.
            for _ in range(patience[tries % len(patience)] if tries < 50 else 10):
                await asyncio.sleep(0)
            if reader.done():
                found.append(reader.result())
                continue
            reader.cancel()
            await asyncio.wait([reader])
        incoming.close()
        return found

    assert asyncio.run(run()) == [*messages, GONE, GONE, GONE]
    assert server.cancelled == 0


@pytest.mark.parametrize("turns", [0, 1])
def test_earlier_disconnect_is_detected(turns: int) -> None:
    whole: Message = {"type": "http.request", "body": b"x", "more_body": False}

    async def run() -> None:
        incoming = Incoming(Server([whole, GONE], [turns]).receive)
        assert await incoming.has_gone()
        assert await incoming() == whole
        assert await incoming() == GONE
        incoming.close()

    asyncio.run(run())


def test_concurrent_readers_share_the_messages() -> None:
    server = Server(pieces_of(b"abcdef", [1, 2, 3]), [1])

    async def run() -> list[Any]:
        incoming = Incoming(server.receive)
        found = await asyncio.gather(*(incoming() for _ in range(5)))
        incoming.close()
        return found

    assert b"".join(message["body"] for message in asyncio.run(run())) == b"abcdef"


# -- a whole request ---------------------------------------------------------------------------


@post(
    "/check",
    opt={"permission": "public", "priority": Priority.CHECKING},
    request_max_body_size=4 * len(BODY),
)
async def check(request: Request[Any, Any, Any]) -> int:
    """Read the body and then work as long as the client is connected, as the checks of documents do."""

    async def work(content: bytes) -> int:
        for _ in range(WORK_STEPS):
            await asyncio.sleep(0)
        return len(content)

    content = await request.body()
    return await unless_gone(request.receive, work(content))


def edge(directory: Path) -> Front:
    bodies = Bodies(directory / "uploads", 16 * len(BODY))
    bodies.arriving.bytes_max = 0
    assert len(BODY) > UNCOUNTED_BYTES_MAX
    services = {Settings: settings_of(), Bodies: bodies}
    app = Litestar(
        route_handlers=[check],
        request_class=BoundedRequest,
        exception_handlers={Refusal: on_refusal},
        state=State({"services": services}),
        openapi_config=None,
        logging_config=None,
    )
    return Front(app, [Edge(app, {}, admission(app))])


def status_of(app: Front, server: Server, announced: int | None) -> int:
    headers = [(b"content-type", b"application/pdf")]
    if announced is not None:
        headers.append((b"content-length", str(announced).encode()))
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/check",
        "raw_path": b"/check",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    asyncio.run(app(scope, server.receive, server.send))
    status: int = next(m["status"] for m in server.sent if m["type"] == "http.response.start")
    return status


@given(
    cuts=some.lists(some.integers(0, len(BODY)), max_size=8),
    turns=some.lists(some.integers(0, 5), max_size=5),
    is_announced=some.booleans(),
    gone_after=some.none() | some.integers(0, 12),
)
def test_upload_is_incomplete_only_after_a_disconnect(
    tmp_path_factory: pytest.TempPathFactory,
    cuts: list[int],
    turns: list[int],
    is_announced: bool,
    gone_after: int | None,
) -> None:
    messages = pieces_of(BODY, cuts)
    if gone_after is not None:
        messages = [*messages[:gone_after], GONE]
    server = Server(messages, turns)
    app = edge(tmp_path_factory.getbasetemp())
    status = status_of(app, server, len(BODY) if is_announced else None)
    if gone_after is None:
        assert status == 201
    else:
        came = sum(len(m["body"]) for m in messages[:-1])
        is_whole = came == len(BODY)
        assert status == 400 or is_whole, "an answer to half a document"
    assert server.cancelled == 0, "a message may have been lost"
