"""Rules by which the system counts as failed, derived from signed readings; pure.

PMK 78/2024 lets duty be paid by SSP where the e-meterai system "gagal" (fails), "tidak dapat diakses" (cannot be
accessed) or "tidak merespons" (does not respond) at the time of stamping.  These rules interpret the words as follows:

* *fails, cannot be accessed*: a failed try of a watcher, whatever the reason (`failures`).
* *does not respond*: no answer within a watcher's time limit; the watcher counts it among `failures`.
* *slow*: a late answer is a response, and the document could be stamped.  `slow` is ignored.
* *at the time of stamping*: minute by minute, for each act of a person.
* *the system*: a component as a majority of all watchers measures it.  A single watcher may be cut off itself, or lie.

Times are whole minutes since 1970-01-01 UTC, so that anybody computes the same with integers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import TypeVar

from meterai.kit.components import NEEDED_FOR, Component, PublicAct
from meterai.outages.model import LeftOut, LeftOutReason, OutageSpan, Period
from meterai.plumbing.readings import Measured, Reading, digest, majority_of

# Two failed minutes with fewer working minutes between them are one failure: a person needs some five minutes to upload, pay
# by QR and be stamped, so nobody finishes within a shorter gap.
JOIN_MINUTES = 5
MINUTE = timedelta(minutes=1)
Value = TypeVar("Value")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Signed:
    """A reading of a watcher, and the signed document that it was read from."""

    document: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Derived:
    """Findings about a time: for each act the failed and the unmeasured times, and the readings that did not count."""

    failed: Mapping[PublicAct, Sequence[Period]]
    unmeasured: Mapping[PublicAct, Sequence[OutageSpan]]
    left_out: Sequence[LeftOut]
    measured_minutes: int

    @property
    def is_measured(self) -> bool:
        """True if at least one act was measured in at least one minute."""
        return self.measured_minutes > 0


def minute_of(at: datetime) -> int:
    """Return the minute that contains a moment."""
    return (at - _EPOCH) // MINUTE


def moment_of(minute: int) -> datetime:
    """Return the begin of a minute."""
    return _EPOCH + minute * MINUTE


def derive(
    readings: Mapping[str, Sequence[Signed]],
    begin: datetime,
    end: datetime,
    installation: str,
) -> Derived:
    """Derive findings about the time from `begin` to before `end`.

    `readings` has the readings of every configured watcher, in the order of publication, and names also a watcher without
    readings, since majorities are of all watchers.
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
    """Return the readings of one watcher that count, by minute; append the minutes that do not count to `left_out`.

    A reading must name the reading before it by hash, have the next number, and be of a later minute.  If two consecutive
    readings break that rule, the chain may be forged: then the watcher does not count in the minutes of both readings and
    between them.  A clock that was set back, and two readings of one minute, break the rule too.
    """
    own = [one for one in readings if minute_of(one.reading.minute) in minutes]
    gone = {
        minute_of(one.reading.minute): LeftOutReason.FOREIGN
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
            gone |= dict.fromkeys(
                between, LeftOutReason.CLOCK if is_chained else LeftOutReason.CHAIN
            )
    left_out.extend(
        LeftOut(name, moment_of(minutes.start + begin), moment_of(minutes.start + end), why)
        for begin, end, why in _runs([gone.get(minute) for minute in minutes])
        if why is not None
    )
    return {
        minute: one.reading for one in own if (minute := minute_of(one.reading.minute)) not in gone
    }


def _runs(values: Sequence[Value]) -> Iterator[tuple[int, int, Value]]:
    """Yield (begin, end, value) of each run of equal values; begin and end are positions in `values`."""
    at = 0
    for value, run in groupby(values):
        begin, at = at, at + sum(1 for _ in run)
        yield begin, at, value


def _states(readings: Sequence[Reading | None], most: int) -> Mapping[Component, bool]:
    """Return, for one minute and each component that enough watchers measured, True if a majority of all watchers saw it
    fail.
    """
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
    """True if at least half of the tries failed, so that a single try was at least as likely to fail as to succeed."""
    return 2 * measured.failures >= measured.tries


def _act(states: Mapping[Component, bool], act: PublicAct) -> bool | None:
    """True if an act failed in a minute, False if it was possible, None if it is unmeasured."""
    needed = [states.get(one) for one in NEEDED_FOR[act]]
    if True in needed:
        return True
    return None if None in needed else False


def _periods(found: Sequence[bool | None], first: int) -> Iterator[Period]:
    """Yield the times of failure; times less than `JOIN_MINUTES` apart are merged. `first` is the minute of the first element
    of `found`.
    """
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
