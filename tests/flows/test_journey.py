"""The cost of an applicant's journey: pages, taps, octets, requests, and the cost of a lost connection.

Its duration is measured by `python -m bench.journey`. No test depends on time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from meterai.drafts.model import PART_BYTES_MAX
from tests.support.applicant import PHONE
from tests.support.browser import CHROMIUM, launched
from tests.support.instance import Instance
from tests.support.journey import Journey, fetched_twice, scan
from tests.support.shaped_line import QUICK, ShapedLine

PAGES = ["/", "/stamp/place", "/stamp/pay"]  # and the page of the order
TAPS_MAX = 9
LETTER_BYTES = 444_000
# TLS, headers and cookies of all requests from home to the stamped document
OVERHEAD_UP_MAX = 64 * 1024
DOWN_BYTES_MAX = 128 * 1024  # pages, style, scripts, the image of a page
ROUND_TRIPS_MAX = 16
# The part under way and the part whose answer was lost, each with its TLS and headers.
AGAIN_PER_CUT_MAX = 2 * PART_BYTES_MAX + 16 * 1024
LARGE_BYTES = 2_500_000

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


@contextmanager
def somebody(instance: Instance, *cuts: int) -> Iterator[Journey]:
    with ShapedLine(instance.url, QUICK, cuts) as line, launched(line.argument) as browser:
        context = browser.new_context(viewport=PHONE, locale="id-ID", accept_downloads=True)
        yield Journey(context, instance, line)


def test_journey_takes_four_pages_and_nine_taps(instance: Instance, tmp_path: Path) -> None:
    with somebody(instance) as one:
        document = scan(LETTER_BYTES)
        one.opens()
        one.chooses(document)
        one.places()
        one.orders()
        one.pays()
        stamped = one.steps.copy()
        assert one.downloads(tmp_path / "stamped.pdf").startswith(document)
        print("\n".join(one.lines(QUICK)))
        assert one.pages[:-1] == PAGES
        assert one.pages[-1].startswith("/orders/")
        assert one.taps <= TAPS_MAX
        assert sum(step.up for step in stamped) <= len(document) + OVERHEAD_UP_MAX
        assert sum(step.down for step in stamped) <= DOWN_BYTES_MAX
        assert sum(step.round_trips for step in stamped) <= ROUND_TRIPS_MAX
        assert fetched_twice(one.line.counts) == {}
        assert one.somebody.complaints == []


def test_large_upload_survives_three_cuts_with_few_bytes_sent_twice(
    instance: Instance,
) -> None:
    document = scan(LARGE_BYTES)
    cuts = (LARGE_BYTES // 4, LARGE_BYTES // 2, LARGE_BYTES - PART_BYTES_MAX // 4)
    with somebody(instance, *cuts) as one:
        one.opens()
        one.chooses(document)
        _, upload = one.steps
        assert upload.up - len(document) <= len(cuts) * AGAIN_PER_CUT_MAX
        # Every cut interrupted something, and the upload resumed from the stored offset.
        assert one.line.counts.of("GET")["/stamp"] <= len(cuts)
        assert sum(count for path, count in one.line.counts.of("POST").items()) == 1
