"""Rules of an outage, as tables of readings and derived findings."""

from collections.abc import Sequence

import pytest

from meterai.kit.components import Component, PublicAct
from meterai.outages.model import LeftOut, LeftOutReason
from meterai.outages.rules import JOIN_MINUTES, Derived, Signed, derive
from meterai.plumbing.readings import Measured
from tests.support.readings import (
    FAILS,
    HERE,
    Seen,
    SigningWatcher,
    all_work,
    at,
    fails,
    readings,
    three,
)

NOTHING: Seen = lambda _minute: None  # noqa: E731
WELL = fails()
MINUTES = 20


def found(watchers: Sequence[SigningWatcher], minutes: int = MINUTES) -> Derived:
    return derive(readings(watchers), at(0), at(minutes), HERE)


def spans(derived: Derived, act: PublicAct = PublicAct.AFFIX) -> list[tuple[int, int, int, int]]:
    """Return begin, end, failed and unmeasured minutes of each period, in minutes since the begin."""
    return [
        (
            int((one.begin - at(0)).total_seconds()) // 60,
            int((one.end - at(0)).total_seconds()) // 60,
            one.failed_minutes,
            one.unmeasured_minutes,
        )
        for one in derived.failed[act]
    ]


def unmeasured(derived: Derived, act: PublicAct = PublicAct.AFFIX) -> list[tuple[int, int]]:
    return [
        (
            int((one.begin - at(0)).total_seconds()) // 60,
            int((one.end - at(0)).total_seconds()) // 60,
        )
        for one in derived.unmeasured[act]
    ]


@pytest.mark.parametrize(
    ("measured", "is_failed"),
    [
        (Measured(2, failures=1), True),
        (Measured(3, failures=1), False),
        (Measured(3, failures=2), True),
        (Measured(1, failures=1), True),
        (Measured(3, slow=3, worst_ms=90_000), False),
        (Measured(3, failures=3, faults=("timeout",)), True),
    ],
)
def test_component_fails_where_half_of_the_tries_failed_and_slow_answers_count_for_nothing(
    measured: Measured, *, is_failed: bool
) -> None:
    derived = found(three(1, lambda _minute: all_work(stamping=measured)), 1)
    assert spans(derived) == ([(0, 1, 1, 0)] if is_failed else [])
    assert unmeasured(derived) == []


@pytest.mark.parametrize(
    ("component", "acts"),
    [
        (Component.SITE, {PublicAct.BUY, PublicAct.AFFIX, PublicAct.CHECK}),
        (Component.BUYING, {PublicAct.BUY}),
        (Component.PAYMENT, {PublicAct.BUY}),
        (Component.STAMPING, {PublicAct.AFFIX}),
        (Component.CHECKING, {PublicAct.CHECK}),
        (Component.SIGN_IN, set()),
        (Component.REFUNDS, set()),
        (Component.LINE, set()),
    ],
)
def test_act_fails_with_each_component_it_needs(component: Component, acts: set[PublicAct]) -> None:
    derived = found(three(MINUTES, fails(3, 4, component=component)))
    assert {act for act, periods in derived.failed.items() if periods} == acts
    assert all(spans(derived, act) == [(3, 5, 2, 0)] for act in acts)


def test_lying_watcher_is_outvoted() -> None:
    everything = fails(*range(MINUTES))
    assert spans(found(three(MINUTES, everything, WELL, WELL))) == []
    assert spans(found(three(MINUTES, WELL, everything, everything))) == [(0, 20, 20, 0)]


def test_cut_off_watcher_leaves_a_majority_of_the_others() -> None:
    derived = found(three(MINUTES, NOTHING, fails(5, 6), fails(5, 6)))
    assert spans(derived) == [(5, 7, 2, 0)]
    assert unmeasured(derived) == []


