"""The guest book as two processes of one instance, for its test: `web` enters a guest, `worker` welcomes.

Each prints what /metrics then shows.  Run as `python -m tests.toy.processes PROCESS DATABASE_URL DIR`.
"""

import asyncio
import sys
from pathlib import Path

from meterai.plumbing.observe.shared_metrics import join, sharing


async def _web(url: str, directory: Path) -> None:
    from meterai.accounts import NOBODY  # noqa: PLC0415 - once figures are shared
    from tests.support.within import within  # noqa: PLC0415
    from tests.toy.installation import ROOMS, guest_settings  # noqa: PLC0415
    from tests.toy.service import GuestService  # noqa: PLC0415

    async with within(guest_settings(url, directory), ROOMS) as web:
        await web.container.of(GuestService).enter(NOBODY, "Ani")


async def _worker(url: str, directory: Path) -> None:
    from meterai.apps.container import build_services  # noqa: PLC0415
    from meterai.apps.rooms import subscriptions_of  # noqa: PLC0415
    from meterai.plumbing.work.jobs import Worker  # noqa: PLC0415
    from tests.toy.installation import ROOMS, guest_settings  # noqa: PLC0415

    async with build_services(guest_settings(url, directory), ROOMS) as container:
        worker = Worker(
            container.database,
            subscriptions_of(ROOMS),
            (),
            services=container.services(),
            concurrency=1,
        )
        assert await worker.worker_pool().once() == 1


def main(process: str, url: str, folder: str) -> None:
    """Run one process and print its figures."""
    directory = Path(folder)
    with sharing(directory):
        join()
        from meterai.plumbing.observe.metrics_port import figures  # noqa: PLC0415

        asyncio.run({"web": _web, "worker": _worker}[process](url, directory))
        sys.stdout.write(figures().decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
