"""Sums of the metrics of all processes on this machine."""

from collections.abc import Mapping

from meterai.plumbing.config import is_counted_together
from meterai.plumbing.observe.shared_metrics import reading


def counted(wanted: Mapping[str, str]) -> dict[str, float]:
    """Return sums of metrics. `wanted` maps the name of a metric (`meterai_...`) to the name of its sum.

    A `{label}` in the name of a sum is replaced by the value of that label; values with the same resulting name are added. Do
    not call it in a request: it reads every metrics file, which takes some milliseconds.
    """
    from prometheus_client import REGISTRY, CollectorRegistry, multiprocess  # noqa: PLC0415 - once figures are shared

    if not is_counted_together():
        return _sums(REGISTRY, wanted)
    registry = CollectorRegistry()
    with reading():
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return _sums(registry, wanted)


def _sums(registry: object, wanted: Mapping[str, str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for metric in registry.collect():  # type: ignore[attr-defined]
        for sample in metric.samples:
            if (name := wanted.get(sample.name)) is not None:
                called = name.format(**sample.labels)
                found[called] = found.get(called, 0.0) + sample.value
    return found
