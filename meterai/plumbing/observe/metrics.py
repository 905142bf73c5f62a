"""Declarations of metrics: name, description, labels.

`prometheus_client` decides at its import whether the metrics of several processes are added up (see
`plumbing/observe/shared_metrics.py`), and rooms are imported before that is known.  So a metric is declared without the
library, and created when a process begins (`begin`) or at its first use.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    import prometheus_client
    from prometheus_client.metrics import MetricWrapperBase

Made = TypeVar("Made", bound="MetricWrapperBase")


class Metric(Generic[Made]):
    """One metric, declared and perhaps not yet created. Names are unique within a process."""

    def __init__(self, name: str, text: str, labels: Iterable[str] = ()) -> None:
        self.name = name
        self.text = text
        self.label_names = tuple(labels)

    @cached_property
    def made(self) -> Made:
        """Return the metric of `prometheus_client`, created at the first call. A metric without labels is exported with the
        value 0 from then on.
        """
        return self._make()

    def labels(self, **values: str) -> Made:
        """Return the metric with these values of its labels.

        Each combination is kept permanently, so there must be few.
        """
        return self.made.labels(**values)

    def _make(self) -> Made:
        raise NotImplementedError


class Counter(Metric["prometheus_client.Counter"]):
    """A number that only grows."""

    def inc(self, amount: float = 1) -> None:
        """Add to the number."""
        self.made.inc(amount)

    def _make(self) -> "prometheus_client.Counter":
        from prometheus_client import Counter as Library  # noqa: PLC0415 - see the module

        return Library(self.name, self.text, self.label_names)


class Gauge(Metric["prometheus_client.Gauge"]):
    """A number that rises and falls, for the whole instance: of several processes the newest value counts.

    With `adds_up` the values of all living processes are added.
    """

    def __init__(
        self, name: str, text: str, labels: Iterable[str] = (), *, adds_up: bool = False
    ) -> None:
        super().__init__(name, text, labels)
        self._mode: Literal["livesum", "mostrecent"] = "livesum" if adds_up else "mostrecent"

    def set(self, value: float) -> None:
        """Set the value."""
        self.made.set(value)

    def set_to_current_time(self) -> None:
        """Set the value to the current time, in Unix seconds."""
        self.made.set_to_current_time()

    def _make(self) -> "prometheus_client.Gauge":
        from prometheus_client import Gauge as Library  # noqa: PLC0415 - see the module

        return Library(self.name, self.text, self.label_names, multiprocess_mode=self._mode)


class Histogram(Metric["prometheus_client.Histogram"]):
    """For each upper bound in `buckets`, the number of values up to it; and the sum of all values."""

    def __init__(
        self, name: str, text: str, labels: Iterable[str] = (), *, buckets: tuple[float, ...]
    ) -> None:
        super().__init__(name, text, labels)
        self.buckets = buckets

    def observe(self, value: float) -> None:
        """Count one value."""
        self.made.observe(value)

    def time(self) -> AbstractContextManager[object]:
        """Return a context manager that counts the duration of its block in seconds as one value."""
        return self.made.time()

    def _make(self) -> "prometheus_client.Histogram":
        from prometheus_client import Histogram as Library  # noqa: PLC0415 - see the module

        return Library(self.name, self.text, self.label_names, buckets=self.buckets)


def begin(metrics: Iterable[Metric[Any]]) -> None:
    """Create these metrics; those without labels are exported as 0 from the beginning."""
    for metric in metrics:
        _ = metric.made
