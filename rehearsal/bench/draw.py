"""Bench of checking a random draw of eight million entries, by the published script and by the product.

    python -m bench.draw [ENTRIES]

The two checks run one after the other, each in its own process; memory is the peak of the process.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from meterai.draw.protocol import steps
from meterai.draw.protocol.chain import BeaconChain
from meterai.draw.protocol.entries import lines_of, new_entry, read_lines
from meterai.draw.protocol.merkle import root_of
from meterai.draw.protocol.order import drawn
from meterai.draw.protocol.record import read, write
from meterai.draw.protocol.rules import announcement_of, round_time
from meterai.draw.protocol.verification import DrawQuestion, Judgement, examine, judge
from standins import drand
from standins.drand import signature_of

SCRIPT = Path(__file__).parents[2] / "docs" / "draw" / "verify_draw.py"
ENTRIES = 8_000_000
PIECE_BYTES = 1 << 20
GENESIS = 1_800_000_000


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory(prefix="meterai-draw-") as name:
        folder = Path(name)
        files = (folder / "draw.json", folder / "entries.txt")
        began = time.perf_counter()
        _make(count, *files)
        print(f"{count:,} entries made, closed and drawn in {time.perf_counter() - began:.1f} s")
        print(f"the list: {files[1].stat().st_size / 1e6:,.0f} MB")
        _measure("a stranger's script", [sys.executable, "-I", str(SCRIPT), *map(str, files)])
        _measure("our own", [sys.executable, "-m", "bench.draw", "check", *map(str, files)])


class _Operator:
    """A signer with a key for this run."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def _make(count: int, record_file: Path, list_file: Path) -> None:
    entries = sorted({new_entry() for _ in range(count)})
    told = drand.Chain(GENESIS, period=30)
    chain = BeaconChain(told.beacon, told.period, told.genesis_time, "00" * 32, told.public_key)
    closes_at = chain.genesis_time + 3_600
    plan = announcement_of("bench", closes_at, closes_at + 300, chain=chain)
    signer = _Operator()
    record = steps.announce(plan, closes_at - 1, signer)
    record = steps.close(record, root_of(entries), len(entries), closes_at + 1, signer)
    signature = signature_of(plan.round)
    order, _ = drawn(entries, steps.seed_from(record, signature))
    record = steps.finish(record, order, signature, round_time(plan), signer)
    record_file.write_bytes(write(record))
    with list_file.open("wb") as file:
        file.writelines(lines_of(entries))


def _measure(what: str, words: Sequence[str]) -> None:
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read().strip()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    print(
        f"{what}: {seconds:.1f} s, {used.ru_maxrss / 1024:,.0f} MB, status {status}: {said[:100]}"
    )


def check(record_file: Path, list_file: Path) -> None:
    with list_file.open("rb") as file:
        entries = read_lines(iter(lambda: file.read(PIECE_BYTES), b""))
    record = read(record_file.read_bytes())
    findings = list(
        examine(
            record, DrawQuestion(entries=entries, chain_hash=drand.Chain(GENESIS, period=30).hash)
        )
    )
    print(judge(findings), len(findings), "findings")
    assert judge([one for one in findings if "true" in one.found]) is Judgement.HOLDS


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
