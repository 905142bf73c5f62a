"""Is anything drawn in some places of a document?  Answered by drawing them, in a process of its own.

The renderer is a large library written for browsers.  It gets what strangers made, so the process
(`drawing`) has bounds on its memory and time.  Whoever cannot be answered within them must take it
that there is something.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

WALL_SECONDS_MAX = 40  # until we stop waiting for the process, on a busy machine

_PROGRAM = str(Path(__file__).with_name("drawing.py"))


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
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            [sys.executable, "-I", _PROGRAM],
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
