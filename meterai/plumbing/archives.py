"""Reading of the files in a zip archive (PKWARE APPNOTE 6.3) from untrusted bytes, within bounds.

Nothing is written to disk, names are used for display only, archives within an archive are not opened, and the size of
a file is checked before it is inflated. Stored and deflated files are read; ZIP64 and encrypted files are not. Python's
`zipfile` is not used, since it reads a central directory of any size.

The archive must fill the whole file. A file with other bytes before or after it is either a truncated archive whose
last entry is itself an archive, or a file that different programs read differently.

Files that share bytes of the archive (D. Fifield, A better zip bomb, 2019) can inflate to a thousand times the bytes
sent, and no packing program makes such archives: they are refused.

`entries` lists the files; `Unpacking.read` returns one of them, within the bounds of a request, which may have several
archives.
"""

import stat
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from io import BytesIO
from typing import IO

from meterai.kit.text import as_came

DIRECTORY_BYTES_MAX = 1024 * 1024  # of the central directory, with some ten thousand names
# Characters of a shown name with its folders; a longer one loses its beginning.
SHOWN_LENGTH_MAX = 1_000
PIECE_BYTES = 64 * 1024
# At worst a deflated file is larger than its content by 5 bytes in 16 KB.
_LARGER_BY = 1024

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_COMMENT_BYTES_MAX = 65_535
_ENCRYPTED, _UTF8 = 0x1, 0x800
_STORED, _DEFLATED = 0, 8
_IN_ZIP64 = 0xFFFF_FFFF  # in place of a length that is in a ZIP64 field, which we do not read
_HIDDEN = ("__MACOSX/",)  # folders that macOS adds beside the files
# Files that macOS or Windows adds in any folder.
_ADDED = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
# Files that mark a zip archive as a document, such as one of Word or LibreOffice.
_OF_A_DOCUMENT = frozenset({"[Content_Types].xml", "mimetype"})
_SIGNATURE = b"PK\3\4"
_OF_THE_END = b"PK\5\6"


class UnreadReason(StrEnum):
    """Reason why an archive, or a file in it, cannot be read."""

    DAMAGED = "damaged"  # the archive, or this file in it
    ENCRYPTED = "encrypted"
    PACKED_OTHERWISE = "packed_otherwise"  # by a compression method that is not read here
    EMPTY = "empty"  # an archive without files
    OVERLAPPING = "overlapping"  # shares bytes of the archive with another file
    NESTED = "nested"  # an archive in an archive
    TOO_LARGE = "too_large"  # this file, or all files unpacked before it
    TOO_MANY = "too_many"  # the directory has too many names


