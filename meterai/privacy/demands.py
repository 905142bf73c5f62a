"""Production has no demands on the settings of privacy."""

from collections.abc import Mapping

from meterai.commands import TIME

UNDEMANDED: Mapping[str, str] = {"erasure_delay_days": TIME}
