"""Tasks on untrusted bytes, each in a separate process that is killed when it exceeds a limit.

A step is a `Task` if it takes more than a few milliseconds, or needs a library that is not safe with hostile files.  Each task
runs in a new process, forked by a server (`fork_server`) that has the libraries loaded and never reads a document.  The limits
are of processor time, memory and wall time.  The caller gets `None` if the process exceeded a limit or crashed, or if its
answer was too long.  A hostile document may have taken over the process, so the caller must check the bytes of an answer
(`answers`).

A `Work` is a generator that yields tasks and is sent their answers.  `finish` runs a work and waits for its result; `pool.Pool`
runs many works without a thread for each.
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

CPU_SECONDS_MAX = 2  # of one task; an honest document of 300 pages needs a tenth of this
QUICK_CPU_SECONDS = 0.3  # of a task in the quick pool (`pool.Pool`)
# Wall time of one task.  The limit of processor time normally ends a task first; a task reaches this limit only on a
# machine that is thirty times overloaded, since these processes have a low priority.
WALL_SECONDS_MAX = 60
# Writable memory of a task; 40 MiB of it are in use before the task begins.  Read-only memory of libraries takes 40 MiB
# in addition, so that the process of a small document may use some 200 MiB in all.
MEMORY_BYTES_MAX = 152 * 1024 * 1024
DOCUMENT_COPIES_MAX = 6  # additional memory, as copies of the document: input, repaired, renderer
MAPPED_BYTES_MAX = 256 * 1024 * 1024  # additional address space, for libraries and stacks
# Bytes of the largest input: a document to check, with its parameters (certificates of a hundred issuers).
QUESTION_BYTES_MAX = CHECKED_BYTES_MAX + 1024 * 1024
# Niceness of tasks for checks, and of tasks for buyers.  With 10, web and sealing get nine tenths of a busy processor;
# with 5, a crowd of checks took as much processor time as all buyers.  Tasks of buyers get a higher priority than checks.
NICE, NICE_OF_BUYERS = 10, 1
START_SECONDS_MAX = (
    30.0  # until the server has loaded its libraries and forked; 1 s on an idle machine
)
_GRACE_SECONDS = 2.0  # more than the limit of a task, in which the server should have killed it

STARTED = b"\1"  # first byte that a process sends
LENGTH_BYTES = 4  # of the length that precedes an answer
_CHUNK_BYTES = 1024 * 1024
_PROGRAM = "meterai.sealing.tasks"  # module of the fork server and its tasks

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Task:
    """Task for a separate process.

    `name` is that of a function in `meterai.sealing.tasks`; `parameters` must be JSON values.  An answer is discarded if it is
    longer than `answer_bytes_max`, or takes longer than `wall_seconds` (up to 255).
    """

    name: str
    document: bytes = field(repr=False)
    parameters: Mapping[str, object] = field(default_factory=dict)
    answer_bytes_max: int = 64 * 1024
    wall_seconds: int = WALL_SECONDS_MAX

    def head(self, nice: int = NICE, cpu_seconds: float = CPU_SECONDS_MAX) -> bytes:
        """Return the bytes that are sent to the process before the document: one line of JSON."""
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
    """The fork server of this process.  It is started for the first task, and again if it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def connect(self, wall_seconds: int) -> socket.socket:
        """Return a connection to a new process for one task.  Raises `OSError` if none can be started."""
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
            # The server has ended: it is started again, but only once for this task.
            self._end()
            socket.send_fds(self._running(), [message], [theirs.fileno()])

    def _running(self) -> socket.socket:
        if self._owner != os.getpid():
            # This process is a fork of the server's owner, and needs its own server.
            self._process, self._control, self._owner = None, None, os.getpid()
        if self._control is None:
            control, theirs = socket.socketpair()
            control.settimeout(_GRACE_SECONDS)  # a server that does not read any more is killed
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
        """Kill the server and with it every task; the next task starts a new server."""
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
    """Run a `Work` to its end and return its result; waits for its tasks, each of which runs in a separate process."""
    answer: bytes | None = None
    while True:
        try:
            task = work.send(answer)
        except StopIteration as done:
            result: Result = done.value
            return result
        answer = ask(task)


def ask(task: Task) -> bytes | None:
    """Run a task in a separate process and return its answer; `None` if the process sends no valid answer in time."""
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
    with suppress(ConnectionError):  # the process may end before it has read all
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
    """Like `ask`, but asynchronous: blocks no thread, and may be cancelled.

    The process runs with the niceness `nice`, and is killed after `cpu_seconds` of processor time.
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
    """Return the answer without its length prefix; `None` if the received bytes are incomplete."""
    length = int.from_bytes(received[:LENGTH_BYTES], "big")
    is_whole = len(received) == LENGTH_BYTES + length
    return bytes(received[LENGTH_BYTES:]) if is_whole else None
