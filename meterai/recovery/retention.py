"""Retention rules of recovery."""

from meterai.plumbing.work.retention import Rule, Stays

_TOLD = "It tells what was done after an outage, for its report and its record; nothing of a person but staff."
RETENTION: tuple[Rule, ...] = (Stays("recoveries", _TOLD), Stays("recovery_steps", _TOLD))
