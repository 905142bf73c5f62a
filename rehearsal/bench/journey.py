"""Waits of a person with a phone on a slow connection: first paint, home to stamped, an interrupted large upload.

python -m bench.journey [--short]

A real Chromium uses a connection of 400 kbit/s each way and 400 ms round trip, with TLS. Beside each figure the bench
prints the minimum that the connection itself needs for the octets and round trips of that run.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.machine import description
from tests.support.applicant import PHONE
from tests.support.browser import launched
from tests.support.instance import Instance
from tests.support.journey import Journey, fetched_twice, scan
from tests.support.shaped_line import POOR, QUICK, Shape, ShapedLine

LETTER_BYTES = 444_000
LARGE_BYTES = 7_000_000
FIRST_PAINT_AIM = 1.5
STAMPED_AIM = 25.0
SENT_TWICE_MAX = 512 * 1024  # for each interruption
OPENED = 5  # measurements of the front page
BEFORE_PAINT = 2  # round trips: TLS, and the page with its style


@contextmanager
def journey(instance: Instance, shape: Shape, cuts: Sequence[int] = ()) -> Iterator[Journey]:
    """Yield the journey of a new person, with their own browser and connection."""
    with ShapedLine(instance.url, shape, cuts) as line, launched(line.argument) as browser:
        context = browser.new_context(viewport=PHONE, locale="id-ID", accept_downloads=True)
        yield Journey(context, instance, line)


def first_paints(instance: Instance, shape: Shape, times: int) -> str:
    """Measure the first paint of home in new browsers."""
    found, limits = [], []
    for _ in range(times):
        with journey(instance, shape) as somebody:
            somebody.opens()
            found.append(somebody.first_paint())
            (home,) = somebody.steps
            limits.append(shape.seconds(home.down, BEFORE_PAINT))
    return (
        f"first paint of home: {median(found):.2f} s ({min(found):.2f}-{max(found):.2f}); "
        f"{BEFORE_PAINT} round trips and all its octets: {median(limits):.2f} s, "
        f"ratio {median(found) / median(limits):.2f}  (aim: {FIRST_PAINT_AIM} s or less)"
    )


def whole_way(instance: Instance, shape: Shape, folder: Path) -> Iterator[str]:
    """Measure from home to stamped, and the download of the document."""
    with journey(instance, shape) as somebody:
        document = scan(LETTER_BYTES)
        somebody.opens()
        somebody.chooses(document)
        somebody.places()
        somebody.orders()
        somebody.pays()
        assert somebody.downloads(folder / "stamped.pdf").startswith(document)
        yield from somebody.lines(shape)
        took = sum(one.seconds for one in somebody.steps if one.name != "download")
        limit = sum(one.limit(shape) for one in somebody.steps if one.name != "download")
        yield (
            f"home to stamped, {len(document):,} bytes: {took:.1f} s of machine time, ratio "
            f"{took / limit:.2f}  (aim: {STAMPED_AIM:.0f} s or less); {len(somebody.pages)} pages, "
            f"{somebody.taps} taps with the download; fetched twice: {fetched_twice(somebody.line.counts) or 'nothing'}"
        )


def cut_upload(instance: Instance, shape: Shape, size: int) -> str:
    """Measure a large file whose connection breaks after 25 s, after 60 s, and in its last part."""
    octets = shape.bits_per_second / 8
    cuts = [int(25 * octets), int(60 * octets)] if shape is POOR else [size // 5, size // 2]
    document = scan(size)
    with journey(instance, shape, [*cuts, len(document) - 50_000]) as somebody:
        somebody.opens()
        somebody.chooses(document)
        (_, upload) = somebody.steps
    again = upload.up - len(document)
    is_little = again <= 3 * SENT_TWICE_MAX
    return (
        f"{len(document):,} bytes cut three times: {upload.seconds:.0f} s, ratio "
        f"{upload.seconds / upload.limit(shape):.2f}; {again:,} bytes more than the file went up "
        f"({'at most' if is_little else 'MORE THAN'} 512 KB for each cut)"
    )


def main() -> int:
    """Print everything. Return 1 for a broken audit."""
    parser = argparse.ArgumentParser(prog="python -m bench.journey")
    parser.add_argument("--short", action="store_true", help="only see that everything runs")
    is_short = parser.parse_args().short
    shape = QUICK if is_short else POOR
    print(f"meterai bench: {description()}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder,
        Instance(Path(folder)) as instance,
    ):
        print(first_paints(instance, shape, 1 if is_short else OPENED), flush=True)
        for line in whole_way(instance, shape, Path(folder)):
            print(line, flush=True)
        print(cut_upload(instance, shape, 1_000_000 if is_short else LARGE_BYTES), flush=True)
        instance.assert_audit_holds()
    print("every invariant holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
