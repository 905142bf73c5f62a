"""Bodies of requests and targets of downloads; none is held in memory as a whole, except content that was given as bytes."""

import hashlib
import io
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from meterai_client.errors import DownloadDamaged
from meterai_client.models import Downloaded

CHUNK_BYTES = 256 * 1024

# A path, bytes, or a seekable file that is open for reading.
Content = bytes | str | os.PathLike[str] | BinaryIO
# A path, or a file that is open for writing.
Into = str | os.PathLike[str] | BinaryIO
# Called with the number of bytes passed to the connection so far, and their total.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class File:
    """Content that each try reads from its beginning."""

    name: str
    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]


def file_of(content: Content, name: str | None = None) -> File:
    """Return the content as a file. Raises `OSError` if the file does not exist, or if an open file is not seekable."""
    if isinstance(content, bytes):
        return File(name or "document.pdf", len(content), lambda: nullcontext(io.BytesIO(content)))
    if isinstance(content, str | os.PathLike):
        path = Path(content)
        return File(name or path.name, path.stat().st_size, lambda: path.open("rb"))
    start = content.tell()
    size = content.seek(0, os.SEEK_END) - start

    def again() -> AbstractContextManager[BinaryIO]:
        content.seek(start)
        return nullcontext(content)

    return File(name or Path(str(getattr(content, "name", "document.pdf"))).name, size, again)


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request: bytes and files, one after the other."""

    content_type: str
    parts: Sequence[bytes | File]

    @property
    def size(self) -> int:
        """Length in bytes."""
        return sum(len(one) if isinstance(one, bytes) else one.size for one in self.parts)

    def chunks(self, progress: Progress | None = None) -> Iterator[bytes]:
        """Yield the body in chunks."""
        sent, size = 0, self.size
        for part in self.parts:
            for chunk in _chunks(part):
                yield chunk
                sent += len(chunk)
                if progress is not None:
                    progress(sent, size)


def _chunks(part: bytes | File) -> Iterator[bytes]:
    if isinstance(part, bytes):
        yield part
        return
    left = part.size
    with part.open() as file:
        while left and (chunk := file.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def json_of(value: Mapping[str, Any]) -> Body:
    """Return an object as JSON, without None values."""
    given = {name: one for name, one in value.items() if one is not None}
    return Body("application/json", [msgspec.json.encode(given)])


def form_of(fields: Sequence[tuple[str, str | File | None]]) -> Body:
    """Return a form with files (RFC 7578), without None fields."""
    boundary = secrets.token_hex(16)
    parts: list[bytes | File] = []
    for name, value in fields:
        if value is None:
            continue
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        if isinstance(value, str):
            parts.append(f"{head}\r\n\r\n{value}\r\n".encode())
        else:
            kind = "Content-Type: application/octet-stream"
            parts.append(f'{head}; filename="{_quoted(value.name)}"\r\n{kind}\r\n\r\n'.encode())
            parts += [value, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return Body(f"multipart/form-data; boundary={boundary}", parts)


def _quoted(name: str) -> str:
    """Quote the name of a file as browsers do."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


class Target:
    """Target of a download; each try writes it from the beginning.

    The file at a path appears when the download is complete; until then the bytes are beside it in `.NAME.part`. A file
    that is open for writing gets the bytes as they arrive, from its current position.
    """

    def __init__(self, into: Into, sha256: str | None = None) -> None:
        """With `sha256`, a file with another hash is rejected."""
        self._path = Path(into) if isinstance(into, str | os.PathLike) else None
        self._file: BinaryIO | None = None if isinstance(into, str | os.PathLike) else into
        self._wanted = sha256
        self._size = 0
        self._hash = hashlib.sha256()

    def begin(self) -> None:
        """Start to write the file from its beginning. Raises `OSError` if it cannot be written, or not a second time."""
        if self._path is not None:
            part = self._part_of(self._path)
            part.unlink(missing_ok=True)  # a link is not written through
            self._file = part.open("xb")
        elif self._file is not None and self._size:
            self._file.seek(-self._size, os.SEEK_CUR)
            self._file.truncate()
        self._size, self._hash = 0, hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Write more bytes."""
        assert self._file is not None
        self._file.write(chunk)
        self._size += len(chunk)
        self._hash.update(chunk)

    def finish(self) -> Downloaded:
        """Complete the file. Raises `DownloadDamaged` if its hash is not the expected one."""
        found = Downloaded(size=self._size, sha256=self._hash.hexdigest())
        if self._wanted is not None and found.sha256 != self._wanted:
            self.drop()
            raise DownloadDamaged(f"SHA-256 is {found.sha256}, not {self._wanted}")
        if self._path is not None and self._file is not None:
            self._file.close()
            self._part_of(self._path).replace(self._path)
        return found

    def drop(self) -> None:
        """Delete the incomplete file."""
        if self._path is not None and self._file is not None:
            self._file.close()
            self._part_of(self._path).unlink(missing_ok=True)

    @staticmethod
    def _part_of(path: Path) -> Path:
        return path.with_name(f".{path.name}.part")
