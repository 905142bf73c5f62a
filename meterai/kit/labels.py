"""Labels: texts that a client attaches to an order or a stamping to find it again. They affect nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from meterai.kit.refusal import Malformed

REFERENCE_LENGTH_MAX = 100  # characters; enough for a reference number of the client
METADATA_ENTRIES_MAX = 20
METADATA_NAME_LENGTH_MAX = 40  # characters
METADATA_VALUE_LENGTH_MAX = 200  # characters; all metadata together take some 5 KB of a row


@dataclass(frozen=True, slots=True)
class Labels:
    """Texts of a client: a `reference`, which need not be unique, and `metadata`, which maps names to texts."""

    reference: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.reference is not None or bool(self.metadata)

    def __str__(self) -> str:
        """Return a text that is equal for equal labels. It is part of the request that an Idempotency-Key identifies."""
        content = {"reference": self.reference, "metadata": dict(self.metadata)}
        return msgspec.json.encode(content, order="deterministic").decode()


NO_LABELS = Labels()


def labels(reference: str | None, metadata: Mapping[str, str] | None) -> Labels:
    """Return these labels, after a check of their lengths and characters. Refuses `Malformed`."""
    if reference is not None and not _is_shown(reference, REFERENCE_LENGTH_MAX):
        raise Malformed("reference", "shown_text", length_max=REFERENCE_LENGTH_MAX)
    entries = metadata or {}
    is_bounded = len(entries) <= METADATA_ENTRIES_MAX and all(
        _is_shown(name, METADATA_NAME_LENGTH_MAX) and _is_shown(value, METADATA_VALUE_LENGTH_MAX)
        for name, value in entries.items()
    )
    if not is_bounded:
        raise Malformed(
            "metadata",
            "metadata",
            entries_max=METADATA_ENTRIES_MAX,
            name_length_max=METADATA_NAME_LENGTH_MAX,
            value_length_max=METADATA_VALUE_LENGTH_MAX,
        )
    return Labels(reference, dict(entries))


def _is_shown(text: str, length_max: int) -> bool:
    return 1 <= len(text) <= length_max and text.isprintable()
