"""Settings of collectors that production accepts with any value, each with the reason."""

from collections.abc import Mapping

from meterai.commands import TIME

_LAW = "a date set by law; the operator changes it with the law"
UNDEMANDED: Mapping[str, str] = {
    "collector_limit_rupiah_max": "two people approve each limit up to it",
    "collector_deposit_day": _LAW,
    "collector_report_day": _LAW,
    "collector_stop_day": _LAW,
    "collector_free_months": _LAW,
    "collector_waits_seconds": TIME,
}
