"""Generator processes: measuring, a common begin, progress, stopping, and the death of a process."""

import asyncio
import os
import signal
import time

import pytest

from meterai_rehearsal.clients.sites import Site
from meterai_rehearsal.rehearsal.limit import rate, trivial_server
from meterai_rehearsal.rehearsal.processes import GeneratorDied, Generators, Order, Progress
from meterai_rehearsal.rehearsal.tally import Counted, sum_of

PLAN = """
name = "looking"
seed = 3
[arrivals]
points = [[0, 20], [{seconds}, 20]]
[bounds]
seconds_max = {most}
[[journeys]]
name = "look"
"""


def orders(site: Site, seconds: float = 1.5, most: float = 20.0) -> list[Order]:
    text = PLAN.format(seconds=seconds, most=most)
    return [Order(text, share, 2, site, None, None, ()) for share in range(2)]


def test_two_processes_make_one_load() -> None:
    told: list[Progress] = []

    async def driven(generators: Generators) -> list[Counted]:
        generators.begin(time.monotonic() + 0.2)
        return await generators.listen(told.append)

    with trivial_server() as site, Generators(orders(site)) as generators:
        assert all(one > 0 for one in generators.rates(site))
        found = asyncio.run(driven(generators))
    both = sum_of(found)
    (journey,) = both.journeys
    assert len(found) == 2
    assert journey.started == journey.finished == sum(both.seconds["sent"])
    assert {one.share for one in told} == {0, 1}


def test_processes_stop_on_request() -> None:
    async def driven(generators: Generators) -> list[Counted]:
        generators.begin(time.monotonic())
        asyncio.get_running_loop().call_later(0.5, generators.stop)
        return await generators.listen(lambda _: None)

    with trivial_server() as site, Generators(orders(site, 500.0, 600.0)) as generators:
        generators.rates(site)
        found = asyncio.run(driven(generators))
    assert all(one.last_at < 100 for one in found)


def test_dead_process_is_detected_and_the_other_counts() -> None:
    async def driven(generators: Generators) -> list[Counted]:
        generators.begin(time.monotonic())
        os.kill(generators.pids[0], signal.SIGKILL)
        return await generators.listen(lambda _: None)

    with trivial_server() as site, Generators(orders(site)) as generators:
        generators.rates(site)
        assert len(asyncio.run(driven(generators))) == 1


def test_all_dead_processes_report_nothing() -> None:
    async def driven(generators: Generators) -> list[Counted]:
        for pid in generators.pids:
            os.kill(pid, signal.SIGKILL)
        return await generators.listen(lambda _: None)

    with trivial_server() as site, Generators(orders(site)) as generators:
        generators.rates(site)
        with pytest.raises(GeneratorDied):
            asyncio.run(driven(generators))


def test_limit_is_measured_with_code_of_a_visitor() -> None:
    with trivial_server() as site:
        assert asyncio.run(rate(site, 0.2)) > 0
