"""Signed readings are read back unchanged, and any other text is refused."""

from datetime import UTC, datetime

import msgspec
import pytest

from meterai.kit.components import Component
from meterai.plumbing.readings import (
    Measured,
    Reading,
    digest,
    majority_of,
    read_reading,
    signed_reading,
)
from meterai.plumbing.signed import DocumentSigner, SignatureWrong

SIGNER, OTHER = DocumentSigner(b"s" * 32), DocumentSigner(b"t" * 32)
READING = Reading(
    watcher="jakarta",
    installation="https://meterai.example",
    minute=datetime(2026, 11, 30, 5, 0, tzinfo=UTC),
    sequence=7,
    previous=digest("the one before"),
    components={Component.BUYING: Measured(6, failures=2, worst_ms=900, faults=("timeout",))},
)


def test_reading_is_read_back_as_signed() -> None:
    assert read_reading(signed_reading(READING, SIGNER), SIGNER.public_key()) == READING


def test_reading_of_another_key_and_other_documents_are_refused() -> None:
    with pytest.raises(SignatureWrong):
        read_reading(signed_reading(READING, OTHER), SIGNER.public_key())
    with pytest.raises(SignatureWrong):
        read_reading(SIGNER.sign("meterai reading", {"watcher": "jakarta"}), SIGNER.public_key())
    with pytest.raises(SignatureWrong):
        read_reading(SIGNER.sign("meterai answer", {}), SIGNER.public_key())


@pytest.mark.parametrize(
    "minute",
    [
        "2026-11-30T05:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:00-12:00",
        "2019-12-31T23:59:00Z",
        "2026-11-30t05:00:00z",
    ],
)
def test_reading_of_a_minute_without_a_zone_or_of_an_impossible_year_is_refused(
    minute: str,
) -> None:
    facts = msgspec.to_builtins(READING) | {"minute": minute}
    with pytest.raises(SignatureWrong):
        read_reading(SIGNER.sign("meterai reading", facts), SIGNER.public_key())


@pytest.mark.parametrize(
    "faults",
    [["Pay to account 123"], ["timeout\n"], [""], ["x" * 61], [f"status_{one}" for one in range(11)]],
)  # fmt: skip
def test_reading_with_malformed_or_too_many_fault_codes_is_refused(
    faults: list[str],
) -> None:
    facts = msgspec.to_builtins(READING) | {
        "components": {"buying": {"tries": 1, "faults": faults}}
    }
    with pytest.raises(SignatureWrong):
        read_reading(SIGNER.sign("meterai reading", facts), SIGNER.public_key())


def test_majority_counts_absent_watchers() -> None:
    assert [majority_of(one) for one in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]