class Unread(Exception):
    """A file of an archive, or the whole archive, cannot be read. The caller decides what that means."""

    def __init__(self, reason: UnreadReason) -> None:
        super().__init__(f"an archive or one of its files: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One file of an archive, as its directory describes it.

    path    the name with its folders, for display
    raw     the name exactly as in the archive, which distinguishes the file from others
    """

    path: str
    method: int
    is_encrypted: bool
    crc: int
    compressed: int
    size: int
    offset: int
    is_overlapping: bool = False
    raw: str = ""
    is_link: bool = False  # a link to another file, on systems that have links


def is_archive(beginning: bytes) -> bool:
    """True if a zip archive, which may have no files, begins with these bytes."""
    return beginning.startswith((_SIGNATURE, _OF_THE_END))


def is_document(found: Sequence[ArchiveEntry]) -> bool:
    """True if the archive with these files is itself a document, such as a .docx: people regard it as one file."""
    paths = {one.path for one in found}
    # An archive with a PDF is opened to check the PDF, whatever other files it contains.
    return bool(paths & _OF_A_DOCUMENT) and not any(one.lower().endswith(".pdf") for one in paths)


def is_office(content: bytes) -> bool:
    """True if the content is an office document whose file format is a zip archive."""
    try:
        return is_document(entries(BytesIO(content)))
    except Unread:
        return False


def entries(file: IO[bytes]) -> list[ArchiveEntry]:
    """Return the files of an archive, in the order of its directory, without folders. Raises `Unread`."""
    directory, start, count = _directory(file)
    listed: list[tuple[ArchiveEntry, int]] = []
    place = 0
    while place < len(directory):
        if len(directory) - place < _ENTRY.size:
            raise Unread(UnreadReason.DAMAGED)
        found = _ENTRY.unpack_from(directory, place)
        flags, method = found[3], found[4]
        crc, compressed, size, name_length, extra_length, comment_length = found[7:13]
        if found[0] != b"PK\1\2":
            raise Unread(UnreadReason.DAMAGED)
        name = directory[place + _ENTRY.size :][:name_length]
        raw = _text(name, is_utf8=bool(flags & _UTF8))
        offset = found[16]
        entry = ArchiveEntry(
            _path(raw),
            method,
            bool(flags & _ENCRYPTED),
            crc,
            compressed,
            size,
            offset,
            raw=raw,
            is_link=stat.S_ISLNK(found[15] >> 16),
        )
        # A lower bound: only the local header knows the length of the second extra field.
        length = 0 if compressed == _IN_ZIP64 else compressed
        listed.append((entry, offset + _LOCAL.size + name_length + length))
        place += _ENTRY.size + name_length + extra_length + comment_length
    if len(listed) != count or min((one.offset for one, _ in listed), default=0) > 0:
        raise Unread(UnreadReason.DAMAGED)
    shared = _sharing(listed, start)
    marked = (replace(one, is_overlapping=at in shared) for at, (one, _) in enumerate(listed))
    if not (files := [one for one in marked if one.path]):
        raise Unread(UnreadReason.EMPTY)
    return files


def _sharing(listed: list[tuple[ArchiveEntry, int]], directory: int) -> set[int]:
    """Return the positions of files that share bytes with another file or with the directory."""
    shared = {at for at, (_, end) in enumerate(listed) if end > directory}
    furthest, reached = -1, 0  # the file that ends last of those before, and its end
    for at in sorted(range(len(listed)), key=lambda one: listed[one][0].offset):
        entry, end = listed[at]
        if furthest >= 0 and entry.offset < reached:
            shared |= {at, furthest}
        if end > reached:
            furthest, reached = at, end
    return shared


def _directory(file: IO[bytes]) -> tuple[bytes, int, int]:
    """Return the central directory, its offset, and its number of files. Raises `Unread`."""
    size = file.seek(0, 2)
    start = max(0, size - _END.size - _COMMENT_BYTES_MAX)
    file.seek(start)
    tail = file.read()
    place = tail.rfind(_OF_THE_END)
    if place < 0 or len(tail) - place < _END.size:
        raise Unread(UnreadReason.DAMAGED)
    *_, count, length, offset, comment_length = _END.unpack_from(tail, place)
    end = start + place
    if offset + length != end or place + _END.size + comment_length != len(tail):
        raise Unread(UnreadReason.DAMAGED)
    if length > DIRECTORY_BYTES_MAX:
        raise Unread(UnreadReason.TOO_MANY)
    file.seek(offset)
    return file.read(length), offset, count


def _path(raw: str) -> str:
    """Return a name with its folders, safe to show; empty for a folder and for files that an operating system adds, such as
    `.DS_Store`.
    """
    text = raw.replace("\\", "/")
    if text.endswith("/") or text.startswith(_HIDDEN):
        return ""
    if text.rpartition("/")[2].lower() in _ADDED:
        return ""
    return as_came(raw)[-SHOWN_LENGTH_MAX:] or "?"


def _text(name: bytes, *, is_utf8: bool) -> str:
    return name.decode("utf-8" if is_utf8 else "cp437", "backslashreplace")


class Unpacking:
    """Unpacks the files of one request: at most `file_bytes_max` bytes of each, and `bytes_max` bytes of all together."""

    def __init__(self, *, file_bytes_max: int, bytes_max: int) -> None:
        self._file_bytes_max = file_bytes_max
        self._left = bytes_max

    def read(self, file: IO[bytes], entry: ArchiveEntry) -> bytes:
        """Return the content of one file of an archive. Raises `Unread`.

        A file is refused once the files read before it exceed `bytes_max` together, so the last file that is read may exceed
        this bound.
        """
        if self._left < 0:
            raise Unread(UnreadReason.TOO_LARGE)
        # The declared size may be trusted here, since no more than that is inflated.
        self._left -= max(entry.size, entry.compressed)
        return _content(file, entry, self._file_bytes_max)


def _content(file: IO[bytes], entry: ArchiveEntry, bytes_max: int) -> bytes:
    if entry.is_encrypted:
        raise Unread(UnreadReason.ENCRYPTED)
    if entry.size > bytes_max or entry.compressed > bytes_max + bytes_max // _LARGER_BY:
        raise Unread(UnreadReason.TOO_LARGE)
    if entry.is_overlapping:
        raise Unread(UnreadReason.OVERLAPPING)
    if entry.method == _STORED and entry.compressed != entry.size:
        raise Unread(UnreadReason.DAMAGED)
    found = _inflated(_compressed(file, entry), entry.method, entry.size)
    if len(found) != entry.size or zlib.crc32(found) != entry.crc:
        raise Unread(UnreadReason.DAMAGED)
    if is_archive(found) and not is_office(found):
        raise Unread(UnreadReason.NESTED)
    return found


def pieces(file: IO[bytes], entry: ArchiveEntry, size: int) -> Iterator[bytes]:
    """Yield the first `size` bytes of a file that `Unpacking.read` has returned before, in pieces."""
    _go_to(file, entry)
    if entry.method == _STORED:
        yield from pieces_of(file, size)
        return
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    while size and not inflating.eof:
        compressed = inflating.unconsumed_tail or file.read(PIECE_BYTES)
        found = inflating.decompress(compressed, min(size, PIECE_BYTES))
        size -= len(found)
        if found:
            yield found


def pieces_of(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield the next `size` bytes of a file, in pieces."""
    while size and (found := file.read(min(size, PIECE_BYTES))):
        size -= len(found)
        yield found


def _go_to(file: IO[bytes], entry: ArchiveEntry) -> None:
    """Move to the first content byte of a file of the archive. Raises `Unread`."""
    file.seek(entry.offset)
    head = file.read(_LOCAL.size)
    if len(head) != _LOCAL.size or not head.startswith(_SIGNATURE):
        raise Unread(UnreadReason.DAMAGED)
    *_, name_length, extra_length = _LOCAL.unpack(head)
    file.seek(name_length + extra_length, 1)


def _compressed(file: IO[bytes], entry: ArchiveEntry) -> bytes:
    _go_to(file, entry)
    return file.read(entry.compressed)


def _inflated(data: bytes, method: int, size: int) -> bytes:
    """Return the inflated bytes. If there are more than `size`, return one byte more, which shows that the file is damaged."""
    if method == _STORED:
        return data
    if method != _DEFLATED:
        raise Unread(UnreadReason.PACKED_OTHERWISE)
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        return inflating.decompress(data, size + 1)
    except zlib.error:
        raise Unread(UnreadReason.DAMAGED) from None
