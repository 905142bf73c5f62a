"""Work on untrusted bytes in a process of its own, which is ended at its budget.

What cannot be done in a few milliseconds, or needs a library that is not safe with hostile files,
is a `Task`.  Each task gets a fresh process, forked by a server (`fork_server`) that has the
libraries loaded and has never read a document; the process has limits of processor time, memory and
wall time, and is killed at any of them.  The caller then gets `None`, as from a process that
crashed, was killed or answered at too great a length.  An answer is bytes from a process that the
document may have taken over: the caller must check it (`answers`).

A `Work` is a generator that yields tasks and is sent their answers: `finish` carries it out and
waits, `pool.Pool` does the same for many without a thread for each.
"""

import asyncio
import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from meterai.sealing.model import CHECKED_BYTES_MAX

CPU_SECONDS_MAX = 2  # of one task; an honest document of 300 pages takes a tenth of it
QUICK_CPU_SECONDS = 0.3  # of one that keeps others waiting (`pool.Pool`)
# Of one task. The seconds of a processor are what ends it: a machine must be thirty times too busy, with
# the low priority of these processes, before the clock does.
WALL_SECONDS_MAX = 60
# What a task may write to, of which 40 MiB are there before it begins; the libraries it only reads
# have 40 MiB beside, so that a small document gets 200 MiB in all.
MEMORY_BYTES_MAX = 152 * 1024 * 1024
DOCUMENT_COPIES_MAX = 6  # of the document, beside: as it came, repaired, and in a renderer
MAPPED_BYTES_MAX = 256 * 1024 * 1024  # address space beside both: libraries, stacks, room to move
# A document that is checked, and the parameters: certificates of a hundred issuers.
QUESTION_BYTES_MAX = CHECKED_BYTES_MAX + 1024 * 1024
# Below web and sealing, which then get nine tenths of a busy processor; and of those who place a stamp or pay,
# whose journey is no faster than its slowest part. With 5 a crowd that checks took as much as all who bought.
NICE, NICE_OF_BUYERS = 10, 1
START_SECONDS_MAX = 30.0  # until the server has its libraries and forks; one second, if it is idle
_GRACE_SECONDS = 2.0  # in which the server should have ended what is beyond its time

STARTED = b"\1"  # the first byte from a process
LENGTH_BYTES = 4  # of the length that stands before an answer
_CHUNK_BYTES = 1024 * 1024
_PROGRAM = "meterai.sealing.tasks"  # the fork server, with the tasks it can do

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Task:
    """What a process shall do, by the name it has in `tasks`.

    `parameters` are for JSON; a longer answer than `answer_bytes_max` is none, nor is one after
    `wall_seconds` (up to 255).
    """

    name: str
    document: bytes = field(repr=False)
    parameters: Mapping[str, object] = field(default_factory=dict)
    answer_bytes_max: int = 64 * 1024
    wall_seconds: int = WALL_SECONDS_MAX

    def head(self, nice: int = NICE, cpu_seconds: float = CPU_SECONDS_MAX) -> bytes:
        """What stands before the document when both go to the process, which reads to the end."""
        question = {
            "task": self.name,
            "nice": nice,
            "cpu_seconds": cpu_seconds,
            "parameters": dict(self.parameters),
        }
        text = json.dumps(question)
        return text.encode("ascii") + b"\n"


Work = Generator[Task, bytes | None, Result]


