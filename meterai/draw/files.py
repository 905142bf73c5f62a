"""What is public of a draw, as files: `draw.json` and `entries.txt`; and the order while it is written.

They lie in DIR/public/<path>/<name>/draws/<draw>/, where a server of files finds them.  Each is
whole or not there, and can be made again from the database.
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
_FIRST = b""  # before every entry
_NAME = re.compile(r"[a-z0-9-]{1,40}")
_DRAW = re.compile(r"[0-9a-z]{26}")
_FILE = re.compile(r"draw(?:-[0-9]{1,9})?\.json|entries\.txt")


def name_of_draw(name: str, draw: UUID) -> str:
    """The name of a draw in its announcement: names of subjects are used again, ids are not."""
    return f"{name}.{compact(draw).lower()}"


def address_of(path: str, name: str, draw: UUID) -> str:
    """The address of the files of a draw: a path of the web, below that of the pages."""
    return f"{path}/{name}/draws/{compact(draw).lower()}"


def public_file(directory: Path, path: str, name: str, draw: str, file: str) -> Path | None:
    """A public file of a draw, as the web names it; None where there is no such file."""
    is_named = _NAME.fullmatch(name) and _DRAW.fullmatch(draw) and _FILE.fullmatch(file)
    found = directory / PUBLIC / path.lstrip("/") / name / "draws" / draw / file
    return found if is_named and found.is_file() else None


class DrawFiles:
    """The files of the draws of an installation, below a path of the web."""

    def __init__(self, directory: Path, path: str) -> None:
        self._directory = directory
        self._path = path

    def folder(self, name: str, draw: UUID) -> Path:
        """The folder of the public files of a draw."""
        return self._directory / PUBLIC / address_of(self._path, name, draw).lstrip("/")

    def order(self, draw: store.DueDraw) -> Path:
        """Where the order is kept while its numbers are written to the database."""
        return self._directory / "draws" / f"{draw.id}-{draw.attempt}"

    def list_of(self, draw: store.DueDraw) -> Path:
        """The public list."""
        return self.folder(draw.name, draw.id) / LIST

    def publish(self, draw: store.DueDraw, record: str, name: str = RECORD) -> None:
        """Write the record, unless it is there as it is."""
        file, content = self.folder(draw.name, draw.id) / name, record.encode()
        if not file.is_file() or file.read_bytes() != content:
            write_whole(file, iter([content]))

    def clear(self, draw: store.DueDraw) -> None:
        """Remove what only served to draw, and what workers that died left."""
        self.order(draw).unlink(missing_ok=True)
        for draft in self.folder(draw.name, draw.id).glob(".*"):
            draft.unlink(missing_ok=True)

    async def write_list(self, database: Database, draw: store.DueDraw) -> Path:
        """Write the list from the database; nothing is added to it any more."""
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
