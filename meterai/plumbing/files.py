"""Reading of files that an operator names: only regular files, and up to a bound."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

SETTINGS_BYTES_MAX = 1024 * 1024  # the largest settings file we ever saw has some 2 KiB
KEY_BYTES_MAX = 256 * 1024  # a key has some 2 KiB, a certificate chain some 10 KiB


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading. Raises `OSError` if there is none.

    A pipe, a socket or a device is not opened: it may never end, and opening it may never return.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read_file(path: Path, bytes_max: int) -> bytes:
    """Return the content of a file. Raises `OSError` if it is no regular file or has more than `bytes_max` bytes."""
    with open_file(path) as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise OSError(errno.EFBIG, f"More than {bytes_max} bytes", str(path))
    return content


def read_settings_file(path: Path) -> str:
    """Return a settings file as text. Raises `OSError`, `UnicodeDecodeError`."""
    return read_file(path, SETTINGS_BYTES_MAX).decode()


def read_key_file(path: Path) -> bytes:
    """Return the content of a file with a key or certificates. Raises `OSError`."""
    return read_file(path, KEY_BYTES_MAX)
