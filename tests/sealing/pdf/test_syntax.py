"""The syntax of PDF: every kind of value, in every notation, and the limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.syntax import (
    DEPTH_MAX,
    TOKENS_MAX,
    Dictionary,
    Ref,
    value_at,
)


def read(text):
    return value_at(text, 0, None)[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"12", 12), (b"-7", -7), (b"+3", 3), (b"0.5", 0.5), (b".5", 0.5), (b"-.5", -0.5),
        (b"4.", 4.0), (b"true", True), (b"false", False), (b"null", None), (b"/Name", "/Name"),
        (b"/A#20b", "/A b"), (b"/", "/"), (b"12 0 R", Ref(12, 0)), (b"12\n7\tR", Ref(12, 7)),
        (b"(abc)", b"abc"), (b"(a(b)c)", b"a(b)c"), (rb"(a\)b)", b"a)b"), (rb"(\101\7)", b"A\7"),
        (b"(a\\\nb)", b"ab"), (b"(a\r\nb)", b"a\nb"), (rb"(\n\r\t\b\f\\)", b"\n\r\t\b\f\\"),
        (b"<41 4>", b"A@"), (b"<>", b""), (b"[1 [2] 3]", [1, [2], 3]), (b"[1 0 R 2]", [Ref(1, 0), 2]),
        (b"  % comment\n 5", 5), (b"[%]\n1]", [1]),
    ],
)  # fmt: skip
def test_value_is_read(text, value):
    assert read(text) == value
    assert read(text + b" ") == value


@pytest.mark.parametrize(
    "text",
    [b"", b"]", b">>", b"(abc", b"<4g>", b"[1", b"<<", b"<</A>>", b"<</A 1", b"<<1 2>>", b"abc",
     b"1e5", b"--1", b"1 0 Rx y" [4:], b"1..2", b"% only a comment", b"(\\"],
)  # fmt: skip
def test_text_that_is_no_value_is_broken(text):
    with pytest.raises(DocumentBroken):
        read(text)


def test_dictionary_has_positions_of_its_values():
    text = b"<< /A 1 /B[1 2] /C<</D(x)>>/E 3 0 R /F#41 null>>"
    found = Dictionary(text, 0)
    assert found.raw(b"/B") == b"[1 2]"
    assert found.get(b"/E") == Ref(3, 0)
    inner = found.get(b"/C")
    assert isinstance(inner, Dictionary)
    assert inner.get(b"/D") == b"x"
    assert b"/FA" in found
    assert found.get(b"/Missing") is None
    assert text[found.stop :] == b">>"
    assert not found.is_ambiguous


def test_repeated_key_makes_dictionary_ambiguous():
    assert Dictionary(b"<</A 1/#41 2>>", 0).is_ambiguous


@pytest.mark.parametrize(
    "text",
    [
        b"[" * (DEPTH_MAX + 2) + b"]" * (DEPTH_MAX + 2),
        b"[" + b"1 " * (TOKENS_MAX + 1) + b"]",
        b"<</A[" + b"[1]" * (TOKENS_MAX + 1) + b"]>>",
        b"<<" + b"/A 1" * (TOKENS_MAX + 1) + b">>",
        b"(" + b"()" * TOKENS_MAX + b")",
    ],
    ids=["depth", "items", "parts", "keys", "parentheses"],
)
def test_value_beyond_limits_is_broken(text):
    with pytest.raises(DocumentBroken):
        read(text)


@given(text=st.binary(max_size=80))
def test_any_bytes_are_a_value_or_broken(text):
    try:
        read(text)
    except DocumentBroken:
        return
