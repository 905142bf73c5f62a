"""Loads the bytes of files only when a slot to process them is free, and once for all callers that wait for a file."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple
from uuid import UUID

from meterai.drafts.model import DraftFile, FileNotReady

# Bytes that one process holds for waiting callers, in addition to the files being processed.  An evicted file is
# loaded again.
KEPT_BYTES_MAX = 32 * 1024 * 1024

Load = Callable[[], Awaitable[bytes]]


class _KeptContent(NamedTuple):
    loading: asyncio.Task[bytes]
    bytes: int


class SharedLoads:
    """Shares the loaded bytes of a file among all callers that wait for the same file; the function `load` reads the bytes."""

    def __init__(self, load: Callable[[DraftFile], Awaitable[bytes]]) -> None:
        self._load = load
        self._wanted: Counter[UUID] = Counter()
        self._kept: OrderedDict[UUID, _KeptContent] = OrderedDict()
        self._kept_bytes = 0

    @contextmanager
    def shared(self, file: DraftFile) -> Iterator[Load]:
        """Yield a loader of the file's bytes, which reuses bytes that another waiting caller has loaded.

        Refuses `FileNotReady`.  The loader refuses like the function `load` of this object.
        """
        if not file.is_usable:
            raise FileNotReady(f"the file is {file.state}")
        self._wanted[file.id] += 1
        try:
            yield partial(self._loaded, file)
        finally:
            self._wanted[file.id] -= 1
            if not self._wanted[file.id]:
                del self._wanted[file.id]
                self._drop(file.id)

    async def _loaded(self, file: DraftFile) -> bytes:
        kept = self._kept.get(file.id)
        if kept is None:
            kept = _KeptContent(asyncio.create_task(self._read(file)), file.size)
            self._keep(file.id, kept)
        try:
            return await asyncio.shield(kept.loading)
        except Exception:
            self._drop(file.id)  # the next caller tries again
            raise

    async def _read(self, file: DraftFile) -> bytes:
        return await self._load(file)

    def _keep(self, file: UUID, kept: _KeptContent) -> None:
        # All callers may have given up meanwhile; and a very large file is not kept.
        if file not in self._wanted or kept.bytes > KEPT_BYTES_MAX:
            return
        self._kept[file] = kept
        self._kept_bytes += kept.bytes
        while self._kept_bytes > KEPT_BYTES_MAX:
            self._drop(next(iter(self._kept)))

    def _drop(self, file: UUID) -> None:
        kept = self._kept.pop(file, None)
        if kept is not None:
            self._kept_bytes -= kept.bytes
