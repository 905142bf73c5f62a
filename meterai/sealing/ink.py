"""Is anything drawn in some places of a document?  Answered by drawing them, in a process of its own.

The renderer is a large library written for browsers.  It gets what strangers made, so it runs with
bounds on its memory and time: `python -m meterai.sealing.ink` reads the question from standard input.
Whoever cannot be answered within them must take it that there is something.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

import pypdfium2

MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024  # of the process; a page at this scale needs 30 MiB
CPU_SECONDS_MAX = 20
WALL_SECONDS_MAX = 40  # until we stop waiting for it, on a busy machine

_SCALE = 2.0  # pixels a point: thin lines and small print are seen
_PAPER = 250  # of 255: what is lighter is paper
_SIZE_TOLERANCE = 1.0  # units of the file; renderers round
_SPECKS_MAX = 8  # dark pixels at the edge of an area that are not counted as something drawn


class Area(NamedTuple):
    """A part of a page (`page` counts from 1), as fractions of what is seen of it.

    `page_width` and `page_height` are of the page as it is seen, in units of the file: the renderer
    knows no other, and must see the same page.
    """

    page: int
    left: float
    low: float
    right: float
    top: float
    page_width: float
    page_height: float


def find(document: bytes, pages: int, areas: Sequence[Area], password: bytes) -> list[bool]:
    """For each area, whether something is drawn there; all true if it cannot be said.

    It cannot if the renderer sees another number of `pages`, or pages of another size.
    """
    question = {"pages": pages, "areas": areas, "password": password.decode("latin-1")}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "meterai.sealing.ink"],
            input=json.dumps(question).encode() + b"\n" + document,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WALL_SECONDS_MAX,
            check=False,
        )
        answers = json.loads(done.stdout) if not done.returncode else []
    except (subprocess.TimeoutExpired, ValueError):
        answers = []
    return answers if len(answers) == len(areas) else [True] * len(areas)


def _is_inked(document: pypdfium2.PdfDocument, area: Area) -> bool:
    page = document[area.page - 1]
    width, height = page.get_size()
    if max(abs(width - area.page_width), abs(height - area.page_height)) > _SIZE_TOLERANCE:
        return True
    left, low = width * max(0.0, area.left), height * max(0.0, area.low)
    right, top = width * min(1.0, area.right), height * min(1.0, area.top)
    if left >= right or low >= top:
        return False
    picture = page.render(
        scale=_SCALE, crop=(left, low, width - right, height - top), grayscale=True
    )
    levels = bytes(picture.buffer)
    rows = [
        levels[start : start + picture.width]
        for start in range(0, picture.height * picture.stride, picture.stride)
    ]
    dark = sum(len(row) - len(row.translate(None, _DARK)) for row in rows)
    return dark > _SPECKS_MAX


_DARK = bytes(range(_PAPER))


def _serve() -> int:
    """The process: one line with the question, then the document; the answers in JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    line, _, content = sys.stdin.buffer.read().partition(b"\n")
    question = json.loads(line)
    document = pypdfium2.PdfDocument(content, password=question["password"] or None)
    document.init_forms()
    if len(document) != question["pages"]:
        return 1
    areas = [Area(*one) for one in question["areas"]]
    sys.stdout.write(json.dumps([_is_inked(document, area) for area in areas]))
    return 0


if __name__ == "__main__":
    sys.exit(_serve())
