"""Rules by which the system counts as failed, derived from signed readings; pure.

PMK 78/2024 lets duty be paid by SSP where the e-meterai system "gagal" (fails), "tidak dapat diakses" (cannot be
accessed) or "tidak merespons" (does not respond) at the time of stamping.  The words are read so:

* *fails, cannot be accessed*: a try of a watcher that did not do what it should, whatever the reason (`failures`).
* *does not respond*: no answer within the time that a watcher waits; the watcher counts it among `failures`.
* *slow*: an answer that came is a response, and the document could be stamped.  `slow` counts for nothing here.
* *at the time of stamping*: minute by minute, for each act of a person.
* *the system*: a component as most of all watchers saw it.  One watcher may itself be cut off, or lie.

Times are whole minutes since 1970-01-01 UTC, so that a stranger computes the same with integers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import TypeVar

from meterai.kit.components import NEEDED_FOR, Component, PublicAct
from meterai.outages.model import LeftOut, OutageSpan, Period, Why
from meterai.plumbing.readings import Measured, Reading, digest, majority_of

# Working minutes between two failed ones that are not told apart: to upload, pay by QR and be stamped takes a person
# some five minutes, so that nobody finishes in a shorter gap what began in it.
JOIN_MINUTES = 5
MINUTE = timedelta(minutes=1)
Value = TypeVar("Value")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Signed:
    """A reading with the document that its watcher signed."""

    document: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Derived:
    """Findings about a time: for each act when it failed and when nobody knows; readings that did not count."""

    failed: Mapping[PublicAct, Sequence[Period]]
    unmeasured: Mapping[PublicAct, Sequence[OutageSpan]]
    left_out: Sequence[LeftOut]
    measured_minutes: int

    @property
    def is_measured(self) -> bool:
        """True where at least one act was measured in at least one minute."""
        return self.measured_minutes > 0


def minute_of(at: datetime) -> int:
    """The minute that a moment lies in."""
    return (at - _EPOCH) // MINUTE


def moment_of(minute: int) -> datetime:
    """The begin of a minute."""
    return _EPOCH + minute * MINUTE


def derive(
    readings: Mapping[str, Sequence[Signed]],
    begin: datetime,
    end: datetime,
    installation: str,
) -> Derived:
    """Findings about `begin` to `end`, by the readings of every configured watcher in the order it published them.

    A watcher without readings is among the keys: majorities are of all watchers, present or not.
    """
    first, last = minute_of(begin), minute_of(end)
    left_out: list[LeftOut] = []
    counted = [
        _counted(name, own, range(first, last), installation, left_out)
        for name, own in sorted(readings.items())
    ]
    most = majority_of(len(readings))
    states = [
        _states([by_minute.get(minute) for by_minute in counted], most)
        for minute in range(first, last)
    ]
    acts = {act: [_act(found, act) for found in states] for act in PublicAct}
    return Derived(
        {act: list(_periods(found, first)) for act, found in acts.items()},
        {act: list(_spans(found, first)) for act, found in acts.items()},
        left_out,
        sum(any(found[at] is not None for found in acts.values()) for at in range(last - first)),
    )


def _counted(
    name: str,
    readings: Sequence[Signed],
    minutes: range,
    installation: str,
    left_out: list[LeftOut],
) -> Mapping[int, Reading]:
    """The readings of one watcher that count, by minute; adds to `left_out` which do not.

    Each names the one before, has the next number, and lies in a later minute.  Where two that follow each other do not,
    one of them may be of another story: from the one to the other, both included, this watcher does not count.  A clock
    that was set back, and two readings of one minute, are such places.
    """
    own = [one for one in readings if minute_of(one.reading.minute) in minutes]
    gone = {
        minute_of(one.reading.minute): Why.FOREIGN
        for one in own
        if one.reading.installation != installation
    }
    for before, after in pairwise(own):
        one, other = minute_of(before.reading.minute), minute_of(after.reading.minute)
        is_chained = (
            after.reading.sequence == before.reading.sequence + 1
            and after.reading.previous == digest(before.document)
        )
        if not is_chained or one >= other:
            between = range(min(one, other), max(one, other) + 1)
            gone |= dict.fromkeys(between, Why.CLOCK if is_chained else Why.CHAIN)
    left_out.extend(
        LeftOut(name, moment_of(minutes.start + begin), moment_of(minutes.start + end), why)
        for begin, end, why in _runs([gone.get(minute) for minute in minutes])
        if why is not None
    )
    return {
        minute: one.reading for one in own if (minute := minute_of(one.reading.minute)) not in gone
    }


def _runs(values: Sequence[Value]) -> Iterator[tuple[int, int, Value]]:
    """Begin and end of each run of equal values, and the value."""
    at = 0
    for value, run in groupby(values):
        begin, at = at, at + sum(1 for _ in run)
        yield begin, at, value


def _states(readings: Sequence[Reading | None], most: int) -> Mapping[Component, bool]:
    """For one minute and each component that enough watchers measured: whether most of all watchers saw it fail."""
    found = {}
    for component in Component:
        votes = [
            has_failed(measured)
            for one in readings
            if one is not None and (measured := one.components.get(component)) and measured.tries
        ]
        if len(votes) >= most:
            found[component] = sum(votes) >= most
    return found


def has_failed(measured: Measured) -> bool:
    """True where at least half of the tries failed: a person who tries once is then as likely to fail as not."""
    return 2 * measured.failures >= measured.tries


def _act(states: Mapping[Component, bool], act: PublicAct) -> bool | None:
    """Whether an act failed in a minute; None where nobody knows."""
    needed = [states.get(one) for one in NEEDED_FOR[act]]
    if True in needed:
        return True
    return None if None in needed else False


def _periods(found: Sequence[bool | None], first: int) -> Iterator[Period]:
    """The times of failure; what is shorter than `JOIN_MINUTES` between two failed minutes is within."""
    for begin, end in _joined([at for at, failed in enumerate(found) if failed]):
        inside = found[begin:end]
        yield Period(
            moment_of(first + begin),
            moment_of(first + end),
            failed_minutes=inside.count(True),
            unmeasured_minutes=inside.count(None),
        )


def _joined(minutes: Iterable[int]) -> Iterator[tuple[int, int]]:
    begin = end = -1
    for minute in minutes:
        if begin < 0:
            begin = minute
        elif minute - end >= JOIN_MINUTES:
            yield begin, end
            begin = minute
        end = minute + 1
    if begin >= 0:
        yield begin, end


def _spans(found: Sequence[bool | None], first: int) -> Iterator[OutageSpan]:
    for begin, end, failed in _runs(found):
        if failed is None:
            yield OutageSpan(moment_of(first + begin), moment_of(first + end))
