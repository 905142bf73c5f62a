"""The files in a zip archive (PKWARE APPNOTE 6.3), from untrusted bytes, within bounds.

Nothing is written anywhere, a name is only shown, an archive in an archive is not opened, and what
a file inflates to is bounded before it is there.  Stored and deflated files are read; ZIP64 and
encrypted ones are not.  Python's own reader takes in a directory of any size, so it is not used.

An archive goes from the first byte to the last: with bytes before it or behind it, it is another one
that was cut off, whose own last file is an archive, or one that shows other files to other programs.

Files that share bytes of the archive (D. Fifield, A better zip bomb, 2019) cost a thousand times what
was sent, and no program that packs makes them: they are not read.

`entries` lists the files; `Unpacking.read` gives one of them, within the bounds of a request that may have
several archives.
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

DIRECTORY_BYTES_MAX = 1024 * 1024  # of the central directory: some ten thousand names
SHOWN_LENGTH_MAX = 1_000  # characters of a name with its folders, as it is shown: the last ones
PIECE_BYTES = 64 * 1024
# A deflated file is larger than what it inflates to by 5 bytes in 16 KB at the worst.
_LARGER_BY = 1024

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_COMMENT_BYTES_MAX = 65_535
_ENCRYPTED, _UTF8 = 0x1, 0x800
_STORED, _DEFLATED = 0, 8
_IN_ZIP64 = 0xFFFF_FFFF  # in place of a length: it stands elsewhere, where we do not read it
_HIDDEN = ("__MACOSX/",)  # what a Mac adds beside the files
_ADDED = frozenset({".ds_store", "thumbs.db", "desktop.ini"})  # by a Mac or Windows, in any folder
# What a document has that is a zip inside, as that of Word or LibreOffice.
_OF_A_DOCUMENT = frozenset({"[Content_Types].xml", "mimetype"})
_SIGNATURE = b"PK\3\4"
_OF_THE_END = b"PK\5\6"


class UnreadReason(StrEnum):
    """Why an archive, or a file of it, cannot be read."""

    DAMAGED = "damaged"  # the archive, or this file in it
    ENCRYPTED = "encrypted"
    PACKED_OTHERWISE = "packed_otherwise"  # in a way that is not read here
    EMPTY = "empty"  # an archive without files
    OVERLAPPING = "overlapping"  # shares bytes of the archive with another file
    NESTED = "nested"  # an archive in an archive
    TOO_LARGE = "too_large"  # this file, or all that was unpacked before
    TOO_MANY = "too_many"  # names in the directory


class Unread(Exception):
    """A file of an archive, or all of it, cannot be read; whoever unpacks says what that means."""

    def __init__(self, reason: UnreadReason) -> None:
        super().__init__(f"an archive or a file of it: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One file of an archive, as its directory describes it.

    path    its name with its folders, to be shown
    raw     the same to the letter: by this one a file is told from others
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
    is_link: bool = False  # to another file, on systems that know links


def is_archive(beginning: bytes) -> bool:
    """True for the first bytes of a zip, also of one without files."""
    return beginning.startswith((_SIGNATURE, _OF_THE_END))


def is_document(found: Sequence[ArchiveEntry]) -> bool:
    """True for the files of a document that is a zip inside: to whoever has it, it is one file."""
    paths = {one.path for one in found}
    # One with documents to be checked is opened, whatever else is in it.
    return bool(paths & _OF_A_DOCUMENT) and not any(one.lower().endswith(".pdf") for one in paths)


def is_office(content: bytes) -> bool:
    """True for a document that is a zip inside."""
    try:
        return is_document(entries(BytesIO(content)))
    except Unread:
        return False


def entries(file: IO[bytes]) -> list[ArchiveEntry]:
    """The files of an archive, in the order of its directory; no folders.  Raises `Unread`."""
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
        # At the least: how long the second extra field is, its local header alone knows.
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
    """Which files, by number, have bytes that another one or the directory has too."""
    shared = {at for at, (_, end) in enumerate(listed) if end > directory}
    furthest, reached = -1, 0  # the file that goes furthest of those before, and how far
    for at in sorted(range(len(listed)), key=lambda one: listed[one][0].offset):
        entry, end = listed[at]
        if furthest >= 0 and entry.offset < reached:
            shared |= {at, furthest}
        if end > reached:
            furthest, reached = at, end
    return shared


def _directory(file: IO[bytes]) -> tuple[bytes, int, int]:
    """The central directory, where it begins, and how many files it has."""
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
    """A name with its folders, fit to be shown; empty for a folder and for what a system adds."""
    text = raw.replace("\\", "/")
    if text.endswith("/") or text.startswith(_HIDDEN):
        return ""
    if text.rpartition("/")[2].lower() in _ADDED:
        return ""
    return as_came(raw)[-SHOWN_LENGTH_MAX:] or "?"


def _text(name: bytes, *, is_utf8: bool) -> str:
    return name.decode("utf-8" if is_utf8 else "cp437", "backslashreplace")


class Unpacking:
    """The files that are unpacked for one request: so many bytes of each and of all at the most."""

    def __init__(self, *, file_bytes_max: int, bytes_max: int) -> None:
        self._file_bytes_max = file_bytes_max
        self._left = bytes_max

    def read(self, file: IO[bytes], entry: ArchiveEntry) -> bytes:
        """The bytes of one file of an archive.  Raises `Unread`.

        The last one may go beyond the bound of all.
        """
        if self._left < 0:
            raise Unread(UnreadReason.TOO_LARGE)
        # What it says of itself: no more than that is inflated.
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
    """The first bytes of a file that `Unpacking.read` gave before, a piece at a time."""
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
    """The next bytes of a file, a piece at a time."""
    while size and (found := file.read(min(size, PIECE_BYTES))):
        size -= len(found)
        yield found


def _go_to(file: IO[bytes], entry: ArchiveEntry) -> None:
    """Go to where the bytes of a file begin."""
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
    """The bytes, and one more than `size` where there are more: it is damaged then."""
    if method == _STORED:
        return data
    if method != _DEFLATED:
        raise Unread(UnreadReason.PACKED_OTHERWISE)
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        return inflating.decompress(data, size + 1)
    except zlib.error:
        raise Unread(UnreadReason.DAMAGED) from None
