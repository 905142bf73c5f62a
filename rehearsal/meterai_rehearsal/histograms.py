"""Distributions of durations as HdrHistograms: recorded, added up, written and read again.

Whole microseconds with three digits, from 1 µs to `LONGEST_SECONDS`; what is longer counts as that.
"""

from collections.abc import Iterable, Iterator

from hdrh.histogram import HdrHistogram

from meterai_rehearsal.results import Latency

LONGEST_SECONDS = 3_600.0
DIGITS = 3
_PER_SECOND = 1_000_000
_LOWEST, _HIGHEST = 1, int(LONGEST_SECONDS * _PER_SECOND)


class Recorder:
    """Durations as they come."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(_LOWEST, _HIGHEST, DIGITS)

    def record(self, seconds: float) -> None:
        """One more."""
        self._histogram.record_value(min(max(int(seconds * _PER_SECOND), _LOWEST), _HIGHEST))

    def add(self, encoded: str) -> None:
        """Everything of another one, written."""
        self._histogram.decode_and_add(encoded)

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self._histogram.get_total_count())

    def at(self, share: float) -> float:
        """The duration in seconds that this share (0 to 1) did not exceed; 0 where there is none."""
        if not self.count:
            return 0.0
        return float(self._histogram.get_value_at_percentile(share * 100)) / _PER_SECOND

    def counts(self) -> Iterator[tuple[float, int]]:
        """Every duration in seconds that was recorded, to its three digits, and how often."""
        for one in self._histogram.get_recorded_iterator():
            yield one.value_iterated_to / _PER_SECOND, int(one.count_at_value_iterated_to)

    def encoded(self) -> str:
        """Itself as text (HdrHistogram V2, base64)."""
        return bytes(self._histogram.encode()).decode()

    def latency(self) -> Latency:
        """As a run keeps it."""
        is_empty = not self.count
        return Latency(
            count=self.count,
            mean=0.0 if is_empty else float(self._histogram.get_mean_value()) / _PER_SECOND,
            p50=self.at(0.5),
            p90=self.at(0.9),
            p99=self.at(0.99),
            p999=self.at(0.999),
            longest=0.0 if is_empty else float(self._histogram.get_max_value()) / _PER_SECOND,
            histogram=self.encoded(),
        )


def read(latency: Latency) -> Recorder:
    """The distribution of a run, to be asked further or added to."""
    found = Recorder()
    found.add(latency.histogram)
    return found


def together(latencies: Iterable[Latency]) -> Latency:
    """Several as one."""
    found = Recorder()
    for one in latencies:
        found.add(one.histogram)
    return found.latency()