class _Server:
    """The server of this process: started when it is first needed, and anew where it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def connect(self, wall_seconds: int) -> socket.socket:
        """A connection to a process that will do one task.  Raises `OSError` if there is none."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                self._hand_over(theirs, bytes([wall_seconds]))
        except OSError:
            ours.close()
            raise
        return ours

    def _hand_over(self, theirs: socket.socket, message: bytes) -> None:
        try:
            socket.send_fds(self._running(), [message], [theirs.fileno()])
        except OSError:
            # It died since; one that dies at once is not started a third time.
            self._end()
            socket.send_fds(self._running(), [message], [theirs.fileno()])

    def _running(self) -> socket.socket:
        if self._owner != os.getpid():
            # A process that was forked from ours starts a server of its own.
            self._process, self._control, self._owner = None, None, os.getpid()
        if self._control is None:
            control, theirs = socket.socketpair()
            control.settimeout(_GRACE_SECONDS)  # one that reads nothing any more is ended
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                    [sys.executable, "-I", "-m", _PROGRAM],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={},  # secrets are in ours
                    cwd="/",
                )
            self._control = control
        return self._control

    def end(self) -> None:
        """End the server and with it every task; the next task starts another."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, control, self._process, self._control = self._process, self._control, None, None
        if control is not None:
            control.close()
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.wait()


_server = _Server()
atexit.register(_server.end)


def finish(work: Work[Result]) -> Result:
    """Carry a work out and wait for its tasks, whose processes are the caller's alone."""
    answer: bytes | None = None
    while True:
        try:
            task = work.send(answer)
        except StopIteration as done:
            result: Result = done.value
            return result
        answer = ask(task)


def ask(task: Task) -> bytes | None:
    """The answer to a task, within its bounds; `None` where there is none."""
    try:
        with _server.connect(task.wall_seconds) as connection:
            return _asked(connection, task)
    except TimeoutError:
        _server.end()
        return None
    except OSError:
        return None


def _asked(connection: socket.socket, task: Task) -> bytes | None:
    connection.settimeout(START_SECONDS_MAX)
    if connection.recv(1) != STARTED:
        return None
    until = time.monotonic() + task.wall_seconds + _GRACE_SECONDS
    connection.settimeout(task.wall_seconds + _GRACE_SECONDS)
    with suppress(ConnectionError):  # it may end before it has read all, and sends no answer then
        connection.sendall(task.head())
        connection.sendall(task.document)
        connection.shutdown(socket.SHUT_WR)
    received = bytearray()
    while len(received) <= LENGTH_BYTES + task.answer_bytes_max:
        connection.settimeout(max(0.001, until - time.monotonic()))
        chunk = connection.recv(_CHUNK_BYTES)
        if not chunk:
            return _whole(received)
        received += chunk
    return None


async def ask_and_wait(
    task: Task, nice: int = NICE, cpu_seconds: float = CPU_SECONDS_MAX
) -> bytes | None:
    """`ask`, for a loop: holds no thread, and may be cancelled.  The process has this niceness, and ends
    after so many seconds of a processor."""
    try:
        connection = _server.connect(task.wall_seconds)
    except OSError:
        return None
    with connection:
        connection.settimeout(0)
        try:
            return await _asked_in_loop(connection, task, task.head(nice, cpu_seconds))
        except TimeoutError:
            _server.end()
            return None
        except OSError:
            return None


async def _asked_in_loop(connection: socket.socket, task: Task, head: bytes) -> bytes | None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(START_SECONDS_MAX):
        if await loop.sock_recv(connection, 1) != STARTED:
            return None
    async with asyncio.timeout(task.wall_seconds + _GRACE_SECONDS):
        with suppress(ConnectionError):
            await loop.sock_sendall(connection, head)
            await loop.sock_sendall(connection, task.document)
            connection.shutdown(socket.SHUT_WR)
        received = bytearray()
        while len(received) <= LENGTH_BYTES + task.answer_bytes_max:
            chunk = await loop.sock_recv(connection, _CHUNK_BYTES)
            if not chunk:
                return _whole(received)
            received += chunk
    return None


def _whole(received: bytearray) -> bytes | None:
    """The answer behind its length; `None` if the process ended in the middle of it."""
    length = int.from_bytes(received[:LENGTH_BYTES], "big")
    is_whole = len(received) == LENGTH_BYTES + length
    return bytes(received[LENGTH_BYTES:]) if is_whole else None
