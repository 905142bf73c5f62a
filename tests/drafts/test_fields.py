"""Structured fields of an upload are read strictly (RFC 9651)."""

import base64

import pytest
from litestar.datastructures import Headers

from meterai.drafts import wire
from meterai.kit.refusal import Malformed

SHA = ":" + base64.b64encode(b"x" * 32).decode() + ":"


def number(text: str) -> int:
    return wire.read_offset(Headers({"upload-offset": text}))


def boolean(text: str) -> bool:
    told = Headers({"upload-complete": text, "upload-length": "1"})
    return wire.read_creation(told).is_complete


def sha256(text: str) -> bytes | None:
    told = Headers({"upload-complete": "?0", "upload-length": "1", "repr-digest": text})
    return wire.read_creation(told).digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), (" 12 ", 12), ("007", 7), ("5;a=1;b", 5), ("9" * 15, 10**15 - 1)],
)
def test_number_is_read(text, expected):
    assert number(text) == expected


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
        "@1",
        "@99999999999999",
    ],
)
def test_text_that_is_no_number_is_refused(text):
    with pytest.raises(Malformed):
        number(text)


def test_boolean_is_read():
    assert boolean("?1") is True
    assert boolean("?0;why=never") is False
    for text in ("", "1", "true", "?2", "?", "?1, ?0", "?10"):
        with pytest.raises(Malformed):
            boolean(text)


def test_digest_is_read():
    assert sha256(f"sha-256={SHA}") == b"x" * 32
    assert sha256("a=::") is None
    assert sha256(f"sha-256=:eA==: ,\tb={SHA};q=1, sha-256=:eQ==:") == b"y"  # the last value counts
    assert sha256("sha-256=:eA:") == b"x"  # RFC 9651, section 4.2.7: padding may be missing


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha-256",
        "sha-256=abc",
        "SHA=:eA==:",
        "a=:eA===:",
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
def test_text_that_is_no_digest_is_refused(text):
    with pytest.raises(Malformed):
        sha256(text)
