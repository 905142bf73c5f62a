"""Work in a thread whose end is always awaited."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

Answer = TypeVar("Answer")


async def to_the_end(act: Callable[[], Answer]) -> Answer:
    """Run a function in a thread, and wait for its end even if the caller is cancelled.

    A thread cannot be stopped: the data that it works on, and its slot, must not be reused before it ends.
    """
    work = asyncio.get_running_loop().run_in_executor(None, copy_context().run, act)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
