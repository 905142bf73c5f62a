"""The rest of the body of an answered request is read within bounds, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from meterai.plumbing.http import draining as module
from meterai.plumbing.http.draining import (
    BURST_BYTES_MAX,
    BYTES_MAX,
    BYTES_PER_SECOND,
    Draining,
)
from meterai.plumbing.http.incoming import Incoming

PIECE = 65_536
Receive = Callable[[], Awaitable[Any]]


def scope_of(announced: int | str | None, *more: tuple[bytes, bytes]) -> Any:
    length = [] if announced is None else [(b"content-length", str(announced).encode())]
    return {
        "type": "http",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [*length, *more],
    }


def sending(size: int) -> Receive:
    """A client that sends `size` bytes and then waits for its answer."""
    left = size

    async def receive() -> Any:
        nonlocal left
        if not left:
            await asyncio.Event().wait()
        piece = min(PIECE, left)
        left -= piece
        return {"type": "http.request", "body": bytes(piece), "more_body": left > 0}

    return receive


def drained(scope: Any, receive: Receive) -> int:
    """Number of bytes that were read."""

    async def act() -> int:
        incoming = Incoming(receive)
        async with asyncio.timeout(5):
            await Draining().drain(scope, incoming)
        incoming.close()
        return incoming.received

    return asyncio.run(act())


@pytest.mark.parametrize("size", [1, PIECE, PIECE + 1, BYTES_MAX])
def test_rest_of_a_small_body_is_read_to_its_end(size: int) -> None:
    assert drained(scope_of(size), sending(size)) == size


@pytest.mark.parametrize(
    "scope",
    [
        scope_of(BYTES_MAX + 1),
        scope_of(None),
        scope_of(0),
        scope_of("many"),
        scope_of(PIECE, (b"expect", b"100-continue")),
    ],
)
def test_large_or_unsent_body_is_not_read(scope: Any) -> None:
    assert drained(scope, sending(PIECE)) == 0


def test_slow_client_is_not_drained_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_MAX", 0.01)
    assert drained(scope_of(2 * PIECE), sending(PIECE)) == PIECE


def test_drained_bytes_are_bounded_at_once_and_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])

    async def act() -> list[int]:
        draining, read = Draining(), []
        for seconds in (0.0, 1.0, 3600.0):
            now[0] += seconds
            read.append(0)
            for _ in range(2 * BURST_BYTES_MAX // BYTES_MAX):
                incoming = Incoming(sending(BYTES_MAX))
                await draining.drain(scope_of(BYTES_MAX), incoming)
                read[-1] += incoming.received
        return read

    assert asyncio.run(act()) == [BURST_BYTES_MAX, BYTES_PER_SECOND, BURST_BYTES_MAX]
