"""A slow upload holds no permit; one is regained before the body is processed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from meterai.kit.priority import Priority
from meterai.limiter import Limiter, limiter
from meterai.limiter.limit import LIMIT_FIRST
from meterai.limiter.permit import Permit
from meterai.limiter.waiting import WaitingRequest
from meterai.plumbing.db.database import DatabaseBusy
from meterai.plumbing.http import bodies
from meterai.plumbing.http.bodies import Bodies, BodyIncomplete, RequestBody
from meterai.plumbing.permits import PURPOSE, WorkPurpose
from meterai.plumbing.queueing import Queueing

MIB = 1024 * 1024
ONE = Priority.CHECKING


class Sender:
    """A client that sends its body when a test says so."""

    def __init__(self) -> None:
        self.may_send = asyncio.Event()
        self.is_gone = False

    async def __call__(self) -> Any:
        await self.may_send.wait()
        if self.is_gone:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"a body", "more_body": False}


class Process:
    """Requests of one priority that read a body, each with a permit."""

    def __init__(self, folder: Path) -> None:
        self.limiter = Limiter(Queueing())
        self.bodies = Bodies(folder, 16 * MIB)
        self.read: list[bytes] = []
        self.under_way: list[asyncio.Task[None]] = []
        self.purposes: list[WorkPurpose] = []

    async def request(self, sender: Sender, user: bytes = b"somebody") -> None:
        request = self.limiter.ask(ONE, user)
        if isinstance(request, WaitingRequest):
            assert await request.permit
        else:
            assert request
        purpose = WorkPurpose(ONE, monotonic() + 100)
        self.purposes.append(purpose)
        PURPOSE.set(purpose)
        permit = Permit(self.limiter, user, purpose)
        body = RequestBody(
            sender, self.bodies, announced=6, bytes_max=MIB, network=lambda: "192.0.2.1"
        )  # fmt: skip
        try:
            self.read.append(await body.whole())
        finally:
            body.close()
            purpose.end()
            permit.end()

    def begin(self, sender: Sender) -> asyncio.Task[None]:
        task = asyncio.create_task(self.request(sender))
        self.under_way.append(task)
        return task

    def fill(self) -> int:
        """Take every free permit for other requests; return how many."""
        others = 0
        while (request := self.limiter.ask(ONE, b"another")) is True:
            others += 1
        assert isinstance(request, WaitingRequest)
        self.limiter.withdraw(request)
        return others


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat every incomplete upload as slow."""
    monkeypatch.setattr(bodies, "AT_ONCE_SECONDS", 0.0)


def in_process(folder: Path, story: Callable[[Process], Awaitable[None]]) -> None:
    async def run() -> None:
        process = Process(folder)
        async with asyncio.timeout(20):
            await story(process)
            await asyncio.gather(*process.under_way, return_exceptions=True)
            await settle()
        assert process.limiter.running(ONE) == 0
        assert process.limiter.waiting(ONE) == 0
        assert process.limiter._released == 0

    asyncio.run(run())


def test_slow_uploads_delay_no_other_of_their_priority(tmp_path: Path) -> None:
    async def story(process: Process) -> None:
        slow, quick = Sender(), Sender()
        quick.may_send.set()
        for _ in range(3 * LIMIT_FIRST):
            process.begin(slow)
            await settle()
        assert process.limiter.running(ONE) == 0
        await process.begin(quick)
        assert process.read == [b"a body"]
        slow.may_send.set()

    in_process(tmp_path, story)


def test_request_with_a_complete_body_keeps_its_permit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "AT_ONCE_SECONDS", 3600.0)

    async def story(process: Process) -> None:
        slow = Sender()
        process.begin(slow)
        await settle()
        assert process.limiter.running(ONE) == 1
        slow.may_send.set()

    in_process(tmp_path, story)


def test_permits_are_regained_up_to_the_limit(tmp_path: Path) -> None:
    async def story(process: Process) -> None:
        slow = Sender()
        task = process.begin(slow)
        await settle()
        others = process.fill()
        slow.may_send.set()
        await settle()
        assert not task.done(), "it waits for a permit like everybody"
        for _ in range(others):
            process.limiter.ended(ONE, b"another", 0.0)
        await task
        assert process.read == [b"a body"]

    in_process(tmp_path, story)


def test_request_without_a_new_permit_is_refused_before_it_begins(tmp_path: Path) -> None:
    async def story(process: Process) -> None:
        slow = Sender()
        task = process.begin(slow)
        await settle()
        others = process.fill()
        slow.may_send.set()
        await settle()
        process.limiter._refuse_late(monotonic() + 3600)
        with pytest.raises(DatabaseBusy):
            await task
        for _ in range(others):
            process.limiter.ended(ONE, b"another", 0.0)
        assert process.read == []

    in_process(tmp_path, story)


def test_client_that_leaves_during_the_upload_leaves_no_trace(tmp_path: Path) -> None:
    async def story(process: Process) -> None:
        slow = Sender()
        task = process.begin(slow)
        await settle()
        slow.is_gone = True
        slow.may_send.set()
        with pytest.raises(BodyIncomplete):
            await task
        assert process.limiter.running(ONE) == 0

    in_process(tmp_path, story)


def test_released_permits_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "RELEASED_MAX", 2)

    async def story(process: Process) -> None:
        slow = Sender()
        for _ in range(5):
            process.begin(slow)
            await settle()
        assert process.limiter.running(ONE) == 3
        slow.may_send.set()

    in_process(tmp_path, story)
