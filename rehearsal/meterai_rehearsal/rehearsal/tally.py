"""Counts of one generator process, and their sums for a run."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from meterai_rehearsal.clients.connection import Traffic
from meterai_rehearsal.histograms import Recorder, together
from meterai_rehearsal.results import ErrorPage, Journey, Latency, Step

ERROR_PAGES_KEPT = 20  # the first of each process; the rest are only counted
BUSY = "busy"  # the limiter's own 503
AWAY = "away"  # 503: the database is unavailable
TAKEN, CALLED = "taken", "called"  # progress of a visitor in a line
PLACES_KEPT = 20_000  # of each process; enough to detect a wrong order


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A number in a line, with the time of its request and the time of its answer."""

    line: str
    number: int
    asked_at: float
    given_at: float


class Counted(msgspec.Struct, frozen=True):
    """Counts of one generator process, or sums of several.

    `seconds` has for each name a figure for each second from the beginning: `offered`, `sent`, `dropped`, `requests`,
    `under_way`, `finished/<journey>`, `answers/<status>`; of steps that ended in the second `ended/<journey>.<step>`,
    their total duration as `took/<journey>.<step>`, and `failed`; of lost visitors `lost/<journey>.<step>: <reason>`.
    """

    journeys: tuple[Journey, ...]
    statuses: dict[str, int]
    seconds: dict[str, list[float]]
    lateness: Latency
    error_pages: int
    first_error_pages: tuple[ErrorPage, ...]
    bytes_sent: int
    bytes_received: int
    requests: int
    orders_paid: int
    stamps: int
    stamps_wrong: int  # downloads that did not begin with the original
    last_at: float  # time at which the last visitor left
    places: tuple[Place, ...]
    # Visitors in lines by `<journey>/<taken or called>/<network>`, if several share a network.
    turns: dict[str, int] = {}
    starved: int = 0  # connections for which the generator's machine had no file, port or memory


class StepTally:
    """One step of a journey; `name` is `<journey>.<step>`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = self.finished = self.refused = 0
        self.failed: Counter[str] = Counter()
        self.latency = Recorder()

    def told(self, name: str) -> Step:
        """Return the counts in the form of a run's file."""
        return Step(
            name,
            self.started,
            self.finished,
            dict(self.failed),
            self.refused,
            self.latency.latency(),
        )


class JourneyTally:
    """One kind of visit."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = self.finished = 0
        self.failed: Counter[str] = Counter()
        self.latency = Recorder()
        self.working = Recorder()
        self.steps: dict[str, StepTally] = {}

    def step(self, name: str) -> StepTally:
        """Return the counts of one step, made if new; steps are in the order in which they were first taken."""
        found = self.steps.get(name)
        if found is None:
            found = self.steps[name] = StepTally(f"{self.name}.{name}")
        return found

    def told(self, name: str) -> Journey:
        """Return the counts in the form of a run's file."""
        steps = tuple(one.told(step) for step, one in self.steps.items())
        return Journey(
            name,
            self.started,
            self.finished,
            dict(self.failed),
            self.latency.latency(),
            self.working.latency(),
            steps,
        )


