"""What a verification costs at the worst: processor and memory of our own process and of its tasks.

`python -m bench.bounds [NAME ...]` prints a line for each document made to hurt
(`tests/support/attacks/heavy`), or for those of these names; a name may be the path of a PDF, of which
the picture of its first page is made.  Tasks run with their bounds, in processes forked from one that
has what the fork server has, and are measured when they have ended (wait4).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from meterai.sealing import Question, development_issuer, verifying
from meterai.sealing.sandbox import fork_server
from meterai.sealing.sandbox.bounded import WALL_SECONDS_MAX, Result, Task, Work

_PROGRAM = "bench.bounds"
_SERVE = "--serve"
_MIB = 1024 * 1024
_LINE = "{:38}{:>9}{:>8}{:>8}{:>8}  {}"


class Spent(NamedTuple):
    """What a work cost: seconds of our own process and of its tasks, and the most memory of one."""

    own_seconds: float
    task_seconds: float
    task_bytes_max: int


class Measuring:
    """A process that does tasks and says what they cost."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def ask(self, task: Task) -> tuple[bytes | None, float, int]:
        """The answer, the seconds of a processor and the bytes at the peak."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.NamedTemporaryFile() as file:
            file.write(task.head() + task.document)
            file.flush()
            self._process.stdin.write(json.dumps(file.name).encode() + b"\n")
            self._process.stdin.flush()
            found = json.loads(self._process.stdout.readline())
        answer = b64decode(found["answer"]) or None
        return answer, found["seconds"], found["bytes"]

    def finish(self, work: Work[Result]) -> tuple[Result, Spent]:
        """The result of a work, and what it cost."""
        own = tasks = 0.0
        most, answer = 0, None
        while True:
            begin = time.process_time()
            try:
                task = work.send(answer)
            except StopIteration as done:
                own += time.process_time() - begin
                return done.value, Spent(own, tasks, most)
            own += time.process_time() - begin
            answer, seconds, peak = self.ask(task)
            tasks, most = tasks + seconds, max(most, peak)


@contextmanager
def measuring() -> Iterator[Measuring]:
    """A process that measures tasks."""
    command = [sys.executable, "-m", _PROGRAM, _SERVE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Measuring(process)
        assert process.stdin is not None
        process.stdin.close()


def _serve() -> None:
    """Do the tasks in the files whose names come over standard input."""
    from meterai.sealing.tasks import do  # noqa: PLC0415 - what the fork server has, and no more

    for line in sys.stdin.buffer:
        question = Path(json.loads(line)).read_bytes()
        ours, theirs = os.pipe()
        process = os.fork()
        if not process:
            _work(question, theirs, do)
        os.close(theirs)
        with open(ours, "rb") as pipe:
            answer = pipe.read()
        _, _, used = os.wait4(process, 0)
        found = {
            "answer": b64encode(answer).decode("ascii"),
            "seconds": used.ru_utime + used.ru_stime,
            "bytes": used.ru_maxrss * 1024,
        }
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def _work(question: bytes, pipe: int, do: fork_server.Do) -> None:
    """It does not return."""
    try:
        fork_server.bound(os.getppid(), WALL_SECONDS_MAX)
        fork_server.bound_memory(len(question))
        head, _, document = question.partition(b"\n")
        asked = json.loads(head)
        os.write(pipe, do(asked["task"], document, asked["parameters"])[:60_000])
    finally:
        os._exit(0)


def _table(names: list[str]) -> Iterator[str]:
    from tests.support.attacks.heavy import HEAVY  # noqa: PLC0415 - not in the measuring process
    from tests.support.attacks.lab import AT, Lab  # noqa: PLC0415

    yield _LINE.format("document", "KiB", "own ms", "task s", "MiB", "verdict")
    with tempfile.TemporaryDirectory() as made, measuring() as process:
        lab = Lab(development_issuer(Path(made) / "issuer", at=AT), Path(made))
        for name in names or HEAVY:
            if name in HEAVY:
                document = HEAVY[name](lab)
                asked = verifying(Question(document, [lab.issuer.root], AT))
                report, spent = process.finish(asked)
                said = str(report.verdict)
            else:
                document = Path(name).read_bytes()
                picture: dict[str, object] = {
                    "page": 1,
                    "width": 800,
                    "part": None,
                    "marks": [],
                    "survey": True,
                }
                task = Task("picture", document, picture | {"password": ""})
                answer, seconds, peak = process.ask(task)
                said, spent = ("drawn" if answer else "not drawn"), Spent(0, seconds, peak)
            yield _LINE.format(
                Path(name).name[:37],
                len(document) // 1024,
                f"{spent.own_seconds * 1e3:.1f}",
                f"{spent.task_seconds:.2f}",
                spent.task_bytes_max // _MIB,
                said,
            )


def main(arguments: list[str]) -> None:
    """Print the table, or do tasks for another process that does."""
    if arguments == [_SERVE]:
        _serve()
        return
    for line in _table(arguments):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
