"""Signed readings are read back unchanged, and any other text is refused."""

from datetime import UTC, datetime

import msgspec
import pytest

from meterai.kit.components import NEEDED_FOR, Component, ComponentState, worst
from meterai.plumbing.readings import (
    Measured,
    Reading,
    WatchersWrong,
    digest,
    majority_of,
    read_reading,
    read_watchers,
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


def _entry(name: str, signer: DocumentSigner = SIGNER) -> str:
    return (
        f'[[watcher]]\nname = "{name}"\nurl = "https://{name}.example/"\n'
        f'public_key = """{signer.public_pem().decode()}"""\n'
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


def test_watchers_are_read_with_keys_of_32_bytes() -> None:
    first, second = read_watchers(_entry("jakarta") + _entry("makassar", OTHER))
    assert (first.name, first.url) == ("jakarta", "https://jakarta.example")
    assert second.public_key == OTHER.public_key()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "watcher = 1",
        '[[watcher]]\nname = "a"\nurl = "b"\npublic_key = "c"',
        _entry("jakarta") + _entry("jakarta", OTHER),
        _entry("jakarta") + _entry("makassar"),
        _entry("jakarta") + "colour = 1\n",
    ],
    ids=["empty", "no-tables", "no-key", "same-name", "same-key", "another-field"],
)
def test_wrong_file_of_watchers_is_refused(text: str) -> None:
    with pytest.raises(WatchersWrong):
        read_watchers(text)


def test_majority_counts_absent_watchers() -> None:
    assert [majority_of(one) for one in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]


def test_worst_state_wins_and_labels_are_read_back() -> None:
    states = [ComponentState.DEGRADED, ComponentState.MAJOR_OUTAGE, ComponentState.OPERATIONAL]
    assert worst(states) is ComponentState.MAJOR_OUTAGE
    assert worst(()) is ComponentState.OPERATIONAL
    assert all(ComponentState.of(one.label) is one for one in ComponentState)
    assert all(needed <= frozenset(Component) for needed in NEEDED_FOR.values())
