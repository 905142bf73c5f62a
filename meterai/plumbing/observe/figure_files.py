"""Figures in files that have all their blocks before anything is written into them.

`prometheus_client` maps a file that it only made long (`truncate`), so that its blocks are taken as
they are written to.  Where the disk is full by then, that write is a SIGBUS (mmap(2)) and the
process is gone, whatever it was doing for a customer.  Here blocks are taken first; where there
are none, the figures of this process stay in its memory, and it goes on.
"""

import mmap
import os
from pathlib import Path

from prometheus_client import mmap_dict, values

BYTES_MIN = mmap_dict._INITIAL_MMAP_SIZE
_VALUE_BYTES = 4 + 8 + 16  # beside the key: its length, filling, value and time
_HEAD_BYTES = 8


def has_room(file: Path, size: int) -> bool:
    """Take blocks for the first `size` bytes; false where the disk has too few."""
    is_new = not file.exists()
    with file.open("ab") as opened:
        try:
            os.posix_fallocate(opened.fileno(), 0, size)
        except OSError:
            if is_new:
                file.unlink()  # one without a head cannot be read
            return False
    return True


def used(file: Path) -> int:
    """How many bytes of a file of figures are in use."""
    if not file.exists():
        return _HEAD_BYTES
    with file.open("rb") as opened:
        return int.from_bytes(opened.read(4), "little") or _HEAD_BYTES


class Figures(mmap_dict.MmapedDict):
    """The figures of one kind of one process: in its file, or in memory where the disk is full."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:  # noqa: FBT001 - the library's
        self._has_file = read_mode or has_room(Path(filename), BYTES_MIN)
        if self._has_file:
            super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]
            return
        self._f = None  # type: ignore[assignment]  # closed, as `close` leaves it
        self._m = mmap.mmap(-1, BYTES_MIN)
        self._capacity = BYTES_MIN
        self._positions = {}
        self._used = _HEAD_BYTES

    def _init_value(self, key: str) -> None:
        while self._used + len(key.encode()) + _VALUE_BYTES > self._capacity:
            self._grow(2 * self._capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _grow(self, capacity: int) -> None:
        larger = self._with_blocks(capacity)
        if larger is None:
            larger = mmap.mmap(-1, capacity)
            larger[: self._capacity] = self._m[:]
        self._m = larger
        self._capacity = capacity

    def _with_blocks(self, capacity: int) -> mmap.mmap | None:
        if not self._has_file:
            return None
        try:
            os.posix_fallocate(self._f.fileno(), 0, capacity)
        except OSError:
            return None
        return mmap.mmap(self._f.fileno(), capacity)


def take_blocks_first() -> None:
    """From now on, whatever `prometheus_client` counts in files is counted so."""
    values.MmapedDict = Figures  # type: ignore[attr-defined]
