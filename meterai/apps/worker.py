"""The worker: event handlers of jobs, and periodic tasks."""

import asyncio
import signal
from collections.abc import Sequence
from itertools import chain

from meterai.apps.container import build_services
from meterai.apps.rooms import ROOMS, subscriptions_of
from meterai.plumbing.config import Settings
from meterai.plumbing.observe import logs, telemetry
from meterai.plumbing.work import dead_jobs
from meterai.plumbing.work.jobs import PeriodicTask, Run, Worker
from meterai.plumbing.work.retention import Retention
from meterai.room import Container, Rooms

WATCH_SECONDS = 15.0
# Milliseconds to wait for a row lock. No client waits for a worker: a row locked for longer is tried
# again later, and its slot goes to another row.
LOCK_WAIT_MS_MAX = 1_000


def periodic_tasks(container: Container, rooms: Rooms = ROOMS) -> Sequence[PeriodicTask]:
    """Return all periodic tasks: the tasks of the rooms, the tasks that apply retention, and the task that
    measures the queues.
    """
    return [
        *chain.from_iterable(room.tasks(container) for room in rooms),
        *Retention(
            container.database, container.clock, container.offers.retention
        ).periodic_tasks(),
        PeriodicTask(
            "watch_queues",
            watch_queues(container),
            WATCH_SECONDS,
            without_rows="counts the waiting jobs, for the metrics",
        ),
    ]


def watch_queues(container: Container) -> Run:
    """Return the function of the periodic task that sets the metrics of the queues."""

    async def watch() -> int:
        async with container.database.reading() as tx:
            counts = await dead_jobs.counts(tx)
        telemetry.JOBS_FAILING.set(counts.failing)
        telemetry.JOBS_LATE.set(counts.late_seconds)
        telemetry.GIVEN_UP.labels(queue="jobs").set(counts.dead)
        telemetry.QUEUES_SEEN.set_to_current_time()
        return 0

    return watch


async def run(settings: Settings, rooms: Rooms = ROOMS) -> None:
    """Run the worker until SIGTERM or SIGINT; then finish jobs and tasks that have begun.

    Refuses what the `before_work` of a room refuses, such as `StoreDiffers`.
    """
    logs.configure(
        level=settings.process.log_level,
        as_json=settings.process.environment == "production",
        who="worker",
        with_values=settings.process.log_values,
    )
    async with build_services(settings, rooms, lock_wait_ms=LOCK_WAIT_MS_MAX) as container:
        for room in rooms:
            await room.before_work(container)
        worker = Worker(
            container.database,
            subscriptions_of(rooms),
            periodic_tasks(container, rooms),
            services=container.services(),
            concurrency=settings.process.worker_concurrency,
            worker_pools=[*chain.from_iterable(room.worker_pools(container) for room in rooms)],
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        await worker.run()
