"""Bench of checks: documents checked by one call, compared with the same documents checked one by one in the same run.

python -m bench.distribution.checks [--short]

Figures are processor seconds of the web and the database for each document or line, from alternating rounds, so that
other work on the machine changes them little.
"""

import argparse
import io
import json
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pikepdf
import urllib3

from bench.machine import description, parts_of_instance
from tests.flows.test_claims import scanned
from tests.support.instance import Client, Instance, until
from tests.support.pdf import pdf

AIM_PER_CORE = 300  # documents a second
DOCUMENT_BYTES = 100_000
STAMPED = 10  # distinct documents; the others repeat them under other names
PATH = "/v1/verifications/batch"
LINES = "application/x-ndjson"
Documents = Sequence[bytes]


def letter(number: int) -> bytes:
    """Return a letter with unique random bytes in place of a scan, which compress as little as scans do."""
    document = pikepdf.open(io.BytesIO(pdf(words=f"Surat {number}")))
    document.Root.Scan = document.make_stream(os.urandom(DOCUMENT_BYTES))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def stamped(instance: Instance) -> tuple[Documents, str, str]:
    """Return letters stamped by this instance, and the serial and the QR code of one of the stamps."""
    customer = instance.customer()
    order = customer.place(STAMPED)
    instance.bank.pay(order["payment"]["qr_content"])
    until("stamps are issued", lambda: customer.balance()["available"] == STAMPED)
    found, serial = [], ""
    for number in range(STAMPED):
        stamping = customer.stamp(letter(number)).json
        serial = stamping["serials"][0]
        found.append(customer.get(stamping["document_url"]).body)
    verify = instance.anybody().verify
    until("all are genuine", lambda: all(verify(one)["verdict"] == "genuine" for one in found))
    return found, serial, scanned(found[-1])


@dataclass(slots=True)
class Way:
    """One way to check `count` documents or lines, and for each round the processor seconds per document or
    line.
    """

    name: str
    count: int
    act: Callable[[], None]
    each: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)

    def measure(self, cpu: Callable[[], float]) -> None:
        """Run one round and record its processor seconds."""
        before, begun = cpu(), time.perf_counter()
        self.act()
        self.clock.append((time.perf_counter() - begun) / self.count)
        self.each.append((cpu() - before) / self.count)


def _rows(client: Client, body: bytes, kind: str, verdicts: set[str], count: int) -> None:
    reply = client.post(PATH, body, headers={"Content-Type": kind, "Accept": LINES})
    found = [json.loads(line)["verdict"] for line in reply.body.splitlines()]
    assert (len(found), set(found)) == (count, verdicts), reply.body[:1000]


def ways(client: Client, documents: Documents, serial: str, code: str, count: int) -> list[Way]:
    """Return every way to check."""
    files = [(f"{number}.pdf", documents[number % STAMPED]) for number in range(count)]

    def one_by_one() -> None:
        for _, content in files:
            assert client.verify(content)["verdict"] == "genuine"

    form, kind = urllib3.encode_multipart_formdata([("document", one) for one in files])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)

    def lines(line: dict[str, str], verdict: str) -> Callable[[], None]:
        body = b"\n".join([json.dumps(line).encode()] * (count * 10))
        return lambda: _rows(client, body, LINES, {verdict}, count * 10)

    good = {"genuine"}
    return [
        Way("one by one", count, one_by_one),
        Way("one form", count, lambda: _rows(client, form, kind, good, count)),
        Way(
            "one ZIP",
            count,
            lambda: _rows(client, packed.getvalue(), "application/zip", good, count),
        ),
        Way("lines: serials", count * 10, lines({"serial": serial}, "affixed")),
        Way("lines: codes", count * 10, lines({"claim": code}, "holds")),
    ]


def main() -> None:
    """Measure and print; fails only for errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    is_short = parser.parse_args().short
    count, rounds = (20, 1) if is_short else (100, 7)
    with tempfile.TemporaryDirectory() as folder, Instance(Path(folder)) as instance:
        given = stamped(instance)
        parts = parts_of_instance()
        measured = ways(instance.anybody(), *given, count)
        for way in measured:
            way.act()  # warm-up
        for _ in range(rounds):
            for way in measured:
                way.measure(lambda: parts["web"].cpu() + parts["postgres"].cpu())
    sys.stdout.write(
        f"{description()}; {count} documents of {DOCUMENT_BYTES:,} bytes, {rounds} rounds\n"
    )
    single = median(measured[0].each)
    for way in measured:
        each = median(way.each)
        sys.stdout.write(
            f"{way.name:16}{each * 1e3:8.2f} ms of a processor each ({min(way.each) * 1e3:.2f}-"
            f"{max(way.each) * 1e3:.2f}){1 / each:8,.0f}/s per core{each / single:8.2f} of one by one"
            f"{1 / median(way.clock):8,.0f}/s by the clock\n"
        )
    sys.stdout.write(f"aim: {AIM_PER_CORE} documents a second per core\n")


if __name__ == "__main__":
    main()
