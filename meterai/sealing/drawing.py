"""The process that draws: says whether something is drawn in some areas of a PDF.

Standard input is one line of JSON, then the document; the answers go to standard output in JSON.
Run as a file of its own by `ink`, so that it loads the renderer and nothing else.
"""

import json
import resource
import sys

import pypdfium2

MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024  # a page at this scale needs 30 MiB
CPU_SECONDS_MAX = 20

_SCALE = 2.0  # pixels a point: thin lines and small print are seen
_PAPER = 250  # of 255: what is lighter is paper
_SIZE_TOLERANCE = 1.0  # units of the file; renderers round
_SPECKS_MAX = 8  # dark pixels at the edge of an area that are not counted as something drawn
_DARK = bytes(range(_PAPER))


def is_inked(document: pypdfium2.PdfDocument, area: list[float]) -> bool:
    """True if something is drawn in the area: the fields of `ink.Area`, in their order."""
    number, left, low, right, top, page_width, page_height = area
    page = document[int(number) - 1]
    width, height = page.get_size()
    if max(abs(width - page_width), abs(height - page_height)) > _SIZE_TOLERANCE:
        return True
    left, low = width * max(0.0, left), height * max(0.0, low)
    right, top = width * min(1.0, right), height * min(1.0, top)
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


def _serve() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    line, _, content = sys.stdin.buffer.read().partition(b"\n")
    question = json.loads(line)
    document = pypdfium2.PdfDocument(content, password=question["password"] or None)
    document.init_forms()
    if len(document) != question["pages"]:
        return 1
    sys.stdout.write(json.dumps([is_inked(document, area) for area in question["areas"]]))
    return 0


if __name__ == "__main__":
    sys.exit(_serve())
