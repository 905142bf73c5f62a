"""The process that mends: a broken PDF from standard input, the mended one to standard output.

Run as a file of its own by `repair`, so that it loads qpdf and nothing else.  Its exit status says
what came of it.
"""

import logging
import resource
import sys
from io import BytesIO

import pikepdf

PAGES_MAX = 20_000  # of a document worth mending; each costs qpdf some microseconds
MEMORY_BYTES_MAX = 1024 * 1024 * 1024  # a document of 20 MiB needs 200 MiB
CPU_SECONDS_MAX = 10  # a document of 20 MiB needs one

ENCRYPTED, BROKEN = 3, 4  # exit statuses


def mend(document: bytes) -> bytes | int:
    """What a viewer shows of the document, written anew; or the exit status that says why not."""
    out = BytesIO()
    try:
        with pikepdf.open(BytesIO(document), suppress_warnings=True) as opened:
            if opened.is_encrypted:
                return ENCRYPTED  # mending would take the protection off
            # Counting the pages makes qpdf mend their tree as well.
            if not 0 < len(opened.pages) <= PAGES_MAX:
                return BROKEN
            opened.save(
                out,
                deterministic_id=True,
                object_stream_mode=pikepdf.ObjectStreamMode.disable,
                fix_metadata_version=False,
            )
    except pikepdf.PasswordError:
        return ENCRYPTED
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, MemoryError):
        return BROKEN
    return out.getvalue()


def _serve() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    # The library would report in its log what the exit status says.
    logging.disable(logging.CRITICAL)
    mended = mend(sys.stdin.buffer.read())
    if isinstance(mended, int):
        return mended
    sys.stdout.buffer.write(mended)
    return 0


if __name__ == "__main__":
    sys.exit(_serve())
