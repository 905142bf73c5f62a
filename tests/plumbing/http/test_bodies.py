"""Request bodies take bounded memory and time for every sender."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from meterai.plumbing.http import bodies as module
from meterai.plumbing.http.bodies import (
    HELD_BYTES_MAX,
    SHARE_OF_ONE_NETWORK,
    UNCOUNTED_BYTES_MAX,
    Bodies,
    BodyIncomplete,
    BodyTooSlow,
    ByteBudget,
    RequestBody,
    UploadsFull,
    unless_gone,
)

MIB = 1024 * 1024
GONE = {"type": "http.disconnect"}
Receive = Callable[[], Awaitable[Any]]


def sent(*pieces: bytes, after: Any = GONE) -> Receive:
    """A client that sends these pieces and then repeats `after` endlessly; with None it sends nothing more."""
    messages: Iterator[Any] = iter(
        [
            {"type": "http.request", "body": piece, "more_body": place < len(pieces)}
            for place, piece in enumerate(pieces, start=1)
        ]
    )

    async def receive() -> Any:
        message = next(messages, after)
        if message is None:
            await asyncio.Event().wait()
        return message

    return receive


def body_of(
    receive: Receive,
    found: Bodies,
    *,
    announced: int | None,
    bytes_max: int = 32 * MIB,
    network: str = "192.0.2.1",
) -> RequestBody:
    return RequestBody(
        receive, found, announced=announced, bytes_max=bytes_max, network=lambda: network
    )


def is_empty(found: Bodies) -> bool:
    return not (found.arriving.used or found.working.used or found.files.used or found._held._held)


def cut(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)] or [b""]


@given(
    size=some.sampled_from([0, 1, 100, UNCOUNTED_BYTES_MAX, HELD_BYTES_MAX, HELD_BYTES_MAX + 1])
    | some.integers(0, 2 * MIB),
    piece=some.integers(1_000, 300_000),
    is_announced=some.booleans(),
    as_pieces=some.booleans(),
    is_tight=some.booleans(),
)
def test_body_is_read_as_sent_and_leaves_no_file(
    tmp_path_factory: pytest.TempPathFactory,
    size: int,
    piece: int,
    is_announced: bool,
    as_pieces: bool,
    is_tight: bool,
) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    found = Bodies(tmp_path_factory.getbasetemp() / "uploads", 16 * MIB)
    if is_tight:
        found.arriving.bytes_max = 0

    async def run() -> bytes:
        receive = sent(*cut(content, piece), after=None)
        with closing(body_of(receive, found, announced=size if is_announced else None)) as body:
            if as_pieces:
                return b"".join([one async for one in body.pieces()])
            return await body.whole()

    assert asyncio.run(run()) == content
    assert is_empty(found)
    assert not list(found.directory.glob("*"))


@pytest.mark.parametrize("announced", [None, 2 * MIB])
def test_body_over_the_limit_is_refused(tmp_path: Path, announced: int | None) -> None:
    found = Bodies(tmp_path, 16 * MIB)

    async def run() -> None:
        receive = sent(*cut(bytes(2 * MIB), 60_000))
        with (
            closing(body_of(receive, found, announced=announced, bytes_max=MIB)) as body,
            pytest.raises(RequestEntityTooLarge),
        ):
            await body.whole()

    asyncio.run(run())
    assert is_empty(found)


def test_body_without_room_is_refused_before_it_is_read(tmp_path: Path) -> None:
    found = Bodies(tmp_path, 8 * MIB)

    async def run() -> None:
        # Each client has sent all of its body but the last byte.
        clients = [stalling(*cut(bytes(2 * MIB - 1), 60_000)) for _ in range(4)]
        held = [
            body_of(receive, found, announced=2 * MIB, network=f"192.0.{number}.1")
            for number, (receive, _) in enumerate(clients)
        ]
        waiting = [asyncio.ensure_future(body.whole()) for body in held]
        for _, is_silent in clients:
            await is_silent.wait()
        late = body_of(_must_not_be_asked, found, announced=2 * MIB, network="192.0.2.9")
        with pytest.raises(UploadsFull):
            await late.whole()
        for one, body in zip(waiting, held, strict=True):
            one.cancel()
            await asyncio.wait([one])
            body.close()

    asyncio.run(run())
    assert is_empty(found)
    assert UploadsFull.status == 503
    assert UploadsFull.retry_after_seconds


def stalling(*pieces: bytes) -> tuple[Receive, asyncio.Event]:
    """A client that sends these pieces and then stops, and an event that is set when it has stopped."""
    left, is_silent = list(pieces), asyncio.Event()

    async def receive() -> Any:
        if not left:
            is_silent.set()
            await asyncio.Event().wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    return receive, is_silent


async def _must_not_be_asked() -> Any:
    raise AssertionError("the body was read")


def test_body_of_unknown_length_is_bounded_as_it_grows(tmp_path: Path) -> None:
    found = Bodies(tmp_path, 4 * MIB)

    async def run() -> None:
        receive = sent(*cut(bytes(16 * MIB), 100_000))
        with closing(body_of(receive, found, announced=None)) as body:
            with pytest.raises(UploadsFull):
                await body.whole()
            assert found.files.used <= 4 * MIB

    asyncio.run(run())
    assert is_empty(found)


def test_one_network_cannot_take_all_room(tmp_path: Path) -> None:
    found = Bodies(tmp_path, 16 * MIB)
    share = int(16 * MIB * SHARE_OF_ONE_NETWORK)
    for _ in range(4):
        found.take_file(share // 4, "192.0.2.1", whole=share // 4)
    with pytest.raises(UploadsFull):
        found.take_file(1, "192.0.2.1", whole=1)
    with pytest.raises(UploadsFull):
        found.check_room(1, "192.0.2.1")
    found.take_file(share, "192.0.2.2", whole=share)
    # A single document larger than a share is still accepted from a client that sends nothing else.
    found.check_room(share + MIB, "198.51.100.3")
    found.take_file(share, "198.51.100.3", whole=share)
    found.take_file(MIB, "198.51.100.3", whole=share + MIB)


def test_small_bodies_beyond_the_memory_bound_go_to_files(
    tmp_path: Path,
) -> None:
    found = Bodies(tmp_path, 16 * MIB)
    found.arriving.bytes_max = 3 * HELD_BYTES_MAX
    many = [
        body_of(
            sent(bytes(HELD_BYTES_MAX), after=None),
            found,
            announced=HELD_BYTES_MAX,
            network=str(number),
        )
        for number in range(5)
    ]

    async def run() -> None:
        for body in many:
            await body._arrive()

    asyncio.run(run())
    assert found.arriving.used == 3 * HELD_BYTES_MAX
    assert found.files.used == 2 * HELD_BYTES_MAX
    for body in many:
        body.close()
    assert is_empty(found)


@pytest.mark.parametrize("limit", ["SILENCE_SECONDS_MAX", "GRACE_SECONDS"])
def test_body_that_does_not_arrive_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(module, limit, 0.01)
    found = Bodies(tmp_path, 16 * MIB)

    async def run() -> None:
        for announced in (100, MIB, None):
            with (
                closing(body_of(sent(after=None), found, announced=announced)) as body,
                pytest.raises(BodyTooSlow),
            ):
                await body.whole()

    asyncio.run(run())
    assert is_empty(found)


# -- queue for memory --------------------------------------------------------------------------


@given(
    some.lists(
        some.tuples(some.integers(1, 100), some.sampled_from(["stays", "leaves"])), max_size=12
    )
)
def test_queue_for_memory_keeps_order_and_loses_no_bytes(
    wishes: Sequence[tuple[int, str]],
) -> None:
    budget, served = ByteBudget(100), []

    async def one(number: int, size: int) -> None:
        await budget.wait_for(size)
        served.append(number)
        assert budget.used <= 100
        await asyncio.sleep(0)
        budget.give_back(size)

    async def run() -> None:
        assert budget.take(100)
        tasks = [asyncio.ensure_future(one(n, size)) for n, (size, _) in enumerate(wishes)]
        await asyncio.sleep(0)
        for task, (_, what) in zip(tasks, wishes, strict=True):
            if what == "leaves":
                task.cancel()
        await asyncio.sleep(0)
        budget.give_back(100)
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    assert budget.used == 0
    assert served == [n for n, (_, what) in enumerate(wishes) if what == "stays"]


def test_too_long_wait_for_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURN_SECONDS_MAX", 0.01)
    budget = ByteBudget(100)

    async def run() -> None:
        assert budget.take(60)
        with pytest.raises(UploadsFull):
            await budget.wait_for(50)
        assert budget.take(40)

    asyncio.run(run())
    assert budget.used == 100


# -- work for disconnected clients -------------------------------------------------------------


def test_work_ends_when_its_client_disconnects() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def run() -> None:
        with pytest.raises(BodyIncomplete):
            await unless_gone(sent(b"", after=GONE), work())

    asyncio.run(run())
    assert ended == [True]


def test_work_for_a_connected_client_returns_answer_or_refusal() -> None:
    async def good() -> int:
        await asyncio.sleep(0.001)
        return 7

    async def bad() -> int:
        raise UploadsFull("no")

    assert asyncio.run(unless_gone(sent(after=None), good())) == 7
    with pytest.raises(UploadsFull):
        asyncio.run(unless_gone(sent(after=None), bad()))
