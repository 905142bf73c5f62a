"""Calls without a valid signature cost little at the provider's endpoint."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fuzz.signing import GROWTH_MAX, PIECES, by_hand, growth
from meterai.payments.adapters.snap.provider import SnapProvider
from meterai.payments.adapters.snap.signing import minified, read_signature
from meterai.payments.model import NotificationForged
from tests.support.bank import profile

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


class Frozen:
    def now(self) -> datetime:
        return NOW


@given(some.text(alphabet='"\\ \n\t\r\f\va{}:1', max_size=40))
def test_only_white_space_between_tokens_is_removed(text: str) -> None:
    assert minified(text.encode()) == by_hand(text.encode())


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_minifying_takes_time_in_proportion_to_the_body(piece: bytes) -> None:
    assert growth(piece) < GROWTH_MAX


def test_signature_is_read_in_base64_and_hexadecimal() -> None:
    octets = bytes(range(256))
    for text in (base64.b64encode(octets).decode(), octets.hex(), octets.hex().upper()):
        assert read_signature(256, text) == octets
    assert read_signature(256, " ".join(octets.hex())[:512]) is None
    assert read_signature(256, "\u0663" * 512) is None


@pytest.mark.parametrize("signature", ["", "nonsense", "A" * 344, "f" * 511, "\xff" * 344])
def test_malformed_signature_is_refused_before_the_body_is_read(
    signature: str,
) -> None:
    headers = {"x-timestamp": NOW.isoformat(), "x-signature": signature}
    with pytest.raises(NotificationForged, match="no readable X-SIGNATURE"):
        SnapProvider(profile(""), Frozen()).notification("/", headers, b'"' * 65_536)
