"""Readings (signed measurements of a minute) from the static folders of watchers: over HTTP, or from a local folder.

Folders are not trusted: a line without the watcher's signature is ignored.  A folder that does not answer, is slow or sends
without end gives no readings, and does not delay the others.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import structlog

from meterai.kit.text import one_line
from meterai.outages.record import READINGS_BYTES_MAX
from meterai.outages.rules import MINUTE, Signed
from meterai.plumbing.files import read_file
from meterai.plumbing.readings import Watcher, read_reading
from meterai.plumbing.signed import SignatureWrong

ANSWER_SECONDS_MAX = 20.0  # for one file: a day of one watcher, some 2 MB
_SILENCE = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
_log = structlog.get_logger()


async def readings_of(
    watchers: Sequence[Watcher], begin: datetime, end: datetime
) -> Mapping[str, Sequence[Signed]]:
    """Return the signed readings of each watcher, by the watcher's name, for the minutes from `begin` to before `end`.

    They are in the order in which the watcher published them.
    """
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        found = await asyncio.gather(*(_of_one(session, one, begin, end) for one in watchers))
    return {one.name: readings for one, readings in zip(watchers, found, strict=True)}


async def _of_one(
    session: aiohttp.ClientSession, watcher: Watcher, begin: datetime, end: datetime
) -> Sequence[Signed]:
    readings: list[Signed] = []
    for day in range((end - MINUTE).toordinal() - begin.toordinal() + 1):
        name = f"readings/{(begin + timedelta(days=day)).date().isoformat()}.jsonl"
        try:
            text = (await _file(session, watcher.url, name)).decode()
        except _SILENCE as error:
            fault = one_line(repr(error))
            _log.warning("readings_missing", watcher=watcher.name, file=name, fault=fault)
            continue
        readings += await asyncio.to_thread(_read, text, watcher)
    return [one for one in readings if begin <= one.reading.minute < end]


def _read(text: str, watcher: Watcher) -> Sequence[Signed]:
    found = []
    for line in filter(None, text.splitlines()):
        try:
            reading = read_reading(line, watcher.public_key)
        except SignatureWrong:
            continue
        if reading.watcher == watcher.name:
            found.append(Signed(line, reading))
    return found


async def _file(session: aiohttp.ClientSession, url: str, name: str) -> bytes:
    """Fetch one file. Raises one of the exceptions in `_SILENCE` if it cannot be read, or is longer than
    `READINGS_BYTES_MAX`.
    """
    if not url.startswith(("http://", "https://")):
        path = Path(url.removeprefix("file://")) / name
        return await asyncio.to_thread(read_file, path, READINGS_BYTES_MAX)
    async with session.get(f"{url}/{name}", allow_redirects=False) as response:
        if response.status != 200:
            raise ValueError(f"status {response.status}")
        found = bytearray()
        async for part in response.content.iter_chunked(64 * 1024):
            found += part
            if len(found) > READINGS_BYTES_MAX:
                raise ValueError("the file is too long")
        return bytes(found)
