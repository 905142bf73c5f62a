"""Retention rules of recovery."""

from meterai.plumbing.work.retention import Rule, Stays

_TOLD = (
    "The steps after an outage, for its report and its record; no personal data except of staff."
)
RETENTION: tuple[Rule, ...] = (Stays("recoveries", _TOLD), Stays("recovery_steps", _TOLD))
