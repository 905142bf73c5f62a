"""Kill processes, and repeat requests as a careful client does."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import NamedTuple

import psutil
import pytest
import urllib3

from tests.support.inside import Inside
from tests.support.instance import READY_SECONDS_MAX, Client, PartMissing, Reply, until

EVERYTHING = "everything"
HOW = [
    pytest.param(True, id="lost"),
    pytest.param(False, id="carried out", marks=pytest.mark.variant),
]
# The killed process: the one part that works at that moment; in `make test-all` also all parts.
BY_WEB = ["web", pytest.param(EVERYTHING, marks=pytest.mark.variant)]
BY_WORKER = ["worker", pytest.param(EVERYTHING, marks=pytest.mark.variant)]
AGAIN_SECONDS_MAX = READY_SECONDS_MAX  # the killed part answers by then


def kill(inside: Inside, what: str) -> None:
    """Kill one part, or all of them. A killed part is restarted automatically."""
    if what != EVERYTHING:
        inside.instance.kill(what)
        return
    inside.instance.kill_all()


def freeze(inside: Inside, part: str) -> list[psutil.Process]:
    """Suspend a part and its children, and return these processes."""
    one = inside.instance.part(part)
    stopped = [*one.children(recursive=True), one]
    for process in stopped:
        # A process for one document may end by itself meanwhile.
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    return stopped


@contextmanager
def frozen(inside: Inside, part: str) -> Iterator[None]:
    """A part is suspended within the block."""
    stopped = freeze(inside, part)
    try:
        yield
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):  # it was killed
                process.resume()


@contextmanager
def away(inside: Inside, part: str) -> Iterator[None]:
    """A part is killed and not restarted within the block, since its parent is suspended."""
    parent = inside.instance.parent
    parent.suspend()
    try:
        inside.instance.kill(part)
        yield
    finally:
        parent.resume()


class Step(NamedTuple):
    """The moment of a kill: the killed part, its statement, and the table whose lock stops the statement."""

    victim: str
    statement: str
    table: str


def tell(
    inside: Inside,
    parts: Mapping[str, Callable[[], None]],
    steps: Mapping[str, Sequence[Step]],
    telling: int,
    *,
    is_lost: bool,
) -> None:
    """Run a scenario of several parts, and kill a process in each part.

    Run number `telling` kills at that step of each part that has as many. With `is_lost`, the statement that
    waits for the lock is terminated with the process. Otherwise it is executed, but its process never gets the
    answer.
    """
    assert parts.keys() == steps.keys()
    with ThreadPoolExecutor(1) as background:
        for name, act in parts.items():
            if telling >= len(steps[name]):
                act()
                continue
            victim, statement, table = steps[name][telling]
            with inside.paused_at(f"LOCK TABLE {table} IN SHARE MODE") as pause:
                done = background.submit(act)
                pause.wait_for_somebody(statement)
                kill(inside, victim)
                if is_lost:
                    inside.rows(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                        " AND pid <> pg_backend_pid() AND strpos(query, %s) > 0",
                        statement,
                    )
            revive(inside, victim)
            done.result()


def revive(inside: Inside, what: str) -> None:
    """Restart what was killed, wait until it is ready, and end the leases of the killed processes."""
    inside.let_leases_run_out()
    if what == EVERYTHING:
        inside.instance.start()
    else:
        until(f"the {what} is there again", lambda: is_there(inside, what))
    inside.instance.wait_ready()


def is_there(inside: Inside, what: str) -> bool:
    try:
        return bool(inside.instance.part(what).is_running())
    except (PartMissing, psutil.NoSuchProcess):
        return False


def again(request: Callable[[], Reply]) -> Reply:
    """Repeat a request until its answer is final, as a careful client does."""
    deadline = time.monotonic() + AGAIN_SECONDS_MAX
    # A 500 counts as final, so that the test fails: a killed part may break a connection, but never show a
    # fault.
    while True:
        try:
            reply = request()
        except urllib3.exceptions.HTTPError:
            reply = None
        if reply is not None and reply.status not in (409, 502, 503):
            return reply
        assert time.monotonic() < deadline, reply and reply.body
        time.sleep(0.1)


def place(customer: Client, key: str, quantity: int = 1) -> Reply:
    """Try once to place an order."""
    return customer.post("/v1/orders", {"quantity": quantity}, headers={"Idempotency-Key": key})
