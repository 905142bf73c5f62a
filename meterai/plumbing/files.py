"""Read files that an operator names, up to a bound, and only regular files."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

SETTINGS_BYTES_MAX = 1024 * 1024  # the largest we ever saw has some 2 KiB
KEY_BYTES_MAX = 256 * 1024  # a key has some 2 KiB, a chain of certificates some 10


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """A regular file, to be read.  Raises `OSError` where there is none.

    A pipe, a socket or a device may never end, and opening it may never return.
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
    """The whole content.  Raises `OSError` where it is no regular file, or larger than the bound."""
    with open_file(path) as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise OSError(errno.EFBIG, f"More than {bytes_max} bytes", str(path))
    return content


def read_settings_file(path: Path) -> str:
    """A file with settings, as text.  Raises `OSError`, `UnicodeDecodeError`."""
    return read_file(path, SETTINGS_BYTES_MAX).decode()


def read_key_file(path: Path) -> bytes:
    """A file with a key or certificates.  Raises `OSError`."""
    return read_file(path, KEY_BYTES_MAX)
