"""Work on untrusted bytes in a process of its own, which is ended at its budget.

A step that takes more than a few milliseconds, or needs a library that is not safe with hostile files,
is a `Task`.  Each task gets a fresh process, forked by a server (`fork_server`) that has the
libraries loaded and never reads a document.  The process has limits of processor time, memory and
wall time, and is killed at any of them.  The caller then gets `None`, as from a process that
crashed, was killed or sent too long an answer.  The document may have taken over the process, so the
caller must check the bytes of an answer (`answers`).

A `Work` is a generator that yields tasks and is sent their answers: `finish` carries it out and
waits; `pool.Pool` does the same for many without a thread for each.
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
QUICK_CPU_SECONDS = 0.3  # of a task that delays others (`pool.Pool`)
# Wall time of one task.  The processor time should end it first: only a machine thirty times too busy, with
# the low priority of these processes, reaches this limit.
WALL_SECONDS_MAX = 60
# Writable memory of a task, of which 40 MiB are used before it begins; the libraries it only reads
# have 40 MiB beside, so that a small document gets 200 MiB in all.
MEMORY_BYTES_MAX = 152 * 1024 * 1024
DOCUMENT_COPIES_MAX = 6  # of the document, in addition: the input, repaired, and in a renderer
MAPPED_BYTES_MAX = 256 * 1024 * 1024  # address space beside both: libraries, stacks, room to move
# Document of a check, and its parameters: certificates of a hundred issuers.
QUESTION_BYTES_MAX = CHECKED_BYTES_MAX + 1024 * 1024
# Below web and sealing, which then get nine tenths of a busy processor; and below placing a stamp and paying,
# whose journey is as slow as its slowest part.  With 5, a crowd of checks took as much as all buyers.
NICE, NICE_OF_BUYERS = 10, 1
START_SECONDS_MAX = (
    30.0  # until the server has its libraries and forks; one second on an idle machine
)
_GRACE_SECONDS = 2.0  # in which the server should have ended a task beyond its time

STARTED = b"\1"  # the first byte from a process
LENGTH_BYTES = 4  # of the length in front of an answer
_CHUNK_BYTES = 1024 * 1024
_PROGRAM = "meterai.sealing.tasks"  # the fork server, with its tasks

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Task:
    """Task of a process, by its name in `tasks`.

    `parameters` are for JSON; an answer longer than `answer_bytes_max`, or later than
    `wall_seconds` (up to 255), counts as none.
    """

    name: str
    document: bytes = field(repr=False)
    parameters: Mapping[str, object] = field(default_factory=dict)
    answer_bytes_max: int = 64 * 1024
    wall_seconds: int = WALL_SECONDS_MAX

    def head(self, nice: int = NICE, cpu_seconds: float = CPU_SECONDS_MAX) -> bytes:
        """Return the bytes in front of the document; the process reads both to the end."""
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
    """Fork server of this process: started when it is first needed, and again after its death."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def connect(self, wall_seconds: int) -> socket.socket:
        """Return a connection to a process that will do one task.  Raises `OSError` if there is none."""
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
            # A forked copy of this process starts a server of its own.
            self._process, self._control, self._owner = None, None, os.getpid()
        if self._control is None:
            control, theirs = socket.socketpair()
            control.settimeout(_GRACE_SECONDS)  # a server that no longer reads is ended
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                    [sys.executable, "-I", "-m", _PROGRAM],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={},  # our environment has secrets
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
    """Carry out a work and wait for its tasks, each in a process of its own."""
    answer: bytes | None = None
    while True:
        try:
            task = work.send(answer)
        except StopIteration as done:
            result: Result = done.value
            return result
        answer = ask(task)


def ask(task: Task) -> bytes | None:
    """Return the answer to a task, within its limits; `None` if there is none."""
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
    """`ask` for an event loop: holds no thread, and may be cancelled.  The process has this niceness, and ends
    after so many seconds of processor time.
    """
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
    """Return the answer behind its length; `None` if the process ended in the middle of it."""
    length = int.from_bytes(received[:LENGTH_BYTES], "big")
    is_whole = len(received) == LENGTH_BYTES + length
    return bytes(received[LENGTH_BYTES:]) if is_whole else None
