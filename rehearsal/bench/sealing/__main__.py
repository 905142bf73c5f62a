"""Measure and print the tables; slowness is no failure.

python -m bench.sealing [--rounds 7]
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from bench.machine import description
from bench.sealing.documents import Document, documents
from bench.sealing.measured import Cell, Measured, measure
from bench.sealing.targets import targets

ROUNDS = 7
_SEALING = "{:20}{:>9}{:>9}{:>9}{:>7}{:>9}{:>9}{:>7}{:>9}{:>8}{:>8}{:>9}{:>8}"
_CHECKING = "{:20}{:>9}{:>9}{:>9}{:>9}{:>12}{:>9}{:>7}{:>9}"


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f}"


def _sealing(cell: Cell) -> str:
    spent = cell.seconds
    return _SEALING.format(
        cell.document.name,
        cell.algorithm,
        _micro(spent("seal")),
        _micro(spent("limit")),
        f"{cell.ratio('seal', 'limit'):.2f}",
        _micro(spent("kept")),
        _micro(spent("kept limit")),
        f"{cell.ratio('kept', 'kept limit'):.2f}",
        _micro(spent("file")),
        f"{spent('tuned') * 1e3:.1f}",
        f"{cell.ratio('tuned', 'file'):.1f}",
        f"{spent('normal') * 1e3:.1f}",
        f"{cell.ratio('normal', 'file'):.0f}",
    )


def _checking(cell: Cell) -> str:
    spent = cell.seconds
    return _CHECKING.format(
        cell.document.name,
        cell.algorithm,
        _micro(spent("inspect")),
        _micro(spent("take in")),
        _micro(spent("several")),
        _micro(spent("verify")),
        _micro(spent("verify limit")),
        f"{cell.ratio('verify', 'verify limit'):.2f}",
        _micro(spent("deliver")),
    )


def _tables(found: Measured) -> Iterator[str]:
    yield "sealing, one stamp on the last page; µs, pyHanko ms"
    yield _SEALING.format("", "", *("seal", "limit", "ratio", "kept", "limit", "ratio"), "file",
                          *("tuned", "ratio", "normal", "ratio"))  # fmt: skip
    yield from map(_sealing, found.cells)
    yield ""
    yield "asking, five stamps with one seal, and checking; µs"
    yield _CHECKING.format(
        "", "", "inspect", "take in", "five", "verify", "limit", "ratio", "deliver"
    )
    yield from map(_checking, found.cells)
    yield ""
    yield "the parts of the limit: " + ", ".join(
        f"{name} {spent * 1e6:,.1f} µs" for name, spent in found.parts.items()
    )
    for work, taken in found.memories.items():
        yield (
            f"memory, {work}, {found.biggest.name}: {taken.peak / 1e6:.0f} MB at most, "
            f"{taken.imported / 1e6:.0f} MB of it when everything was imported"
        )


def _aims(found: Measured) -> Iterator[str]:
    for one in targets(found):
        side = "at least" if one.is_least else "at most"
        met = "met" if one.is_met else "NOT MET"
        yield f"{one.what:66}{one.figure:8.2f} {one.unit:3}{side} {one.aim:g}  {met}"


def _words() -> Iterator[str]:
    yield "seal: the delta; kept: with the hash state of the upload; file: original and delta, what"
    yield f"pyHanko {version('pyhanko')} makes.  limit: seal key, Ed25519, SHA-256, one QR code."
    yield "tuned: key kept parsed, drawing ready, size known, in place; normal: SimpleSigner reused."
    yield "deliver: as kept, and verified before it is handed out."


def main() -> None:
    """Print everything."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each work")
    rounds = max(arguments.parse_args().rounds, 1)
    begun, chosen = time.perf_counter(), documents()
    print(f"meterai bench-sealing: {description()}; medians of {rounds} rounds", flush=True)
    for line in _words():
        print(line)
    print(_sources(chosen), flush=True)
    with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
        found = measure(chosen, Path(folder), rounds)
    for line in ("", *_tables(found), "", *_aims(found)):
        print(line)
    print(f"took {time.perf_counter() - begun:.0f} s")


def _sources(chosen: list[Document]) -> str:
    made = [one.name for one in chosen if not one.is_real]
    return f"generated, for want of the corpus: {'; '.join(made)}" if made else "real documents"


if __name__ == "__main__":
    main()
