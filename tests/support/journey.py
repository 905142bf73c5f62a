"""The journey of a person with one document over a slow line: home, place, pay, order, download.

Each step is measured from the act of the person to the moment when the next act is possible. The time in which
the person thinks or the bank waits for the payment is not measured.
"""

import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import pikepdf
from playwright.sync_api import BrowserContext, FilePayload, expect

from tests.support.applicant import TO_PAY, Applicant
from tests.support.browser import WAIT_MS
from tests.support.instance import Instance
from tests.support.pdf import pdf
from tests.support.shaped_line import Counts, Shape, ShapedLine

# 7 MB at 400 kbit/s take 140 s.
LONG_MS = 300_000


def scan(size: int) -> bytes:
    """A document of about `size` octets that can hardly be compressed, like a scan."""
    document = pikepdf.open(io.BytesIO(pdf(words="Surat pernyataan")))
    document.Root.Scan = document.make_stream(os.urandom(size - 2_000))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Step:
    """Measurements of one step: taps of the person, seconds, octets each way, and requests."""

    name: str
    taps: int
    seconds: float
    up: int
    down: int
    requests: list[tuple[str, str]]

    @property
    def round_trips(self) -> int:
        """Number of sequential requests: all except those for static files and images, which are sent in parallel."""
        return sum("/static/" not in path and ".webp" not in path for _, path in self.requests)

    def limit(self, shape: Shape) -> float:
        """The least time in seconds that the line itself needs for the step. Both directions are used at once."""
        return shape.seconds(max(self.up, self.down), self.round_trips)


class Journey:
    """A person on the journey, with the measurements of each step."""

    def __init__(self, context: BrowserContext, instance: Instance, line: ShapedLine) -> None:
        context.set_default_timeout(WAIT_MS)
        self.line = line
        self.somebody = Applicant(context, instance)
        self.page = self.somebody.page
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("framenavigated", lambda frame: self._went(frame.url))
        self.steps: list[Step] = []
        self.pages: list[str] = []  # pages seen so far, one after the other
        self._begin()

    def _went(self, url: str) -> None:
        path = urlsplit(url).path
        if url.startswith("http") and self.pages[-1:] != [path]:
            self.pages.append(path)

    def _begin(self) -> None:
        counts = self.line.counts
        self._at, self._before = monotonic(), Counts(counts.up, counts.down)
        self._asked = len(counts.requests)

    def _ends(self, name: str, taps: int) -> None:
        counts = self.line.counts
        up, down = counts.up - self._before.up, counts.down - self._before.down
        took = monotonic() - self._at
        self.steps.append(Step(name, taps, took, up, down, counts.requests[self._asked :]))

    @property
    def taps(self) -> int:
        """Number of presses, typed fields and choices in the file dialog."""
        return sum(one.taps for one in self.steps)

    def opens(self) -> None:
        """Open the home page, where a file can be chosen."""
        self._begin()
        self.page.goto(self.line.url)
        expect(self.page.locator("#document")).to_be_visible()
        self._ends("home", 0)

    def chooses(self, content: bytes, timeout_ms: int = LONG_MS) -> None:
        """Choose a file, and wait until it was sent and checked and its page is shown with a stamp."""
        self._begin()
        file = FilePayload(name="Surat.pdf", mimeType="application/pdf", buffer=content)
        self.page.locator("#document").set_input_files([file])
        self.page.wait_for_url("**/stamp/place", timeout=timeout_ms)
        self._sees_the_page()
        self._ends("choose", 2)

    def _sees_the_page(self) -> None:
        picture = self.page.locator(".paper > img")
        expect(picture).to_be_visible()
        picture.evaluate("(one) => one.decode()")

    def places(self) -> None:
        """Accept the suggested place."""
        self._begin()
        self.somebody.presses("Pakai tempat ini")
        self.somebody.sees("Periksa dan bayar")
        self._ends("place", 1)

    def orders(self) -> None:
        """Enter an address, type the code, order, and wait for the QR."""
        self._begin()
        self.page.get_by_label("Alamat email").fill(self.somebody.email)
        self.somebody.presses("Kirim kode")
        expect(self.page.get_by_label("Kode enam angka")).to_be_focused()
        self._ends("address", 2)
        self._begin()
        self.somebody.types_the_code("/orders/*", "Masuk dan bayar Rp10.000 dengan QRIS")
        self.somebody.sees(TO_PAY)
        self._ends("order", 2)

    def pays(self) -> None:
        """Pay at the bank, and wait until the page shows by itself that the document is stamped."""
        self._begin()
        self.somebody.pays()
        self.somebody.sees("1 dokumen sudah bermeterai")
        self._ends("stamped", 0)

    def downloads(self, to: Path) -> bytes:
        """Download the stamped document."""
        self._begin()
        content = self.somebody.downloads("Unduh dokumen bermeterai", to)
        self._ends("download", 1)
        return content

    def first_paint(self) -> float:
        """Seconds from the start of navigation to the first paint of the current page."""
        told = self.page.evaluate("performance.getEntriesByName('first-paint')[0].startTime")
        return float(told) / 1000

    def lines(self, shape: Shape) -> list[str]:
        """A table of the steps."""
        head = (
            f"{'':10}{'taps':>5}{'seconds':>9}{'limit':>8}{'ratio':>7}{'up':>9}{'down':>9}  trips"
        )
        rows = [
            f"{one.name:10}{one.taps:5}{one.seconds:9.2f}{one.limit(shape):8.2f}"
            f"{one.seconds / one.limit(shape):7.2f}{one.up:9,}{one.down:9,}{one.round_trips:7}"
            for one in self.steps
        ]
        return [head, *rows]


def fetched_twice(counts: Counts) -> dict[str, int]:
    """Static files and images that were transferred more than once."""
    kept = re.compile(r"/static/|\.webp")
    return {path: n for path, n in counts.of("GET").items() if n > 1 and kept.search(path)}
