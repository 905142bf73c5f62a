"""Retention rules of regulator."""

from meterai.plumbing.work.retention import Rule, Stays

_TAX = (
    "Reports of duty to the regulator: ten years at least (UU KUP 28(11)), and each day is "
    "signed over the day before, so that none can be deleted. Sums and marks of entries; no "
    "personal data."
)
RETENTION: tuple[Rule, ...] = (
    Stays("extracts", _TAX),
    Stays("extract_parts", _TAX),
    Stays("extract_sums", _TAX),
    Stays("statements", _TAX),
    Stays("statement_sums", _TAX),
)
