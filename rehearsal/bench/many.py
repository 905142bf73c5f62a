"""Bench of many files checked at once: the wait of a committee, the memory of the web, and the effect on other visitors.

python -m bench.many [--short]

Three hundred letters as a committee receives them: most stamped, some changed, some signed after stamping, some without a
stamp. They are sent as one ZIP, as one form, and one by one, two at a time, as the script of the page sends them. Meanwhile
a client with an account reads a balance, ten times a second.
"""

import argparse
import io
import os
import re
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pikepdf
import psutil
import urllib3

from bench.machine import description
from meterai.sealing import development_issuer
from tests.support.attacks import Lab
from tests.support.instance import Client, Instance, until
from tests.support.pdf import pdf

SECONDS_AIM = 60.0
LETTER_BYTES = 400_000  # a scanned letter
STAMPED = 10  # distinct documents; the others repeat them under other names

Files = Sequence[tuple[str, bytes]]


def letter(number: int) -> bytes:
    """Return a letter with unique random bytes in place of a scan, which compress as little as scans do."""
    document = pikepdf.open(io.BytesIO(pdf(pages=2, words=f"Surat {number}")))
    document.Root.Scan = document.make_stream(os.urandom(LETTER_BYTES))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def stamped(instance: Instance) -> list[bytes]:
    """Return letters with stamps of this instance."""
    customer = instance.customer()
    order = customer.place(STAMPED)
    instance.bank.pay(order["payment"]["qr_content"])
    until("stamps are issued", lambda: customer.balance()["available"] == STAMPED)
    found = []
    for number in range(STAMPED):
        stamping = customer.stamp(letter(number)).json
        found.append(customer.get(stamping["document_url"]).body)
    verify = instance.anybody().verify
    until("all are genuine", lambda: all(verify(one)["verdict"] == "genuine" for one in found))
    return found


def letters(instance: Instance, folder: Path, count: int) -> tuple[Files, Counter[str]]:
    """Return letters as a committee receives them, and the expected number of rows of each class."""
    folder.mkdir()
    lab = Lab(development_issuer(folder / "issuer", at=datetime.now(UTC)), folder)
    good = stamped(instance)
    signed = [lab.signed(one) for one in good]
    changed = [one.replace(b"595", b"594", 1) for one in good]
    plain = [letter(number) for number in range(STAMPED)]
    kinds = [(good, "good")] * 7 + [(signed, "good"), (changed, "bad"), (plain, "unsure")]
    files, expected = [], Counter[str]()
    for number in range(count):
        documents, outcome = kinds[number % len(kinds)]
        files.append((f"{number:03} surat.pdf", documents[number // len(kinds) % STAMPED]))
        expected[outcome] += 1
    return files, expected


def sent(client: Client, files: Files) -> str:
    """Send all files as one form. Return the answer as text."""
    fields = [("document", (name, content, "application/pdf")) for name, content in files]
    body, kind = urllib3.encode_multipart_formdata(fields)
    headers = {"Content-Type": kind, "Accept": "text/html"}
    reply = client.post("/check/many/rows", body, headers=headers)
    assert reply.status == 200, reply.body
    return reply.body.decode()


def as_zip(client: Client, files: Files) -> str:
    """Send all files in one archive. Return the answer as text."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return sent(client, [("semua.zip", out.getvalue())])


def one_by_one(client: Client, files: Files) -> str:
    """Send each file by itself, two at a time. Return the answers as text."""
    with ThreadPoolExecutor(2) as two:
        return "".join(two.map(lambda one: sent(client, [one]), files))


WAYS: dict[str, Callable[[Client, Files], str]] = {
    "one ZIP": as_zip,
    "one form": sent,
    "one by one": one_by_one,
}


@dataclass
class Watch:
    """Observations during a check: the peak memory of the web, and the waits of a payer."""

    resident_max: int = 0
    seconds: list[float] | None = None


def _web() -> psutil.Process:
    for parent in psutil.Process().children():
        for one in parent.children():
            if one.cmdline()[-1] == "web":
                return one
    raise AssertionError("there is no web")


def _resident(web: psutil.Process) -> int:
    """Return the bytes of the web and its current tasks, any of which may end meanwhile."""
    total = 0
    for one in (web, *web.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total


@contextmanager
def watching(payer: Client) -> Iterator[Watch]:
    """Observe the web and a payer during the `with` block."""
    web, found, over = _web(), Watch(seconds=[]), threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            found.resident_max = max(found.resident_max, _resident(web))
            begun = time.perf_counter()
            payer.balance()
            assert found.seconds is not None
            found.seconds.append(time.perf_counter() - begun)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


def main() -> int:
    """Print the table; fail only for errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    count = 20 if parser.parse_args().short else 300
    print(description())
    with tempfile.TemporaryDirectory() as folder, Instance(Path(folder)) as instance:
        files, expected = letters(instance, Path(folder) / "lab", count)
        size = sum(len(content) for _, content in files)
        payer, anybody = instance.customer(), instance.anybody()
        print(f"{count} files, {size / 1e6:.0f} MB; aim: {SECONDS_AIM:.0f} s")
        print(
            f"{'':12}{'seconds':>9}{'files/s':>9}{'web MB':>8}{'payer ms, median':>18}{'most':>7}"
        )
        with watching(payer) as idle:
            time.sleep(2)
        _print("nothing", 2.0, 0, idle)
        for name, way in WAYS.items():
            with watching(payer) as seen:
                begun = time.perf_counter()
                rows = way(anybody, files)
                seconds = time.perf_counter() - begun
            _print(name, seconds, count, seen)
            got = Counter(re.findall(r'<tr class="(\w+)', rows))
            assert got == expected, (got, expected)
        instance.assert_audit_holds()
    print("every row as expected; every invariant holds")
    return 0


def _print(name: str, seconds: float, count: int, seen: Watch) -> None:
    waited = seen.seconds or [0.0]
    print(
        f"{name:12}{seconds:9.1f}{count / seconds:9.0f}{seen.resident_max / 1e6:8.0f}"
        f"{median(waited) * 1e3:18.1f}{max(waited) * 1e3:7.0f}"
    )


if __name__ == "__main__":
    sys.exit(main())
