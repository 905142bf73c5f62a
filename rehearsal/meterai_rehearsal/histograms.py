"""Distributions of durations as HdrHistograms: recorded, added, written and read.

Whole microseconds with three digits, from 1 µs to `LONGEST_SECONDS`; longer durations count as `LONGEST_SECONDS`.
"""

from collections.abc import Iterable, Iterator

from hdrh.histogram import HdrHistogram

from meterai_rehearsal.results import Latency

LONGEST_SECONDS = 3_600.0
DIGITS = 3
_PER_SECOND = 1_000_000
_LOWEST, _HIGHEST = 1, int(LONGEST_SECONDS * _PER_SECOND)


class Recorder:
    """Recorder of durations."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(_LOWEST, _HIGHEST, DIGITS)

    def record(self, seconds: float) -> None:
        """Record one duration."""
        self._histogram.record_value(min(max(int(seconds * _PER_SECOND), _LOWEST), _HIGHEST))

    def add(self, encoded: str) -> None:
        """Add all durations of an encoded recorder."""
        self._histogram.decode_and_add(encoded)

    @property
    def count(self) -> int:
        """Number of durations."""
        return int(self._histogram.get_total_count())

    def at(self, share: float) -> float:
        """Return the duration in seconds that this share (0 to 1) of all durations did not exceed; 0 if none
        was recorded.
        """
        if not self.count:
            return 0.0
        return float(self._histogram.get_value_at_percentile(share * 100)) / _PER_SECOND

    def counts(self) -> Iterator[tuple[float, int]]:
        """Yield every recorded duration in seconds, to its three digits, and its count."""
        for one in self._histogram.get_recorded_iterator():
            yield one.value_iterated_to / _PER_SECOND, int(one.count_at_value_iterated_to)

    def encoded(self) -> str:
        """Return the distribution as text (HdrHistogram V2, base64)."""
        return bytes(self._histogram.encode()).decode()

    def latency(self) -> Latency:
        """Return the distribution in the form of a run's file."""
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
    """Decode the distribution of a run, for queries and additions."""
    found = Recorder()
    found.add(latency.histogram)
    return found


def together(latencies: Iterable[Latency]) -> Latency:
    """Add several distributions."""
    found = Recorder()
    for one in latencies:
        found.add(one.histogram)
    return found.latency()
