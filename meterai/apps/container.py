"""Services of a process, built once from the settings."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import chain

from meterai import limiter
from meterai.apps.rooms import ROOMS, introduce, offers_of, subscriptions_of
from meterai.kit.clock import SystemClock
from meterai.plumbing.config import Settings
from meterai.plumbing.db.connections import LOCK_WAIT_MS_MAX
from meterai.plumbing.db.database import Database
from meterai.plumbing.keyring import keyring_of
from meterai.plumbing.objects import ObjectStore
from meterai.plumbing.observe import stations, telemetry
from meterai.plumbing.observe.metrics import begin
from meterai.plumbing.queueing import Queueing
from meterai.plumbing.work.jobs import execution
from meterai.plumbing.work.leases import check_leases
from meterai.room import Container, Rooms


@asynccontextmanager
async def build_services(
    settings: Settings,
    rooms: Rooms = ROOMS,
    *,
    lock_wait_ms: int = LOCK_WAIT_MS_MAX,
    queueing: Queueing | None = None,
) -> AsyncIterator[Container]:
    """Build every service, open the database and the connections of services, and close all at the end.

    Raises `KeyMissing`. Refuses `LeaseTooShort`, and what the rooms refuse while their services are built.
    """
    begin(
        chain(
            telemetry.METRICS, stations.METRICS, limiter.METRICS, *(room.metrics for room in rooms)
        )
    )
    introduce(rooms)
    keyring = keyring_of(settings)
    database = Database(
        settings.process.database_url,
        connections=settings.process.database_connections,
        lock_wait_ms=lock_wait_ms,
        queueing=queueing,
    )
    objects = ObjectStore(settings.process.directory, keyring.derived("objects"))
    async with AsyncExitStack() as stack:
        container = Container(
            settings,
            SystemClock(),
            database,
            keyring,
            objects,
            stations.Stations(),
            offers_of(rooms),
            stack,
        )
        container.stations.add(database.station)
        container.stations.backlogs.append(execution(subscriptions_of(rooms)))
        container.close_with(database.close)  # closed last: rooms may use it while they close
        for room in rooms:
            await room.build(container)
        check_leases(chain.from_iterable(room.leases(container) for room in rooms))
        await database.open()
        yield container
