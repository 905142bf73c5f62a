"""Long computations of a draw, in a separate process: Merkle root and random order of millions of entries.

The command `root` prints root and count of a list.  The command `order` first checks that the list has the given root. It then
writes the entries in their drawn order, 16 bytes each, and prints their SHA-256.  If the worker is killed, the process
continues until it is done; the next worker writes the file again.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from meterai.draw.protocol.entries import ENTRY_BYTES, read_lines
from meterai.draw.protocol.merkle import root_of
from meterai.draw.protocol.order import in_order
from meterai.plumbing.files import open_file

PIECE_BYTES = 1 << 20


class ComputingFailed(Exception):
    """The separate process failed: it ended with an error, or the list does not have the expected root."""


def pieces_of(file: Path) -> Iterator[bytes]:
    """Yield the content of a file in pieces of up to 1 MB."""
    with open_file(file) as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece


def write_whole(file: Path, pieces: Iterator[bytes]) -> None:
    """Write a file to disk atomically."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with draft.open("wb") as opened:
        opened.writelines(pieces)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)


async def root_and_count(entries: Path) -> tuple[str, int]:
    """Return the Merkle root of a list of entries, in hexadecimal, and the number of the entries."""
    root, count = (await _computed("root", str(entries))).split()
    return root, int(count)


async def order(entries: Path, root: str, seed: bytes, target: Path) -> str:
    """Write the entries of a list to `target`, in their drawn order; return the SHA-256 of that file in hexadecimal.

    Raises `ComputingFailed` if the list does not have this root.
    """
    return await _computed("order", str(entries), root, seed.hex(), str(target))


async def _computed(*words: str) -> str:
    program = f"from {__name__} import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *words, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise ComputingFailed(f"{words[0]} ended with {process.returncode}")
    return said.decode().strip()


def _written(entries: Path, root: str, seed: bytes, target: Path) -> str:
    listed = read_lines(pieces_of(entries))
    if root_of(listed).hex() != root:
        raise ComputingFailed("the list differs from the closed one")
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        block = bytearray()
        for entry in in_order(listed, seed):
            block += entry
            if len(block) >= PIECE_BYTES:
                digest.update(block)
                yield bytes(block)
                block.clear()
        digest.update(block)
        yield bytes(block)

    write_whole(target, pieces())
    return digest.hexdigest()


def blocks_of(order_file: Path, after: int, count: int) -> Iterator[list[bytes]]:
    """Yield the entries in a file of a drawn order, `count` at a time; the first `after` entries are skipped."""
    with order_file.open("rb") as opened:
        opened.seek(after * ENTRY_BYTES)
        while block := opened.read(count * ENTRY_BYTES):
            yield [block[at : at + ENTRY_BYTES] for at in range(0, len(block), ENTRY_BYTES)]


def main() -> None:
    """Entry point of the process that computes a draw; arguments: `root LIST` or `order LIST ROOT SEED ORDER`."""
    match sys.argv[1:]:
        case ["root", entries]:
            found = read_lines(pieces_of(Path(entries)))
            said = f"{root_of(found).hex()} {len(found)}"
        case ["order", entries, root, seed, target]:
            said = _written(Path(entries), root, bytes.fromhex(seed), Path(target))
        case _:
            raise SystemExit(2)
    sys.stdout.write(said + "\n")
