"""The public list of entries: 16 random bytes each, ascending, without duplicates.

The file (`entries.txt`) has one entry a line: 32 lower-case hexadecimal digits and a line feed, 33 bytes.  So it can be
searched with grep, counted with wc and read at any position.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import lt

from meterai.kit.refusal import CommandRefusal

ENTRY_BYTES = 16  # no collisions, and not guessable
LINE_BYTES = 2 * ENTRY_BYTES + 1
ENTRIES_MAX = 1 << 26  # more people than any line can have; bounds what is read
_BLOCK_LINES = 1 << 15  # one megabyte of a list at once


class EntriesMalformed(CommandRefusal):
    """A list of entries is malformed; `line` counts from 1."""

    code = "draw_entries_malformed"
    status = 422

    def __init__(self, line: int, wrong: str) -> None:
        super().__init__(f"line {line}: {wrong}")
        self.line = line


def new_entry() -> bytes:
    """Return an unpredictable entry."""
    return secrets.token_bytes(ENTRY_BYTES)


def lines_of(entries: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the file of a list, in blocks of about a megabyte."""
    rest = iter(entries)
    while block := b"".join(islice(rest, _BLOCK_LINES)):
        yield block.hex("\n", ENTRY_BYTES).encode() + b"\n"


def read_lines(pieces: Iterable[bytes]) -> list[bytes]:
    """Return the entries of a file, given in pieces of any size.

    Refuses `EntriesMalformed` with the first line that is no entry, or not above the one before.
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
                raise EntriesMalformed(ENTRIES_MAX + 1, "more lines than any list has")
        held = held[whole:]
    if held:
        raise EntriesMalformed(len(entries) + 1, "the file ends within a line")
    check_order(entries)
    return entries


def check_order(entries: Sequence[bytes]) -> None:
    """Check that each entry is above the one before.  Refuses `EntriesMalformed`."""
    if all(map(lt, entries, islice(entries, 1, None))):
        return
    for number, (one, other) in enumerate(zip(entries, islice(entries, 1, None), strict=False), 2):
        if one == other:
            raise EntriesMalformed(number, "the same entry as the line before")
        if one > other:
            raise EntriesMalformed(number, "not in order")


def _read_block(block: bytes, before: int) -> list[bytes]:
    """Return the entries of whole lines; `before` is the number of lines in front of them."""
    try:
        octets = bytes.fromhex(block.decode("ascii"))
    except ValueError:
        octets = b""
    # `fromhex` accepts capitals and blanks, which differ from the canonical text.
    if octets.hex("\n", ENTRY_BYTES).encode() + b"\n" != block:
        raise EntriesMalformed(before + _first_wrong(block), "not 32 hexadecimal digits")
    return [octets[at : at + ENTRY_BYTES] for at in range(0, len(octets), ENTRY_BYTES)]


def _first_wrong(block: bytes) -> int:
    """Return the number, from 1, of the first malformed line of a block."""
    digits = frozenset(b"0123456789abcdef")
    for number, at in enumerate(range(0, len(block), LINE_BYTES), 1):
        line = block[at : at + LINE_BYTES]
        if not digits.issuperset(line[:-1]) or not line.endswith(b"\n"):
            return number
    raise AssertionError("a block without a wrong line is read")
