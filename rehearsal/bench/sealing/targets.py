"""Targets, with the measured figures and whether they are met."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.sealing.measured import ALGORITHMS, Measured

PEER_RATIO_AIM = 20.0
RSA_LIMIT_AIM = 1.8
P256_LIMIT_AIM = 3.0
HASHING_AIM = 1.5  # sealing the biggest file / hashing it
SIZE_AIM = 1.5  # with the kept hash, the biggest file / the smallest: it has 150 times the bytes
VERIFY_SECONDS_AIM = 1.5e-3
MEMORY_BYTES_AIM = 70e6

_SMALL, _TABLE, _MEDIUM, _BIGGEST = 0, 1, 2, -1


@dataclass(frozen=True, slots=True)
class Target:
    """One row: the subject, the measured figure with its unit, the aim, and the side of the aim on which the figure must be."""

    what: str
    figure: float
    unit: str
    aim: float
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        """True if the figure is on the right side."""
        return self.figure >= self.aim if self.is_least else self.figure <= self.aim


def targets(found: Measured) -> Iterator[Target]:
    """Yield every target, in the order in which they were set."""
    for algorithm in ALGORITHMS:
        for number in (_SMALL, _MEDIUM):
            cell = found.cell(number, algorithm)
            what = f"tuned pyHanko / ours, whole file, {algorithm}, {cell.document.name}"
            yield Target(what, cell.ratio("tuned", "file"), "x", PEER_RATIO_AIM, is_least=True)
    for number in (_SMALL, _TABLE, _MEDIUM):
        cell = found.cell(number, "rsa2048")
        what = f"ours / limit, rsa2048, {cell.document.name}"
        yield Target(what, cell.ratio("seal", "limit"), "x", RSA_LIMIT_AIM)
    small = found.cell(_SMALL, "p256")
    what = f"ours / limit, p256, {small.document.name}"
    yield Target(what, small.ratio("seal", "limit"), "x", P256_LIMIT_AIM)
    for algorithm in ALGORITHMS:
        cell = found.cell(_BIGGEST, algorithm)
        what = f"ours / hashing it, {algorithm}, {cell.document.name}, last page"
        yield Target(what, cell.ratio("seal", "hash"), "x", HASHING_AIM)
    for algorithm in ALGORITHMS:
        kept = [found.cell(number, algorithm).seconds("kept") for number in (_SMALL, _BIGGEST)]
        what = f"hash kept, {algorithm}: {found.biggest.name} / {small.document.name}"
        yield Target(what, kept[1] / kept[0], "x", SIZE_AIM)
    for algorithm in ALGORITHMS:
        cell = found.cell(_SMALL, algorithm)
        what = f"checking, {algorithm}, {cell.document.name}"
        yield Target(what, cell.seconds("verify") * 1e3, "ms", VERIFY_SECONDS_AIM * 1e3)
    for work, taken in found.memories.items():
        what = f"memory, {work}, {found.biggest.name}"
        yield Target(what, taken.peak / 1e6, "MB", MEMORY_BYTES_AIM / 1e6)
