"""Bounded processes: a document cannot affect any other task."""

import asyncio
import json
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

import psutil
import pytest

from meterai.kit.priority import Priority
from meterai.plumbing.permits import PURPOSE, WorkPurpose
from meterai.sealing import (
    DocumentBroken,
    ExaminationBusy,
    PageOutOfRange,
    PageSize,
    Placement,
    PlacementOutsidePage,
    Pool,
    Slots,
    picturing,
)
from meterai.sealing.sandbox import answers, bounded
from meterai.sealing.sandbox.answers import Inspected, NotAnswered
from meterai.sealing.sandbox.bounded import Task
from meterai.sealing.sandbox.repair import repairing
from tests.support.endless import dashed_strokes
from tests.support.pdfmaker import letter, whole

WAIT_SECONDS_MAX = 60.0  # of a test that should take two; the machine may be busy
BROKEN = whole(letter(2)).replace(b" 00000 n \n", b" 00000 n\n")
QUICK = Task("repair", BROKEN, answer_bytes_max=1_000_000)


@pytest.fixture(scope="module")
def endless_task() -> Task:
    """A task that draws endlessly."""
    work = picturing(whole(dashed_strokes()), 1)
    task = work.send(None)
    work.close()
    return task


def servers(owner: int | None = None) -> list[psutil.Process]:
    children = psutil.Process(owner).children() if owner else psutil.Process().children()
    found = []
    for one in children:
        with suppress(psutil.NoSuchProcess):  # ended, but its parent has not waited for it yet
            if "meterai.sealing.tasks" in " ".join(one.cmdline()):
                found.append(one)
    return found


def tasks(owner: int | None = None) -> list[psutil.Process]:
    """Processes of the tasks under way."""
    found = []
    for server in servers(owner):
        with suppress(psutil.NoSuchProcess):
            found += server.children()
    return found


def end_tasks() -> None:
    """End all tasks, so that a test need not wait for them."""
    for one in tasks():
        with suppress(psutil.NoSuchProcess):
            one.kill()


def ended(task: psutil.Process) -> bool:
    """Return True after its server has waited for it; until then an ended process counts as a task."""
    return not task.is_running() or task.pid not in {one.pid for one in tasks()}


