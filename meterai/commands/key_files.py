"""Search for key files that other users than their owner may read or change."""

from collections.abc import Iterator
from pathlib import Path

from meterai.commands.production import Facts
from meterai.plumbing.files import read_key_file

OTHERS_MAY_NOTHING = 0o077
OTHERS_MAY_NOT_WRITE = 0o022
_PUBLIC_SUFFIXES = frozenset({".pub", ".csr", ".crl", ".toml", ".pdf", ".pem"})
_PUBLIC_FILES = frozenset({"current"})


def open_key_files(folder: Path) -> Iterator[Facts]:
    """Yield path and mode of the folder of keys, and of each file and folder in it, if other users may change
    it, or may read it although it is secret.
    """
    for path in sorted({folder, *folder.rglob("*")}):
        yield from _find_too_open(path)


def open_secret_file(path: Path) -> Iterator[Facts]:
    """Yield path and mode of a file with a secret if other users may read or change it."""
    yield from _check_mode(path, OTHERS_MAY_NOTHING)


def _is_secret(path: Path) -> bool:
    """True if only its owner may read a file in the folder of keys; every file is secret unless it is known as public."""
    if path.name in _PUBLIC_FILES:
        return False
    if path.suffix not in _PUBLIC_SUFFIXES:
        return True
    return path.suffix == ".pem" and b"PRIVATE KEY" in read_key_file(path)


def _find_too_open(path: Path) -> Iterator[Facts]:
    try:
        if path.is_dir():
            yield from _check_mode(path, OTHERS_MAY_NOT_WRITE)
        elif path.is_file():
            secret = _is_secret(path)
            yield from _check_mode(path, OTHERS_MAY_NOTHING if secret else OTHERS_MAY_NOT_WRITE)
    except OSError as error:
        yield {"path": str(path), "mode": error.strerror or "unreadable"}


def _check_mode(path: Path, forbidden: int) -> Iterator[Facts]:
    mode = path.stat().st_mode & 0o777
    if mode & forbidden:
        yield {"path": str(path), "mode": f"{mode:04o}"}