class Tally:
    """Counts of one process while it runs. Times are seconds from the beginning."""

    def __init__(self) -> None:
        self.journeys: dict[str, JourneyTally] = {}
        self.lateness = Recorder()
        self.traffic = Traffic()
        self.under_way = 0
        self.orders_paid = self.stamps = self.stamps_wrong = 0
        self.last_at = 0.0
        self._statuses: Counter[str] = Counter()
        self._seconds: dict[str, defaultdict[int, float]] = {}
        self._error_pages: list[ErrorPage] = []
        self._error_count = 0
        self._places: list[Place] = []
        self._turns: Counter[str] = Counter()

    def journey(self, name: str) -> JourneyTally:
        """Return the counts of one kind of visit, made if new."""
        found = self.journeys.get(name)
        if found is None:
            found = self.journeys[name] = JourneyTally(name)
        return found

    def count(self, name: str, at: float, number: float = 1) -> None:
        """Add a number to a count within the second of a time."""
        figures = self._seconds.get(name)
        if figures is None:
            figures = self._seconds[name] = defaultdict(float)
        figures[int(at)] += number

    def total(self, name: str) -> int:
        """Return the sum of a count up to now."""
        return int(sum(self._seconds.get(name, {}).values()))

    def answered(self, status: str, at: float) -> None:
        """Count one answer; `status` is its HTTP status, or `BUSY` or `AWAY` instead."""
        self._statuses[status] += 1
        self.count(f"answers/{status}", at)

    def status(self, name: str) -> int:
        """Return the number of answers with a status up to now."""
        return self._statuses[name]

    def error_page(self, page: ErrorPage) -> None:
        """Count an error page."""
        self._error_count += 1
        if len(self._error_pages) < ERROR_PAGES_KEPT:
            self._error_pages.append(page)

    def place(self, place: Place) -> None:
        """Record a number in a line."""
        if len(self._places) < PLACES_KEPT:
            self._places.append(place)

    def turn(self, journey: str, network: str, turn: str) -> None:
        """Count a visitor of a shared network who took a place in a line (`turn` is `TAKEN`), or whose number
        was called (`CALLED`).
        """
        self._turns[f"{journey}/{turn}/{network}"] += 1

    @property
    def error_pages(self) -> int:
        """Number of error pages."""
        return self._error_count

    def told(self) -> Counted:
        """Return all counts, as a message for the parent process."""
        length = int(self.last_at) + 1
        seconds = {
            name: [counts.get(second, 0.0) for second in range(length)]
            for name, counts in self._seconds.items()
        }
        return Counted(
            journeys=tuple(one.told(name) for name, one in self.journeys.items()),
            statuses=dict(self._statuses),
            seconds=seconds,
            lateness=self.lateness.latency(),
            error_pages=self._error_count,
            first_error_pages=tuple(self._error_pages),
            bytes_sent=self.traffic.sent,
            bytes_received=self.traffic.received,
            requests=self.traffic.requests,
            orders_paid=self.orders_paid,
            stamps=self.stamps,
            stamps_wrong=self.stamps_wrong,
            last_at=self.last_at,
            places=tuple(self._places),
            turns=dict(self._turns),
            starved=self.traffic.starved,
        )


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in counts:
        found.update(one)
    return dict(found)


def _steps(same: Sequence[Step]) -> Step:
    return Step(
        same[0].name,
        sum(one.started for one in same),
        sum(one.finished for one in same),
        _sum(one.failed for one in same),
        sum(one.refused for one in same),
        together(one.latency for one in same),
    )


def _journeys(same: Sequence[Journey]) -> Journey:
    # The longest list has all steps in the order in which they are taken.
    names = [
        step.name for one in sorted(same, key=lambda one: -len(one.steps)) for step in one.steps
    ]
    steps = (
        _steps([step for one in same for step in one.steps if step.name == name])
        for name in dict.fromkeys(names)
    )
    return Journey(
        same[0].name,
        sum(one.started for one in same),
        sum(one.finished for one in same),
        _sum(one.failed for one in same),
        together(one.latency for one in same),
        together(one.working for one in same),
        tuple(steps),
    )


def _by_second(found: Sequence[Counted]) -> dict[str, list[float]]:
    length = int(max(one.last_at for one in found)) + 1
    names = sorted({name for one in found for name in one.seconds})
    kept = {name: [0.0] * length for name in names}
    for one in found:
        for name, figures in one.seconds.items():
            for second, figure in enumerate(figures):
                kept[name][second] += figure
    return kept


def sum_of(found: Sequence[Counted]) -> Counted:
    """Add the counts of all processes in `found`, which must have at least one item."""
    names = sorted({one.name for each in found for one in each.journeys})
    pages = sorted(
        (page for one in found for page in one.first_error_pages), key=lambda one: one.at
    )
    return Counted(
        journeys=tuple(
            _journeys([one for each in found for one in each.journeys if one.name == name])
            for name in names
        ),
        statuses=_sum(one.statuses for one in found),
        seconds=_by_second(found),
        lateness=together(one.lateness for one in found),
        error_pages=sum(one.error_pages for one in found),
        first_error_pages=tuple(pages[:ERROR_PAGES_KEPT]),
        bytes_sent=sum(one.bytes_sent for one in found),
        bytes_received=sum(one.bytes_received for one in found),
        requests=sum(one.requests for one in found),
        orders_paid=sum(one.orders_paid for one in found),
        stamps=sum(one.stamps for one in found),
        stamps_wrong=sum(one.stamps_wrong for one in found),
        last_at=max(one.last_at for one in found),
        places=tuple(place for one in found for place in one.places),
        turns=_sum(one.turns for one in found),
        starved=sum(one.starved for one in found),
    )
