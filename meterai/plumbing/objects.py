"""The object store: bytes under a name, encrypted, in a folder.

Every object is encrypted by AES-256-GCM under the instance's key, with its own nonce and its name as associated data.
So a copied disk reveals no content, and two objects cannot be exchanged. A name may be a SHA-256, so the owner of a file can
find out from a copied disk whether it is stored. A write is an unfinished file, an fsync, a rename and an fsync of the
folder: an object is stored whole or not at all, and survives a power cut.

The functions for other modules do not depend on where the bytes are stored: `put`, `put_new`, `get`, `has_from_thread`,
`list`, `remove`.
"""

import asyncio
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from meterai.kit.refusal import CommandRefusal

NONCE_BYTES = 12
# Letters of a name that are its folder; 256 folders for names that begin with a hash.
FOLDER_LETTERS = 2


class ObjectUnreadable(Exception):
    """The object is damaged, or was encrypted under another key."""


class StoreDiffers(CommandRefusal):
    """This process uses another object store than the one its database knows."""

    code = "object_store_differs"
    status = 500

    def __init__(self, place: str) -> None:
        super().__init__(f"the store in {place} does not have the id that is in the database")
        self.place = place


@dataclass(frozen=True, slots=True)
class Stored:
    """One object in the store, and when it was last written."""

    name: str
    written_at: datetime


class ObjectStore:
    """The objects of one instance. The caller makes their names, of letters, digits and hyphens."""

    def __init__(self, directory: Path, key: bytes) -> None:
        self._directory = directory / "objects"
        self._cipher = AESGCM(key)

    @property
    def place(self) -> str:
        """The path of the store's folder."""
        return str(self._directory)

    def _path(self, name: str) -> Path:
        return self._directory / name[:FOLDER_LETTERS] / name

    def put_from_thread(self, name: str, content: bytes) -> None:
        """Do what `put` does, for a caller that already runs in a separate thread."""
        unfinished, path = self._unfinished(name, content), self._path(name)
        unfinished.rename(path)
        _sync(path.parent)

    def _unfinished(self, name: str, content: bytes) -> Path:
        path = self._path(name)
        unfinished = path.with_name(f".{name}.{secrets.token_hex(8)}")
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, content, name.encode())
        try:
            file = unfinished.open("xb")
        except FileNotFoundError:  # this is the first name in its folder
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync(self._directory)
            file = unfinished.open("xb")
        with file:
            file.write(nonce)
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        return unfinished

    def _put_new(self, name: str, content: bytes) -> bool:
        unfinished, path = self._unfinished(name, content), self._path(name)
        try:
            path.hardlink_to(unfinished)
        except FileExistsError:
            return False
        finally:
            unfinished.unlink()
        _sync(path.parent)
        return True

    def get_from_thread(self, name: str) -> bytes | None:
        """Do what `get` does, for a caller that already runs in a separate thread."""
        try:
            stored = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return self._cipher.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):  # or shorter than a nonce
            raise ObjectUnreadable(name) from None

    def _list(self, after: str, limit: int) -> list[Stored]:
        found: list[Stored] = []
        for folder in sorted(_names(self._directory)):
            if folder < after[:FOLDER_LETTERS]:
                continue
            for name in sorted(_names(self._directory / folder)):
                if name <= after or name.startswith("."):
                    continue
                with suppress(FileNotFoundError):  # removed meanwhile
                    found.append(Stored(name, _written_at(self._path(name))))
                if len(found) == limit:
                    return found
        return found

    def _remove(self, name: str, written_before: datetime) -> bool:
        # The object is checked, renamed and checked again: if it was written meanwhile, the renamed file is the new
        # one, and it is put back.
        path = self._path(name)
        taken = path.with_name(f".{name}.{secrets.token_hex(8)}")
        try:
            if _written_at(path) >= written_before:
                return False
            path.rename(taken)
        except FileNotFoundError:
            return False
        is_old = _written_at(taken) < written_before
        if not is_old:
            with suppress(FileExistsError):
                path.hardlink_to(taken)
        taken.unlink()
        return is_old

    def _clear_unfinished(self, written_before: datetime) -> int:
        cleared = 0
        for folder in _names(self._directory):
            for name in _names(self._directory / folder):
                path = self._directory / folder / name
                with suppress(FileNotFoundError):
                    if name.startswith(".") and _written_at(path) < written_before:
                        path.unlink()
                        cleared += 1
        return cleared

    def has_from_thread(self, name: str) -> bool:
        """True if there is an object of this name; its content is not read."""
        return self._path(name).is_file()

    async def put(self, name: str, content: bytes) -> None:
        """Store the bytes, replacing any object of the same name."""
        await asyncio.to_thread(self.put_from_thread, name, content)

    async def put_new(self, name: str, content: bytes) -> bool:
        """Store the bytes unless there is an object of this name; return False if there is one."""
        return await asyncio.to_thread(self._put_new, name, content)

    async def get(self, name: str) -> bytes | None:
        """Return the bytes of an object, None if there is none. Raises `ObjectUnreadable`."""
        return await asyncio.to_thread(self.get_from_thread, name)

    async def list(self, after: str, limit: int) -> list[Stored]:
        """Return up to `limit` objects whose names follow `after`, in order; an empty `after` begins with the first."""
        return await asyncio.to_thread(self._list, after, limit)

    async def remove(self, name: str, written_before: datetime) -> bool:
        """Delete the object if it was last written before `written_before`; return False if it was written later, or is
        missing.

        An object that was written meanwhile may seem missing for a moment.
        """
        return await asyncio.to_thread(self._remove, name, written_before)

    async def clear_unfinished(self, written_before: datetime) -> int:
        """Delete unfinished files, left by killed writers, that are older than a moment; return how many."""
        return await asyncio.to_thread(self._clear_unfinished, written_before)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _sync(folder: Path) -> None:
    """Make the names in a folder durable, which an fsync of the file does not do (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
