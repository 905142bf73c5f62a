"""The public list of entries: 16 random bytes each, in ascending order, none twice.

As a file (`entries.txt`) it is one entry a line, 32 hexadecimal digits in lower case and a line
feed: 33 bytes, so that it can be searched with grep, counted with wc and read at any place.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import lt

from meterai.kit.refusal import CommandRefusal

ENTRY_BYTES = 16  # no two are equal by chance, nor can one be guessed
LINE_BYTES = 2 * ENTRY_BYTES + 1
ENTRIES_MAX = 1 << 26  # more people than any line of ours can have; bounds what is read
_BLOCK_LINES = 1 << 15  # one megabyte of a list at once


class EntriesMalformed(CommandRefusal):
    """A list of entries is not what it must be; `line` counts from 1."""

    code = "draw_entries_malformed"
    status = 422

    def __init__(self, line: int, wrong: str) -> None:
        super().__init__(f"line {line}: {wrong}")
        self.line = line


def new_entry() -> bytes:
    """An entry that nobody can foresee."""
    return secrets.token_bytes(ENTRY_BYTES)


def lines_of(entries: Iterable[bytes]) -> Iterator[bytes]:
    """The file of a list, in blocks of about a megabyte."""
    rest = iter(entries)
    while block := b"".join(islice(rest, _BLOCK_LINES)):
        yield block.hex("\n", ENTRY_BYTES).encode() + b"\n"


def read_lines(pieces: Iterable[bytes]) -> list[bytes]:
    """The entries of a file, given in pieces of any size.

    Refuses `EntriesMalformed` with the first line that is no entry, or is not behind the one before.
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
    """Refuses `EntriesMalformed` unless each entry is behind the one before it."""
    if all(map(lt, entries, islice(entries, 1, None))):
        return
    for number, (one, other) in enumerate(zip(entries, islice(entries, 1, None), strict=False), 2):
        if one == other:
            raise EntriesMalformed(number, "the same entry as the line before")
        if one > other:
            raise EntriesMalformed(number, "not in order")


def _read_block(block: bytes, before: int) -> list[bytes]:
    """The entries of whole lines; `before` lines stand in front of them."""
    try:
        octets = bytes.fromhex(block.decode("ascii"))
    except ValueError:
        octets = b""
    # Whatever `fromhex` forgives (capitals, blanks), its own writing would not be the same.
    if octets.hex("\n", ENTRY_BYTES).encode() + b"\n" != block:
        raise EntriesMalformed(before + _first_wrong(block), "not 32 hexadecimal digits")
    return [octets[at : at + ENTRY_BYTES] for at in range(0, len(octets), ENTRY_BYTES)]


def _first_wrong(block: bytes) -> int:
    """The number, from 1, of the first line of a block that is no entry."""
    digits = frozenset(b"0123456789abcdef")
    for number, at in enumerate(range(0, len(block), LINE_BYTES), 1):
        line = block[at : at + LINE_BYTES]
        if not digits.issuperset(line[:-1]) or not line.endswith(b"\n"):
            return number
    raise AssertionError("a block without a wrong line is read")
