"""Public files of a draw (`draw.json` and `entries.txt`), and the temporary file with its drawn order.

The public files are in DIR/public/<path>/<name>/draws/<draw>/, where a file server finds them.  Each file is written
atomically and can be written again from the database.
"""

import asyncio
import os
import re
from pathlib import Path
from uuid import UUID

from meterai.draw import store
from meterai.draw.computing import write_whole
from meterai.draw.protocol.entries import ENTRY_BYTES, lines_of
from meterai.kit.ids import compact
from meterai.plumbing.db.database import Database

PUBLIC = "public"
RECORD, LIST = "draw.json", "entries.txt"
_FIRST = b""  # sorts before every entry
_NAME = re.compile(r"[a-z0-9-]{1,40}")
_DRAW = re.compile(r"[0-9a-z]{26}")
_FILE = re.compile(r"draw(?:-[0-9]{1,9})?\.json|entries\.txt")


def name_of_draw(name: str, draw: UUID) -> str:
    """Return the name that a draw has in its announcement.

    It consists of the name of the subject and the id of the draw, since names of subjects are reused.
    """
    return f"{name}.{compact(draw).lower()}"


def address_of(path: str, name: str, draw: UUID) -> str:
    """Return the URL path of the public files of a random draw; `path` is the URL path of the calling room's pages."""
    return f"{path}/{name}/draws/{compact(draw).lower()}"


def public_file(directory: Path, path: str, name: str, draw: str, file: str) -> Path | None:
    """Return the path of a public file of a draw from the parts of its URL; None if there is no such file."""
    is_named = _NAME.fullmatch(name) and _DRAW.fullmatch(draw) and _FILE.fullmatch(file)
    found = directory / PUBLIC / path.lstrip("/") / name / "draws" / draw / file
    return found if is_named and found.is_file() else None


class DrawFiles:
    """Files of the random draws of an installation; `path` is the URL path of the calling room's pages."""

    def __init__(self, directory: Path, path: str) -> None:
        self._directory = directory
        self._path = path

    def folder(self, name: str, draw: UUID) -> Path:
        """Return the folder of the public files of a draw."""
        return self._directory / PUBLIC / address_of(self._path, name, draw).lstrip("/")

    def order(self, draw: store.DueDraw) -> Path:
        """Return the path of the temporary file with the drawn order; it is kept until all numbers are in the database."""
        return self._directory / "draws" / f"{draw.id}-{draw.attempt}"

    def list_of(self, draw: store.DueDraw) -> Path:
        """Return the path of the public list of entries."""
        return self.folder(draw.name, draw.id) / LIST

    def publish(self, draw: store.DueDraw, record: str, name: str = RECORD) -> None:
        """Write the record to the public file of this name, unless the file already contains it."""
        file, content = self.folder(draw.name, draw.id) / name, record.encode()
        if not file.is_file() or file.read_bytes() != content:
            write_whole(file, iter([content]))

    def clear(self, draw: store.DueDraw) -> None:
        """Remove the temporary files of a draw, also those of killed workers."""
        self.order(draw).unlink(missing_ok=True)
        for draft in self.folder(draw.name, draw.id).glob(".*"):
            draft.unlink(missing_ok=True)

    async def write_list(self, database: Database, draw: store.DueDraw) -> Path:
        """Write the public list of all entries from the database, and return its path."""
        file = self.list_of(draw)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{LIST}.{os.getpid()}")
        last = _FIRST
        with draft.open("wb") as opened:
            while page := await self._page(database, draw.id, last):
                entries = [page[at : at + ENTRY_BYTES] for at in range(0, len(page), ENTRY_BYTES)]
                opened.writelines(lines_of(entries))
                last = entries[-1]
            opened.flush()
            await asyncio.to_thread(os.fsync, opened.fileno())
        draft.replace(file)
        return file

    async def _page(self, database: Database, draw: UUID, after: bytes) -> bytes:
        async with database.reading() as tx:
            return await store.entries_after(tx, draw, after)