def test_minority_measures_nothing_and_its_failures_count_for_nothing() -> None:
    derived = found(three(MINUTES, NOTHING, NOTHING, fails(*range(MINUTES))))
    assert spans(derived) == []
    assert unmeasured(derived) == [(0, 20)]
    assert not derived.is_measured


@pytest.mark.parametrize("gap", [1, JOIN_MINUTES - 1, JOIN_MINUTES, JOIN_MINUTES + 1])
def test_gap_shorter_than_the_limit_is_joined(gap: int) -> None:
    derived = found(three(MINUTES, fails(2, 3 + gap)))
    joined = [(2, 4 + gap, 2, 0)]
    apart = [(2, 3, 1, 0), (3 + gap, 4 + gap, 1, 0)]
    assert spans(derived) == (joined if gap < JOIN_MINUTES else apart)


def test_unmeasured_minutes_within_a_period_are_counted() -> None:
    seen: Seen = lambda minute: None if minute in {5, 6} else fails(4, 7)(minute)  # noqa: E731
    derived = found(three(MINUTES, seen))
    assert spans(derived) == [(4, 8, 2, 2)]
    assert unmeasured(derived) == [(5, 7)]


def test_untried_component_is_unmeasured_unless_another_one_failed() -> None:
    def seen(minute: int) -> dict[Component, Measured]:
        all_of_them = all_work(**({"site": FAILS} if minute == 3 else {}))
        del all_of_them[Component.STAMPING]
        return all_of_them

    derived = found(three(MINUTES, seen))
    assert spans(derived) == [(3, 4, 1, 0)]
    assert unmeasured(derived) == [(0, 3), (4, 20)]
    assert unmeasured(derived, PublicAct.CHECK) == []


def left_out(derived: Derived) -> list[tuple[str, int, int, LeftOutReason]]:
    def short(one: LeftOut) -> tuple[str, int, int, LeftOutReason]:
        begin, end = ((moment - at(0)).total_seconds() // 60 for moment in (one.begin, one.end))
        return (one.watcher, int(begin), int(end), one.why)

    return [short(one) for one in derived.left_out]


def without(watcher: SigningWatcher, *minutes: int) -> None:
    watcher.documents = [
        one for one in watcher.documents if one.reading.minute not in map(at, minutes)
    ]


def test_left_out_reading_breaks_the_chain_and_is_named() -> None:
    watchers = three(MINUTES, fails(8))
    without(watchers[0], 8, 9)
    derived = found(watchers)
    assert left_out(derived) == [("jakarta", 7, 11, LeftOutReason.CHAIN)]
    assert spans(derived) == [(8, 9, 1, 0)]  # by the other two watchers
    without(watchers[1], 8)
    assert unmeasured(found(watchers)) == [(7, 10)]


def test_minutes_signed_twice_by_a_clock_set_back_do_not_count() -> None:
    one, two, three_ = three(0, WELL)
    for watcher in (two, three_):
        watcher.measure(range(MINUTES), WELL)
    one.measure(range(10), WELL).measure(range(6, MINUTES), fails(*range(MINUTES)))
    derived = found([one, two, three_])
    assert left_out(derived) == [("jakarta", 6, 10, LeftOutReason.CLOCK)]
    assert spans(derived) == []


def test_two_readings_of_one_minute_do_not_count() -> None:
    one = three(MINUTES, WELL)[0]
    other = SigningWatcher(one.name).measure(range(8), WELL).measure([8], fails(8))
    forged: list[Signed] = [*one.documents[:9], other.documents[8], *one.documents[9:]]
    others = three(MINUTES, fails(8))[1:]
    others[1].documents = []
    derived = derive({one.name: forged, **readings(others)}, at(0), at(MINUTES), HERE)
    # From the first of the two minutes to the minute after them.
    assert left_out(derived) == [("jakarta", 8, 10, LeftOutReason.CHAIN)]
    assert spans(derived) == []
    assert unmeasured(derived) == [(8, 10)]
