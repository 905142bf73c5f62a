"""A receiver of webhooks in a thread, for tests against an instance."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from standins.receiver import Receiver


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that answers while the test waits for something else."""
    loop, receiver = asyncio.new_event_loop(), Receiver()
    loop.run_until_complete(receiver.serve())
    running = threading.Thread(target=loop.run_forever, daemon=True)
    running.start()
    try:
        yield receiver
    finally:
        asyncio.run_coroutine_threadsafe(receiver.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        running.join()
        for left in asyncio.all_tasks(loop):
            left.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
