"""Settings of privacy that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import TIME

UNDEMANDED: Mapping[str, str] = {"erasure_delay_days": TIME}
