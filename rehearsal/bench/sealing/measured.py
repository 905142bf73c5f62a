"""Measurements of all tables, in one process."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench.sealing.documents import Document
from bench.sealing.limit import Limit
from bench.sealing.memory import Memory, memory
from bench.sealing.ours import SEVERAL, Ours, hashed
from bench.sealing.peers import Peers
from bench.sealing.rounds import Work, in_turns
from meterai.sealing.signing.requests import Algorithm

ALGORITHMS: tuple[Algorithm, ...] = ("rsa2048", "p256")


@dataclass(frozen=True, slots=True)
class Cell:
    """Measurements of one document and one algorithm: the processor seconds of each kind of work, by name, in each round."""

    document: Document
    algorithm: Algorithm
    turns: dict[str, list[float]]

    def seconds(self, work: str) -> float:
        """Return the median of a kind of work over the rounds, in processor seconds."""
        return median(self.turns[work])

    def ratio(self, work: str, by: str) -> float:
        """Return the ratio of two kinds of work: the median over rounds, since a slow phase of the machine affects both."""
        pairs = zip(self.turns[work], self.turns[by], strict=True)
        return median(one / other for one, other in pairs)


@dataclass(frozen=True, slots=True)
class Measured:
    """All cells, the parts of the limit by name, and the memory of each kind of work on one document."""

    cells: list[Cell]
    parts: dict[str, float]
    memories: dict[str, Memory]
    biggest: Document

    def cell(self, number: int, algorithm: Algorithm) -> Cell:
        """Return the cell of a document (0 is the smallest) and an algorithm."""
        return [one for one in self.cells if one.algorithm == algorithm][number]


def measure(documents: list[Document], folder: Path, rounds: int) -> Measured:
    """Measure every document with every algorithm; the issuers are made in the folder."""
    issuers = {name: Ours(folder / name, name) for name in ALGORITHMS}
    cells = []
    for document in documents:
        for name, ours in issuers.items():
            peers = Peers(ours)
            works = _works(document.data, ours, peers)
            cells.append(Cell(document, name, in_turns(works, rounds)))
            peers.close()
    biggest = documents[-1]
    stamped = biggest.data + issuers["rsa2048"].seal(biggest.data)
    memories = {
        work: memory(work, data, folder / "rsa2048", folder)
        for work, data in (("seal", biggest.data), ("verify", stamped))
    }
    return Measured(cells, _parts(folder, rounds), memories, biggest)


def _works(original: bytes, ours: Ours, peers: Peers) -> dict[str, Work]:
    delta, kept = ours.seal(original), hashed(original)
    stamped, limit = original + delta, Limit(ours.key, ours.claim_key)
    return {
        "seal": lambda: ours.seal(original),
        "limit": lambda: limit.seal(original, delta),
        "tuned": lambda: peers.tuned(original),
        "file": lambda: original + ours.seal(original),
        "kept": lambda: ours.seal(original, hashed=kept),
        "kept limit": lambda: limit.seal(original, delta, kept),
        "hash": lambda: hashed(stamped).sha256,
        "normal": lambda: peers.normal(original),
        "inspect": lambda: ours.inspect(original),
        "take in": lambda: ours.ingest(original),
        "verify": lambda: ours.verify(stamped),
        "verify limit": lambda: limit.verify(stamped),
        "deliver": lambda: ours.deliver(original, kept),
        "several": lambda: ours.seal(original, SEVERAL),
    }


def _parts(folder: Path, rounds: int) -> dict[str, float]:
    """Measure the parts of the limit: the key operations, hashing a million bytes, drawing one QR code."""
    works: dict[str, Work] = {}
    names: tuple[Algorithm, ...] = ("rsa2048", "rsa3072", "p256")
    for name in names:
        ours = Ours(folder / name, name)
        works[name] = Limit(ours.key, ours.claim_key).sign
    limit = Limit(ours.key, ours.claim_key)
    works |= {"ed25519": limit.sign_claim, "code": limit.draw}
    works["megabyte"] = partial(hashed, bytes(1_000_000))
    return {name: median(turns) for name, turns in in_turns(works, rounds).items()}
