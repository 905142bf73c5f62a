"""Server that forks a process for each task of `bounded`, and kills the process when it exceeds its limits.

The owner is the process that requests the tasks.  Standard input is a socket from the owner.  For each task the owner sends
through it the socket of the task, with one byte: the seconds of wall time that the task may take.  When the owner ends,
standard input closes; the server and all tasks then end too.  The server itself reads no document, so each task starts from the
same state, and no document can affect another task.

The program that runs the server defines the tasks (`meterai.sealing.tasks`).
"""

import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from meterai.sealing.sandbox.bounded import (
    CPU_SECONDS_MAX,
    DOCUMENT_COPIES_MAX,
    LENGTH_BYTES,
    MAPPED_BYTES_MAX,
    MEMORY_BYTES_MAX,
    QUESTION_BYTES_MAX,
    STARTED,
)

_SIGNAL_AT_PARENTS_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)
_MOST_LIKELY = b"1000"  # oom_score_adj: if memory runs out, the kernel kills a task first
_CHUNK_BYTES = 1024 * 1024

Do = Callable[[str, bytes, Mapping[str, Any]], bytes]  # (name, document, parameters) -> answer


class _Tasks:
    """Running processes, with the monotonic time until which each may run."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def add(self, process: int, wall_seconds: int) -> None:
        self._until[process] = time.monotonic() + wall_seconds

    def seconds_left(self) -> float | None:
        """Return the seconds until the next process reaches its time limit; `None` if no process is running."""
        if not self._until:
            return None
        return max(0.0, min(self._until.values()) - time.monotonic())

    def reap(self) -> None:
        """Kill processes that exceeded their time, and reap (waitpid) all that have ended."""
        now = time.monotonic()
        for process, until in list(self._until.items()):
            if until <= now:
                os.kill(process, signal.SIGKILL)  # not reaped yet, so the id is not reused
            if os.waitpid(process, 0 if until <= now else os.WNOHANG)[0]:
                del self._until[process]

    def end(self) -> None:
        """Kill all processes."""
        for process in self._until:
            os.kill(process, signal.SIGKILL)


def run(do: Do) -> None:
    """Main function of the program: serve on standard input until the owner has ended."""
    # Ctrl-C reaches the owner too, and the server ends when the owner does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=0) as given:
        serve(given, do)


def serve(control: socket.socket, do: Do) -> None:
    """Fork a process for every socket received through `control`, until the owner closes `control`."""
    # A byte arrives here whenever a process ends (SIGCHLD), so that the process is reaped at once.
    awake, wake = socket.socketpair()
    awake.settimeout(0)
    wake.settimeout(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    try:
        _serve(control, awake, wake, do)
    finally:
        # Killed processes end later, and their SIGCHLD must not write to a closed socket.
        signal.set_wakeup_fd(-1)
        awake.close()
        wake.close()


def _serve(control: socket.socket, awake: socket.socket, wake: socket.socket, do: Do) -> None:
    tasks = _Tasks()
    while True:
        readable, _, _ = select.select([control, awake], [], [], tasks.seconds_left())
        if awake in readable:
            awake.recv(_CHUNK_BYTES)
        tasks.reap()
        if control not in readable:
            continue
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            tasks.end()
            return
        for descriptor in descriptors:
            server = os.getpid()
            process = os.fork()
            if not process:
                connection = socket.socket(fileno=descriptor)
                _work(connection, server, [control, awake, wake], message[0], do)
            os.close(descriptor)
            tasks.add(process, message[0])


def _work(
    connection: socket.socket,
    server: int,
    others: list[socket.socket],
    wall_seconds: int,
    do: Do,
) -> None:
    """Run the task in the forked process.  Does not return: it ends the process."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in others:
            other.close()
        bound(server, wall_seconds)
        connection.sendall(STARTED)
        answer = _answer(connection, do)
        connection.sendall(len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
    finally:
        # An error is not reported, so that the caller gets no answer.
        os._exit(0)


def bound(server: int, wall_seconds: int) -> None:
    """Set the kernel limits of this process, except those of memory; `server` is the process id of its parent."""
    silence = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(silence, standard)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SIGNAL_AT_PARENTS_DEATH, signal.SIGKILL)
        with suppress(OSError), open("/proc/self/oom_score_adj", "wb") as score:
            score.write(_MOST_LIKELY)
    if os.getppid() != server:
        os._exit(0)  # the server ended before prctl
    limits = {
        resource.RLIMIT_CPU: CPU_SECONDS_MAX,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))
    # This ends the process even if the server cannot.
    signal.setitimer(signal.ITIMER_REAL, wall_seconds)


def bound_memory(document_bytes: int) -> None:
    """Set the kernel limits of memory of this process: data segment and address space."""
    data = MEMORY_BYTES_MAX + DOCUMENT_COPIES_MAX * document_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (data, data))
    mapped = data + MAPPED_BYTES_MAX
    resource.setrlimit(resource.RLIMIT_AS, (mapped, mapped))


def _answer(connection: socket.socket, do: Do) -> bytes:
    received = bytearray()
    while chunk := connection.recv(_CHUNK_BYTES):
        received += chunk
        if len(received) > QUESTION_BYTES_MAX:
            raise ValueError("the question is too long")
    bound_memory(len(received))
    end = received.index(b"\n")
    question = json.loads(received[:end])
    os.nice(question["nice"])
    # RLIMIT_CPU counts whole seconds only, so SIGPROF ends a process at a fraction of a second.
    signal.setitimer(signal.ITIMER_PROF, question["cpu_seconds"])
    with memoryview(received) as view:
        document = bytes(view[end + 1 :])
    del received
    return do(question["task"], document, question["parameters"])
