"""The joint counts of the processes of this machine, read by one of them."""

from collections.abc import Mapping

from meterai.plumbing.config import is_counted_together
from meterai.plumbing.observe.shared_metrics import reading


def counted(wanted: Mapping[str, str]) -> dict[str, float]:
    """Sums of these metrics (`meterai_...`), by what they are called here; a `{label}` in that is filled in, and
    values that are called the same are added up.

    Reads every file of figures, some milliseconds: not for a request.
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
