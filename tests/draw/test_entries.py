"""The list of entries: written lists are read, and malformed ones are refused with the line."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.draw.protocol import entries as module
from meterai.draw.protocol.entries import (
    LINE_BYTES,
    EntriesMalformed,
    lines_of,
    read_lines,
)
from tests.support.draws import entries_of

some = st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=40).map(sorted)


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    yield from (text[at : at + size] for at in range(0, len(text), size))


@given(some, st.integers(1, 100))
def test_written_list_is_read(entries: list[bytes], size: int) -> None:
    text = b"".join(lines_of(entries))
    assert text == b"".join(entry.hex().encode() + b"\n" for entry in entries)
    assert read_lines(pieces(text, size)) == entries


@given(some.filter(lambda found: len(found) > 1), st.integers(1, 100), st.data())
def test_changed_byte_is_refused_or_changes_the_list(
    entries: list[bytes], size: int, data: st.DataObject
) -> None:
    text = bytearray(b"".join(lines_of(entries)))
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[at]))
    line = 0
    try:
        assert read_lines(pieces(bytes(text), size)) != entries
    except EntriesMalformed as refused:
        line = refused.line
    assert line in (0, at // LINE_BYTES + 1, at // LINE_BYTES + 2)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: lines[:2] + lines[1:], 3),  # one entry twice
        (lambda lines: [lines[1], lines[0], *lines[2:]], 2),
        (lambda lines: [*lines[:3], lines[3].upper(), *lines[4:]], 4),
        (lambda lines: [*lines[:3], b" " + lines[3][1:], *lines[4:]], 4),
        (lambda lines: [*lines[:5], b"\n", *lines[5:]], 6),
        (lambda lines: [line.replace(b"\n", b"\r\n") for line in lines], 1),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], 10),
        (lambda lines: [*lines, b"ab"], 11),
    ],
)
def test_malformed_line_is_named(change, line: int) -> None:
    lines = [entry.hex().encode() + b"\n" for entry in entries_of(10)]
    assert any(byte > 0x60 for byte in lines[3])
    with pytest.raises(EntriesMalformed) as refused:
        read_lines([b"".join(change(lines))])
    assert refused.value.line == line


def test_ten_million_lines_of_garbage_are_refused_at_once() -> None:
    read = 0

    def garbage() -> Iterator[bytes]:
        nonlocal read
        for _ in range(330):
            read += 1
            yield b"~" * 1_000_000

    with pytest.raises(EntriesMalformed) as refused:
        read_lines(garbage())
    assert (refused.value.line, read) == (1, 1)


def test_list_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES_MAX", 10)
    assert len(read_lines(lines_of(entries_of(10)))) == 10
    with pytest.raises(EntriesMalformed):
        read_lines(lines_of(entries_of(11)))
