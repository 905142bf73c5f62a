"""Bench of a batch of documents over the API: documents a second from the first byte to the last stamp, and the cost of
each part.

python -m bench.distribution.batch [--documents N]

It sends new documents of 100 KB in archives of the largest size of a request, then their rows, then starts the batch.
Database and object store are durable. For comparison a bare program examines, stores, reads, seals and verifies the same
documents without database and HTTP. Clock time depends on the load of this machine; the processor time of each part does
not.
"""

import argparse
import hashlib
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.machine import description, parts_of_instance
from bench.sealing.documents import generated
from bench.sealing.ours import Ours
from meterai.plumbing.objects import ObjectStore
from tests.support.batching import Batching, zipped
from tests.support.instance import Instance

DOCUMENT_BYTES, PAGES = 100_000, 4
PER_SECOND_AIM = 300
OF_ONE_ARCHIVE = 500
BARE = 200  # documents of the bare program
STAMPS_OF_ONE_ORDER = 1_000  # the most that QRIS can pay at once
_ID_LETTERS = 32  # of the identifier in the trailer, which makes each document unique
_PLACE = {"page": -1, "x": 20, "y": 20, "width": 70}


def documents(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield new documents, equal except for the identifier in their trailer."""
    example = generated(pages=PAGES, size=DOCUMENT_BYTES, is_packed=False)
    begin = example.index(b"<", example.rindex(b"/ID")) + 1
    head, tail = example[:begin], example[begin + _ID_LETTERS :]
    numbers = itertools.count(time.time_ns())
    for at in range(count):
        yield f"surat-{at:05}.pdf", b"%b%0*x%b" % (head, _ID_LETTERS, next(numbers), tail)


def _bare(folder: Path, documents: Sequence[bytes]) -> float:
    """Return the processor seconds for each document in the bare program (engine and object store only)."""
    ours, objects = Ours(folder / "issuer", "p256"), ObjectStore(folder, bytes(32))
    begun = time.process_time()
    for document in documents:
        ours.inspect(document)
        name = hashlib.sha256(document).hexdigest()
        objects.put_from_thread(name, document)
        kept = objects.get_from_thread(name)
        assert kept is not None
        ours.deliver(kept)
    return (time.process_time() - begun) / len(documents)


def _print(
    count: int,
    moments: tuple[float, float, float, float],
    spent: dict[str, float],
    cpu_sent: dict[str, float],
    bare: float,
) -> None:
    begun, sent, started, ended = moments
    cpu = sum(spent.values())
    print(f"{count:,} documents of {DOCUMENT_BYTES / 1000:.0f} KB by the API")
    print(f"  sent       {sent - begun:7.2f} s   {count / (sent - begun):7,.0f} a second")
    print(f"  rows, start{started - sent:7.2f} s")
    print(f"  stamped    {ended - started:7.2f} s   {count / (ended - started):7,.0f} a second")
    print(
        f"  in all     {ended - begun:7.2f} s   {count / (ended - begun):7,.0f} a second by the clock"
        f" (aim: {PER_SECOND_AIM})"
    )
    print("  processor time of one document, ms: of it while files were sent")
    for name, seconds in spent.items():
        print(f"    {name:10} {seconds / count * 1e3:6.2f} {cpu_sent[name] / count * 1e3:6.2f}")
    print(
        f"    in all     {cpu / count * 1e3:6.2f}: two processors that do nothing else give"
        f" {2 * count / cpu:,.0f} a second"
    )
    print(f"    bare engine and store {bare * 1e3:.2f}: {cpu / count / bare:.1f} times as much")


def main() -> int:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000)
    asked = parser.parse_args()
    count = asked.documents
    print(description())
    with tempfile.TemporaryDirectory() as folder, Instance(Path(folder)) as instance:
        customer = instance.customer()
        for _ in range(-(-count // STAMPS_OF_ONE_ORDER)):
            order = customer.place(STAMPS_OF_ONE_ORDER)
            instance.bank.pay(order["payment"]["qr_content"])
        while customer.balance()["available"] < count:
            time.sleep(0.1)
        files = list(documents(count))
        archives = [
            zipped(dict(files[at : at + OF_ONE_ARCHIVE])) for at in range(0, count, OF_ONE_ARCHIVE)
        ]
        rows: list[object] = [{"file": name, "placement": _PLACE} for name, _ in files]
        parts = parts_of_instance()
        before = {name: part.cpu() for name, part in parts.items()}
        begun = time.perf_counter()
        batch = Batching(customer)
        for archive in archives:
            reply = batch.send_zip(archive)
            assert reply.json["added"], reply.body
        sent = time.perf_counter()
        cpu_sent = {name: part.cpu() - before[name] for name, part in parts.items()}
        batch.rows(rows)
        assert batch.start().status == 200
        started = time.perf_counter()
        while (view := batch.now)["state"] != "finished":
            time.sleep(0.1)
        ended = time.perf_counter()
        assert view["rows"]["delivered"] == count, view
        spent = {name: part.cpu() - before[name] for name, part in parts.items()}
        instance.assert_audit_holds()
    with tempfile.TemporaryDirectory() as folder:
        bare = _bare(Path(folder), [content for _, content in files[:BARE]])
    _print(count, (begun, sent, started, ended), spent, cpu_sent, bare)
    return 0


if __name__ == "__main__":
    sys.exit(main())
