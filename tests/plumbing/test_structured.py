"""Structured fields are read strictly (RFC 9651)."""

import base64

import pytest

from meterai.kit.refusal import Malformed
from meterai.plumbing.structured import octets_by_key, whole_number, yes_or_no

SHA = ":" + base64.b64encode(b"x" * 32).decode() + ":"


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), (" 12 ", 12), ("007", 7), ("5;a=1;b", 5), ("9" * 15, 10**15 - 1)]
)
def test_a_number_of_things(text, number):
    assert whole_number("X", text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "1.0",
        "1.",
        "+1",
        "1 2",
        "1,2",
        "9" * 16,
        "?1",
        '"1"',
        "٣",
        "1;",
        "1;A",
        "0x1",
        "\t1",
    ],
)
def test_no_number_of_things(text):
    with pytest.raises(Malformed):
        whole_number("X", text)


def test_yes_and_no():
    assert yes_or_no("X", "?1") is True
    assert yes_or_no("X", "?0;why=never") is False
    for text in ("", "1", "true", "?2", "?", "?1, ?0", "?10"):
        with pytest.raises(Malformed):
            yes_or_no("X", text)


def test_digests_by_their_algorithms():
    assert octets_by_key("X", f"sha-256={SHA}") == {"sha-256": b"x" * 32}
    assert octets_by_key("X", f"a=:eA==: ,\tb={SHA};q=1, a=:eQ==:") == {"a": b"y", "b": b"x" * 32}
    assert octets_by_key("X", "a=::") == {"a": b""}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha-256",
        "sha-256=abc",
        "SHA=:eA==:",
        "a=:eA=:",
        "a=:eA==:,",
        ",",
        "a=:eA==:;",
        "a=(:eA==:)",
        "a=:e A==:",
        "a=:eA==",
        "a=:eA==: b=:eA==:",
        'a="eA=="',
    ],
)
def test_no_digests(text):
    with pytest.raises(Malformed):
        octets_by_key("X", text)