def until(what: str, check: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Asking:
    """A task that runs in a thread."""

    def __init__(self, task: Task) -> None:
        self.answer: bytes | None = b"not yet"
        self._thread = threading.Thread(target=self._ask, args=(task,))
        before = {one.pid for one in tasks()}
        self._thread.start()
        until("the task is under way", lambda: {one.pid for one in tasks()} - before)
        (self.process,) = (one for one in tasks() if one.pid not in before)

    def _ask(self, task: Task) -> None:
        self.answer = bounded.ask(task)

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> bytes | None:
        self._thread.join(WAIT_SECONDS_MAX)
        assert self.is_over
        return self.answer


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    assert bounded.ask(QUICK)  # the server has loaded its libraries
    until("nothing is under way", lambda: not tasks())
    yield
    until("every task is over", lambda: not tasks())


# -- limits ------------------------------------------------------------------------------------


def test_task_has_limits_and_no_secrets(endless_task):
    asked = Asking(endless_task)
    (server,) = servers()
    assert not server.environ()
    # the last of the tasks
    until("its limits are set", lambda: asked.process.rlimit(psutil.RLIMIT_NPROC) == (0, 0))
    assert asked.process.nice() > min(psutil.Process().nice(), 18)
    assert asked.process.rlimit(psutil.RLIMIT_CPU) == (2, 2)
    question = len(endless_task.head()) + len(endless_task.document)
    data = bounded.MEMORY_BYTES_MAX + bounded.DOCUMENT_COPIES_MAX * question
    mapped = data + bounded.MAPPED_BYTES_MAX
    until("and its memory", lambda: asked.process.rlimit(psutil.RLIMIT_AS) == (mapped, mapped))
    assert asked.process.rlimit(psutil.RLIMIT_DATA) == (data, data)
    assert asked.process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    open_files = {one.fd for one in asked.process.open_files()}
    assert open_files <= {0, 1, 2}
    # The connection leads to this process, and not to the server.
    assert len(asked.process.net_connections(kind="unix")) == 1
    end_tasks()
    assert asked.result() is None


def test_endless_task_is_ended_at_its_budget(endless_task):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    assert bounded.ask(endless_task) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 1  # not in this process


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_crashed_process_gives_no_answer(endless_task, how):
    asked = Asking(endless_task)
    asked.process.send_signal(how)
    assert asked.result() is None
    assert bounded.ask(QUICK)


def test_hanging_process_is_killed(endless_task):
    asked = Asking(replace(endless_task, wall_seconds=3))
    asked.process.suspend()  # it uses no processor time, and reacts to SIGKILL only
    assert asked.result() is None


# -- the server --------------------------------------------------------------------------------


def test_server_that_died_is_replaced(endless_task):
    asked = Asking(endless_task)
    (server,) = servers()
    server.kill()
    assert asked.result() is None
    until("its tasks die with it", lambda: not psutil.pid_exists(asked.process.pid))
    assert bounded.ask(QUICK)
    assert servers() != [server]


_OWNER = """
import json
import sys
from meterai.sealing.sandbox import bounded
parameters = json.loads(sys.argv[1])
print("asking", flush=True)
bounded.ask(bounded.Task("picture", sys.stdin.buffer.read(), parameters))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_their_owner(endless_task, how):
    """The end of the owner is not delayed by tasks."""
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, json.dumps(endless_task.parameters)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert owner.stdin
    assert owner.stdout
    owner.stdin.write(endless_task.document)
    owner.stdin.close()
    assert owner.stdout.readline() == b"asking\n"
    until("the task is under way", lambda: tasks(owner.pid))
    orphans = servers(owner.pid) + tasks(owner.pid)
    owner.send_signal(how)
    assert owner.wait(WAIT_SECONDS_MAX) == -how
    owner.stdout.close()
    until("nothing is left", lambda: not any(one.is_running() for one in orphans))


# -- answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b'{"pages":1,"sizes":[[1,NaN,9]],"signatures":0}',
        b'{"pages":1,"sizes":[[1,1e300,9]],"signatures":0}',
        b'{"pages":-1,"sizes":[],"signatures":0}',
        b'{"pages":[]}',
        b"{}",
    ],
)
def test_answer_beyond_its_bounds_counts_as_none(answer):
    with pytest.raises(NotAnswered):
        answers.read(b"\1" + answer, Inspected)


def test_refusal_keeps_its_class_and_facts():
    size = PageSize(3, 200.0, 50.0)
    for refusal in (
        DocumentBroken("x"),
        PageOutOfRange(page=9, pages=2),
        PlacementOutsidePage(Placement(3, 150, 20, 80), size),
    ):
        with pytest.raises(type(refusal)) as back:
            answers.read(answers.written_refusal(refusal), Inspected)
        assert back.value.facts() == refusal.facts()


# -- taking turns ------------------------------------------------------------------------------


def all_ended(tasks: Iterable[psutil.Process]) -> bool:
    return all(ended(one) for one in tasks)


async def _until(check: Callable[[], object]) -> None:
    await asyncio.to_thread(until, "what the pool was asked for", check)


async def _outcome(pool: Pool, work: object, client: str, order: list[str], name: str) -> object:
    try:
        return await pool.finish(work, client, Slots(4))  # type: ignore[arg-type]
    finally:
        order.append(name)


def _one(task: Task):
    return (yield task)


def test_clients_take_turns_and_none_fills_queue(endless_task):
    order: list[str] = []

    async def crowd() -> None:
        pool = Pool(processes=1, waiting_max=2)
        greedy = [
            asyncio.create_task(_outcome(pool, _one(endless_task), "greedy", order, f"greedy {n}"))
            for n in range(3)
        ]
        await _until(tasks)
        assert not order, "alone it may have the whole queue"
        # Another client comes: the client with the most tasks loses its newest one, and the other is next.
        assert await _outcome(pool, repairing(BROKEN), "other", order, "other")
        await asyncio.wait(greedy)
        assert isinstance(greedy[2].exception(), ExaminationBusy)

    asyncio.run(crowd())
    assert order == ["greedy 2", "greedy 0", "other", "greedy 1"]


def test_slow_tasks_do_not_delay_quick_ones(endless_task):
    """Three tasks of a stranger take two seconds of processor time each, one after another, in the slow pool."""

    async def crowd() -> tuple[int, list[bytes | None]]:
        pool, slots = Pool(processes=1, waiting_max=8, slow=Pool(1)), Slots(8)
        long = [
            asyncio.create_task(pool.finish(_one(endless_task), "203.0.113.7", slots))
            for _ in range(3)
        ]
        await _until(tasks)
        quick = [await pool.finish(_one(QUICK), "198.51.100.7", slots) for _ in range(5)]
        ended = sum(one.done() for one in long)
        for one in long:
            one.cancel()
        return ended, quick

    ended, quick = asyncio.run(crowd())
    end_tasks()
    assert all(quick)
    assert ended == 0


def test_client_beyond_queue_is_refused_at_once(endless_task):
    async def crowd() -> None:
        pool = Pool(processes=1, waiting_max=1)
        asked = {
            asyncio.create_task(pool.finish(_one(endless_task), f"{n}", Slots(4))) for n in range(4)
        }
        refused = 0
        while refused < 2:
            done, asked = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            assert all(isinstance(one.exception(), ExaminationBusy) for one in done)
            refused += len(done)
        for _ in asked:  # one is under way and one waits
            await _until(tasks)
            under_way = tasks()
            end_tasks()
            await _until(partial(all_ended, tuple(under_way)))
        assert await asyncio.gather(*asked) == [None, None]

    asyncio.run(crowd())


# -- slots of this process ---------------------------------------------------------------------


def test_slots_follow_priority_and_bound_waiting_works():
    served: list[str] = []

    async def one(slots: Slots, name: str, priority: Priority) -> None:
        PURPOSE.set(WorkPurpose(priority))
        async with slots.one("same"):
            served.append(name)

    async def run() -> None:
        slots = Slots(1, waiting_max=2)
        async with slots.one("same"):
            waiting = [
                asyncio.create_task(one(slots, name, priority))
                for name, priority in (
                    ("checking", Priority.CHECKING),
                    ("checking too", Priority.CHECKING),
                    ("refused", Priority.CHECKING),
                    ("paid", Priority.PAID),
                )
            ]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert isinstance(waiting[2].exception(), ExaminationBusy)
        await asyncio.gather(*waiting, return_exceptions=True)
        async with slots.one("same"):  # no slot was lost
            served.append("last")

    asyncio.run(run())
    assert served == ["paid", "checking", "checking too", "last"]
