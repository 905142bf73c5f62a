"""A stand-in relay of drand in the event loop of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from standins.drand import Chain, Relay


@asynccontextmanager
async def running_relay(directory: Path, chain: Chain) -> AsyncIterator[tuple[Relay, str]]:
    """The relay, and its address."""
    relay = Relay(directory, chain)
    url = await relay.serve("127.0.0.1", 0)
    try:
        yield relay, url
    finally:
        await relay.stop()
