"""The public list of entries: 16 random bytes each, in ascending order, without duplicates.

The file (`entries.txt`) has one entry per line: 32 lower-case hexadecimal digits and a line feed, 33 bytes.  So the
file can be searched with grep, counted with wc and read at any position.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import lt

from meterai.kit.refusal import CommandRefusal

ENTRY_BYTES = 16  # enough that entries do not collide and cannot be guessed
LINE_BYTES = 2 * ENTRY_BYTES + 1
# More entries than any line can have; limits the size of a list that is read.
ENTRIES_MAX = 1 << 26
_BLOCK_LINES = 1 << 15  # one megabyte of a list at once


class EntriesMalformed(CommandRefusal):
    """A list of entries is malformed.  `line` is the number of the wrong line, from 1."""

    code = "draw_entries_malformed"
    status = 422

    def __init__(self, line: int, wrong: str) -> None:
        super().__init__(f"line {line}: {wrong}")
        self.line = line


def new_entry() -> bytes:
    """Return a new, unpredictable entry."""
    return secrets.token_bytes(ENTRY_BYTES)


def lines_of(entries: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content of `entries.txt` for these entries, in blocks of about a megabyte."""
    rest = iter(entries)
    while block := b"".join(islice(rest, _BLOCK_LINES)):
        yield block.hex("\n", ENTRY_BYTES).encode() + b"\n"


def read_lines(pieces: Iterable[bytes]) -> list[bytes]:
    """Return the entries in the content of `entries.txt`, given in pieces of any size.

    Refuses `EntriesMalformed`, with the first line that is no entry or not greater than the line before.
    """
    entries: list[bytes] = []
    held = b""
    for piece in pieces:
        held += piece
        whole = len(held) - len(held) % LINE_BYTES
        for start in range(0, whole, _BLOCK_LINES * LINE_BYTES):
            end = min(start + _BLOCK_LINES * LINE_BYTES, whole)
            entries += _read_block(held[start:end], len(entries))
            if len(entries) > ENTRIES_MAX:
                raise EntriesMalformed(ENTRIES_MAX + 1, "the list has more lines than allowed")
        held = held[whole:]
    if held:
        raise EntriesMalformed(len(entries) + 1, "the file ends in the middle of a line")
    check_order(entries)
    return entries


def check_order(entries: Sequence[bytes]) -> None:
    """Check that each entry is greater than the entry before.  Refuses `EntriesMalformed`."""
    if all(map(lt, entries, islice(entries, 1, None))):
        return
    for number, (one, other) in enumerate(zip(entries, islice(entries, 1, None), strict=False), 2):
        if one == other:
            raise EntriesMalformed(number, "the entry is equal to the one in the line before")
        if one > other:
            raise EntriesMalformed(number, "not in order")


def _read_block(block: bytes, before: int) -> list[bytes]:
    """Return the entries of a block of whole lines; `before` is the number of lines before the block."""
    try:
        octets = bytes.fromhex(block.decode("ascii"))
    except ValueError:
        octets = b""
    # `fromhex` accepts capitals and blanks, which differ from the canonical text.
    if octets.hex("\n", ENTRY_BYTES).encode() + b"\n" != block:
        raise EntriesMalformed(
            before + _first_wrong(block), "the line is not 32 hexadecimal digits"
        )
    return [octets[at : at + ENTRY_BYTES] for at in range(0, len(octets), ENTRY_BYTES)]


def _first_wrong(block: bytes) -> int:
    """Return the number, from 1, of the first malformed line of a block."""
    digits = frozenset(b"0123456789abcdef")
    for number, at in enumerate(range(0, len(block), LINE_BYTES), 1):
        line = block[at : at + LINE_BYTES]
        if not digits.issuperset(line[:-1]) or not line.endswith(b"\n"):
            return number
    raise AssertionError("a block without a faulty line was searched for one")
