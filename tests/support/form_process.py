"""A process that handles one submitted form like the web process.

Arguments: ACCOUNT KEY FILE...
"""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from meterai.apps.container import build_services
from meterai.apps.settings import load
from meterai.stamping import StampingService
from tests.support.stamping_calls import upload


async def send(account: UUID, key: str, files: list[Path]) -> None:
    async with build_services(load().settings) as container:
        uploads = [upload(file.stem, content=file.read_bytes()) for file in files]
        await container.of(StampingService).stamp_all(account, key, uploads)


if __name__ == "__main__":
    asyncio.run(send(UUID(sys.argv[1]), sys.argv[2], [Path(text) for text in sys.argv[3:]]))
