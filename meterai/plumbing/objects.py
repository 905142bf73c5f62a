"""The object store: bytes under a name, encrypted, in a folder.

Every object is sealed with AES-256-GCM under the instance's key, with its own nonce and its
name as associated data, so that a copied disk shows nothing and two objects cannot be swapped.
A write is a draft, an fsync and a rename: an object is there whole or not at all.
"""

import asyncio
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class ObjectUnreadable(Exception):
    """The object was damaged, or belongs to another key."""


class ObjectStore:
    """Objects of one instance.  Names are letters, digits and hyphens, made by the caller."""

    def __init__(self, directory: Path, key: bytes) -> None:
        self._directory = directory / "objects"
        self._cipher = AESGCM(key)

    def _path(self, name: str) -> Path:
        return self._directory / name[:2] / name

    def put_from_thread(self, name: str, content: bytes) -> None:
        """What `put` does, for whoever is in a thread of its own already."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        nonce = secrets.token_bytes(NONCE_BYTES)
        draft = path.with_name(f".{name}.{secrets.token_hex(8)}")
        with draft.open("wb") as file:
            file.write(nonce + self._cipher.encrypt(nonce, content, name.encode()))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)

    def _get(self, name: str) -> bytes | None:
        try:
            stored = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return self._cipher.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], name.encode())
        except InvalidTag:
            raise ObjectUnreadable(name) from None

    async def put(self, name: str, content: bytes) -> None:
        """Keep the bytes; an object of the same name is replaced."""
        await asyncio.to_thread(self.put_from_thread, name, content)

    async def get(self, name: str) -> bytes | None:
        """The bytes, or None where there are none.  Raises `ObjectUnreadable`."""
        return await asyncio.to_thread(self._get, name)

    async def forget(self, name: str) -> None:
        """Delete the object; nothing happens where there is none."""
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)
