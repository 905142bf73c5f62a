"""Settings of privacy: production demands nothing of them, for the stated reasons."""

from collections.abc import Mapping

from meterai.commands import TIME

UNDEMANDED: Mapping[str, str] = {"erasure_delay_days": TIME}
