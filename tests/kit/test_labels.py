"""Labels: texts of a client, within limits."""

import pytest

from meterai.kit import labels as limits
from meterai.kit.labels import NO_LABELS, Labels, labels
from meterai.kit.refusal import Malformed


def test_labels_within_limits_are_unchanged() -> None:
    most = {f"{n:040}": "é" * 200 for n in range(limits.METADATA_ENTRIES_MAX)}
    assert labels("x" * 100, most) == Labels("x" * 100, most)
    assert not labels(None, {})
    assert labels(None, None) == NO_LABELS


@pytest.mark.parametrize("reference", ["", "x" * 101, "a\nb", "\x00", "a\u202eb"])
def test_reference_beyond_its_limits_is_refused(reference: str) -> None:
    with pytest.raises(Malformed) as refused:
        labels(reference, None)
    assert (refused.value.field, refused.value.expected.code) == ("reference", "shown_text")


@pytest.mark.parametrize(
    "metadata",
    [
        {"": "x"},
        {"n": ""},
        {"n" * 41: "x"},
        {"n": "x" * 201},
        {"n": "\x00"},
        {str(n): "x" for n in range(21)},
    ],
)
def test_metadata_beyond_its_limits_is_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(Malformed) as refused:
        labels(None, metadata)
    assert (refused.value.field, refused.value.expected.code) == ("metadata", "metadata")


def test_same_labels_in_any_order_are_same_text() -> None:
    assert str(labels("r", {"a": "1", "b": "2"})) == str(labels("r", {"b": "2", "a": "1"}))
    assert str(labels("r", {"a": "1"})) != str(labels(None, {"a": "1"}))
