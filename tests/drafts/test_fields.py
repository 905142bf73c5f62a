"""Structured fields of an upload are read strictly (RFC 9651)."""

import base64

import pytest
from litestar.datastructures import Headers

from meterai.drafts import wire
from meterai.kit.refusal import Malformed

SHA = ":" + base64.b64encode(b"x" * 32).decode() + ":"


def number(text: str) -> int:
    return wire.read_offset(Headers({"upload-offset": text}))


def sha256(text: str) -> bytes | None:
    told = Headers({"upload-complete": "?0", "upload-length": "1", "repr-digest": text})
    return wire.read_creation(told).digest


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
