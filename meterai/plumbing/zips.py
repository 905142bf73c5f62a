"""Writing of ZIP archives: files are stored, not deflated, since a PDF is compressed already.

An archive is written piece by piece, with one file in memory at a time, or a piece of it (`PiecedFile`).  The header
before each file has its size and checksum, so that every program can read the archive while it arrives (APPNOTE 6.3.10,
section 4.3.7).  Without ZIP64: less than 4 GB in fewer than 65,536 files.

`unzipped` reads only what `archive` wrote: it writes the archive again and compares each byte. So a deflated file,
bytes between two files or a changed header are refused, and the result is no longer than the input.
"""

import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from meterai.kit.clock import WIB
from meterai.kit.refusal import Refusal

PIECE_BYTES = 64 * 1024  # passed to the server at once
_UTF8 = 0x0800  # general purpose bit 11: the name is UTF-8 (section 4.4.4)
_VERSION = 20
_REGULAR_FILE = 0o100644 << 16
_BYTES_MAX = 0xFFFFFFFF
_FILE = b"PK\x03\x04"
_ABOUT = struct.Struct("<HHHHHIIIHH")
FILES_READ_MAX = 100  # of an archive that `unzipped` reads; an archive of evidence has about ten


class ArchiveUnreadable(Refusal):
    """The archive is not in the form that `archive` writes: it was changed, or another program made it."""

    code = "archive_odd"
    status = 422


@dataclass(frozen=True, slots=True)
class ZippedFile:
    """One file of an archive; `at` is the time at which it was made."""

    name: str
    at: datetime
    content: bytes

    @property
    def size(self) -> int:
        """The length of the file in bytes."""
        return len(self.content)

    @property
    def crc(self) -> int:
        """The CRC-32 of the content."""
        return zlib.crc32(self.content)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the content."""
        for begin in range(0, len(self.content), PIECE_BYTES):
            yield self.content[begin : begin + PIECE_BYTES]


@dataclass(frozen=True, slots=True)
class PiecedFile:
    """A file of an archive that is never in memory as a whole; `size` is its length in bytes, `crc` its CRC-32."""

    name: str
    at: datetime
    size: int
    crc: int
    pieces: Callable[[], AsyncIterator[bytes]]


@dataclass(slots=True)
class _ArchiveTail:
    """State of an archive while it is written: the length so far, and the directory entries of the files written so far."""

    offset: int = 0
    files: int = 0
    directory: list[bytes] = field(default_factory=list)


def _dos_time(at: datetime) -> tuple[int, int]:
    local = at.astimezone(WIB)
    time = local.hour << 11 | local.minute << 5 | local.second // 2
    return time, (local.year - 1980) << 9 | local.month << 5 | local.day


def _about(file: ZippedFile | PiecedFile) -> bytes:
    """Return the fields that the header of a file and its directory entry have in common, beginning with the version."""
    size, name = file.size, len(file.name.encode())
    assert size < _BYTES_MAX, "no ZIP64"
    return _ABOUT.pack(_VERSION, _UTF8, 0, *_dos_time(file.at), file.crc, size, size, name, 0)


def _header(written: _ArchiveTail, file: ZippedFile | PiecedFile) -> bytes:
    about, name = _about(file), file.name.encode()
    rest = struct.pack("<HHHII", 0, 0, 0, _REGULAR_FILE, written.offset)
    written.directory.append(
        b"PK\x01\x02" + struct.pack("<H", 3 << 8 | _VERSION) + about + rest + name
    )
    header = _FILE + about + name
    written.offset += len(header) + file.size
    written.files += 1
    return header


def _end(written: _ArchiveTail) -> bytes:
    directory = b"".join(written.directory)
    assert written.offset < _BYTES_MAX, "no ZIP64"
    count = written.files
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), written.offset, 0)
    return directory + b"PK\x05\x06" + end


async def zipped(files: AsyncIterator[ZippedFile | PiecedFile]) -> AsyncIterator[bytes]:
    """Yield the archive of these files, in pieces."""
    written = _ArchiveTail()
    async for file in files:
        yield _header(written, file)
        async for piece in file.pieces():
            yield piece
    yield _end(written)


def archive(files: Iterable[ZippedFile]) -> bytes:
    """Return the archive of a few small files."""
    written, parts = _ArchiveTail(), []
    for file in files:
        parts += [_header(written, file), file.content]
    return b"".join([*parts, _end(written)])


def unzipped(content: bytes) -> list[ZippedFile]:
    """Return the files of an archive that `archive` wrote. Refuses `ArchiveUnreadable`."""
    files: list[ZippedFile] = []
    place = 0
    try:
        while content.startswith(_FILE, place) and len(files) < FILES_READ_MAX:
            *_, time, day, _, size, _, name, _ = _ABOUT.unpack_from(content, place + len(_FILE))
            start = place + len(_FILE) + _ABOUT.size + name
            place = start + size
            files.append(
                ZippedFile(
                    content[start - name : start].decode(), _moment(time, day), content[start:place]
                )
            )
    except (struct.error, ValueError):
        raise ArchiveUnreadable("a header cannot be read") from None
    if not files or archive(files) != content:
        raise ArchiveUnreadable("the archive differs from the one made from its files")
    return files


def _moment(time: int, day: int) -> datetime:
    date = (day >> 9) + 1980, day >> 5 & 15, day & 31
    return datetime(*date, time >> 11, time >> 5 & 63, time % 32 * 2, tzinfo=WIB)


class Names:
    """Gives each file of an archive a name that no other file of it has, without a folder: surat.pdf, surat (2).pdf."""

    def __init__(self) -> None:
        # By taken name, the number that was last put behind it.
        self._next: dict[str, int] = {}

    def distinct(self, name: str) -> str:
        """Return the name, or a similar one if it is already taken."""
        plain = name.replace("/", "_").replace("\\", "_").lstrip(".") or "_"
        stem, dot, end = plain.rpartition(".")
        number = self._next.get(plain.casefold(), 1)
        found = plain
        while found.casefold() in self._next:
            number += 1
            found = f"{stem} ({number}).{end}" if dot else f"{plain} ({number})"
        self._next[plain.casefold()] = number
        self._next.setdefault(found.casefold(), 1)
        return found
