"""The whole way of somebody with one document over a shaped line: home, place, pay, order, download.

Each step is measured from what the person does to what the person can do next; what the person takes
to think, and the bank to be paid, is nobody's to make shorter here.
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
    """A document of about so many octets, which compresses as little as scans do."""
    document = pikepdf.open(io.BytesIO(pdf(words="Surat pernyataan")))
    document.Root.Scan = document.make_stream(os.urandom(size - 2_000))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Step:
    """What one step took: taps of the person, seconds, octets each way, and requests."""

    name: str
    taps: int
    seconds: float
    up: int
    down: int
    requests: list[tuple[str, str]]

    @property
    def round_trips(self) -> int:
        """Requests that wait for one another: all but files of pages and pictures, which come together."""
        return sum("/static/" not in path and ".webp" not in path for _, path in self.requests)

    def limit(self, shape: Shape) -> float:
        """The least that the line itself takes for it; both ways carry at once."""
        return shape.seconds(max(self.up, self.down), self.round_trips)


class Journey:
    """Somebody who goes that way, and each step of it."""

    def __init__(self, context: BrowserContext, instance: Instance, line: ShapedLine) -> None:
        context.set_default_timeout(WAIT_MS)
        self.line = line
        self.somebody = Applicant(context, instance)
        self.page = self.somebody.page
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("framenavigated", lambda frame: self._went(frame.url))
        self.steps: list[Step] = []
        self.pages: list[str] = []  # one after the other, each once while it stays
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
        """Each press, each field that is typed into, and in the list of the device the file itself."""
        return sum(one.taps for one in self.steps)

    def opens(self) -> None:
        """Open home; one can choose a file."""
        self._begin()
        self.page.goto(self.line.url)
        expect(self.page.locator("#document")).to_be_visible()
        self._ends("home", 0)

    def chooses(self, content: bytes, timeout_ms: int = LONG_MS) -> None:
        """Choose a file; it is sent and checked, and its page is seen with a stamp on it."""
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
        """Use the place that is suggested."""
        self._begin()
        self.somebody.presses("Pakai tempat ini")
        self.somebody.sees("Periksa dan bayar")
        self._ends("place", 1)

    def orders(self) -> None:
        """Give an address, type the code, and order; the QR is seen."""
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
        """Pay at the bank; the page says by itself that the document is stamped."""
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
        """Seconds from the beginning of the page that is shown to its first paint."""
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
    """Files and pictures of pages that came over the line more than once."""
    kept = re.compile(r"/static/|\.webp")
    return {path: n for path, n in counts.of("GET").items() if n > 1 and kept.search(path)}
