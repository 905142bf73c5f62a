"""Mending a broken document before it is stamped, and only one that nobody has signed.

qpdf reads what viewers read: wrong pointers, missing tables, junk before the header, cut tails.
What it writes is a new file, so every earlier signature would be lost; a document that bears one
is refused instead.  The same bytes are always mended to the same bytes.

The library was written for files that mean well, so it works in a process of its own (`mending`),
with bounds on its memory and time.
"""

import re
import subprocess
import sys
from pathlib import Path

from meterai.sealing.model import (
    DOCUMENT_BYTES_MAX,
    DocumentBroken,
    DocumentEncrypted,
    DocumentTooLarge,
)

WALL_SECONDS_MAX = 30  # until we stop waiting for the process, on a busy machine

_PROGRAM = str(Path(__file__).with_name("mending.py"))
_ENCRYPTED = 3  # its exit status where a password is needed
# What a signature dictionary has in it; a broken one may lack any of these.
_SIGNED = re.compile(rb"/ByteRange\s*\[|/Adobe\.PPKLite\b|/SubFilter\s*/(?:adbe|ETSI)\.")


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
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            [sys.executable, "-I", _PROGRAM],
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
