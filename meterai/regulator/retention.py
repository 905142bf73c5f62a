"""Retention rules of regulator."""

from meterai.plumbing.work.retention import Rule, Stays

_TAX = (
    "What the regulator was told of the duty: ten years at least (UU KUP 28(11)), and each day is signed over the one "
    "before, so that none can leave. Sums and marks of entries; nothing of a person."
)
RETENTION: tuple[Rule, ...] = (
    Stays("extracts", _TAX),
    Stays("extract_parts", _TAX),
    Stays("extract_sums", _TAX),
    Stays("statements", _TAX),
    Stays("statement_sums", _TAX),
)
