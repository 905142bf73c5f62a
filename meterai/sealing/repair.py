"""Mending a broken document before it is stamped, and only one that nobody has signed.

qpdf reads what viewers read: wrong pointers, missing tables, junk before the header, cut tails.
What it writes is a new file, so every earlier signature would be lost; a document that bears one
is refused instead.  The same bytes are always mended to the same bytes.

The library was written for files that mean well, so it works in a process of its own, with bounds
on its memory and time: `python -m meterai.sealing.repair` reads the broken document from standard
input and writes the mended one to standard output.
"""

import logging
import re
import resource
import subprocess
import sys
from io import BytesIO

import pikepdf

from meterai.sealing.model import (
    DOCUMENT_BYTES_MAX,
    DocumentBroken,
    DocumentEncrypted,
    DocumentTooLarge,
)

PAGES_MAX = 20_000  # of a document worth mending; each costs qpdf some microseconds
MEMORY_BYTES_MAX = 1024 * 1024 * 1024  # of the process; a document of 20 MiB needs 200 MiB
CPU_SECONDS_MAX = 10  # of the process; a document of 20 MiB needs one
WALL_SECONDS_MAX = 30  # until we stop waiting for it, on a busy machine

_SIGNED = re.compile(rb"/ByteRange\s*\[")

_ENCRYPTED = 3  # exit status of the process: a password is needed
_BROKEN = 4  # it cannot be mended


def repair(document: bytes) -> bytes:
    """A document that can be stamped, with the pages a viewer shows of the broken one.

    Refuses with `DocumentBroken` what qpdf cannot read either, or not within its bounds, and what
    has a signature; with `DocumentEncrypted` what is encrypted.
    """
    if len(document) > DOCUMENT_BYTES_MAX:
        raise DocumentTooLarge(size_bytes=len(document), limit_bytes=DOCUMENT_BYTES_MAX)
    if _SIGNED.search(document):
        raise DocumentBroken("broken, and signed: mending it would cost the signature")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "meterai.sealing.repair"],
            input=document,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WALL_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as cause:
        raise DocumentBroken("mending the document takes too long") from cause
    if done.returncode == _ENCRYPTED:
        raise DocumentEncrypted("the broken document is encrypted")
    if done.returncode or not 0 < len(done.stdout) <= DOCUMENT_BYTES_MAX:
        raise DocumentBroken("the document cannot be mended")
    return done.stdout


def _mend(document: bytes) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(document), suppress_warnings=True) as opened:
        if opened.is_encrypted:
            raise DocumentEncrypted("mending would take the protection off")
        # Counting the pages makes qpdf mend their tree as well.
        if not 0 < len(opened.pages) <= PAGES_MAX:
            raise DocumentBroken("no pages, or too many, can be found")
        opened.save(
            out,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            fix_metadata_version=False,
        )
    return out.getvalue()


def _serve() -> int:
    """The process: mend what comes in, within bounds; the exit status says what came of it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    # The library would report in its log what the exit status says.
    logging.disable(logging.CRITICAL)
    try:
        sys.stdout.buffer.write(_mend(sys.stdin.buffer.read()))
    except (DocumentEncrypted, pikepdf.PasswordError):
        return _ENCRYPTED
    except (DocumentBroken, pikepdf.PdfError, RuntimeError, ValueError, TypeError, MemoryError):
        return _BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(_serve())
