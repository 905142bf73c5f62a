"""Conditions of a void run, and its stored results."""

import msgspec
import pytest

from meterai_rehearsal.rehearsal.outcome import (
    Happened,
    Limits,
    _by_seconds,
    _faults,
    _void_reasons,
)
from meterai_rehearsal.rehearsal.plan import FaultKind, FaultPlan
from meterai_rehearsal.rehearsal.tally import Counted, Tally
from meterai_rehearsal.results import VoidReason

LIMITS = Limits(1000.0, None)


def counted(late: float = 0.0, **seconds: list[float]) -> Counted:
    tally = Tally()
    tally.lateness.record(late)
    named = {name.replace("__", "/"): figures for name, figures in seconds.items()}
    length = max((len(one) for one in seconds.values()), default=1)
    return msgspec.structs.replace(tally.told(), seconds=named, last_at=float(length))


@pytest.mark.parametrize(
    ("found", "happened", "reasons"),
    [
        (counted(requests=[10.0, 999.0], dropped=[0.0]), Happened(), ()),
        (counted(requests=[10.0, 1001.0]), Happened(), (VoidReason.BEYOND_LIMIT,)),
        (counted(dropped=[0.0, 1.0]), Happened(), (VoidReason.DROPPED,)),
        (counted(late=0.3), Happened(), (VoidReason.LATE,)),
        (counted(), Happened(is_broken_off=True), (VoidReason.BROKEN_OFF,)),
        (counted(), Happened(is_complete=False), (VoidReason.GENERATOR_DIED,)),
    ],
)
def test_run_that_measured_its_generator_is_void(
    found: Counted, happened: Happened, reasons: tuple[VoidReason, ...]
) -> None:
    assert _void_reasons(found, happened, LIMITS) == reasons


def test_counts_by_second_become_series() -> None:
    told = counted(
        finished__buy=[1.0, 2.0],
        took__buy_stamp=[4.0, 0.0],
        ended__buy_stamp=[2.0, 0.0],
        offered=[3.0, 3.0],
    )
    found = {(one.name, one.of): one for one in _by_seconds(told)}
    assert found["finished", "buy"].values == (1.0, 2.0)
    assert (found["step_latency", "buy_stamp"].at, found["step_latency", "buy_stamp"].values) == (
        (0.0,),
        (2.0,),
    )
    assert set(found) == {("finished", "buy"), ("step_latency", "buy_stamp")}


@pytest.mark.parametrize(
    ("kind", "healed_at", "recovery"),
    [
        # A killed part is missing from then on, a stalled bank until it answers.
        (FaultKind.KILL_WEB, 6.0, 3.0),
        (FaultKind.STALL_BANK, 6.0, 2.0),
        (FaultKind.KILL_WEB, None, None),
    ],
)
def test_recovery_counts_from_the_right_moment(
    kind: FaultKind, healed_at: float | None, recovery: float | None
) -> None:
    took = [1.0] * 5 + [9.0] * 3 + [1.0] * 5
    told = counted(took__s=took, ended__s=[1.0] * 13)
    happened = Happened(broken=[(FaultPlan(kind=kind, at=5.0), 5.0, healed_at)])
    (fault,) = _faults(happened, told, {"stamps": 0})
    assert fault.recovery_seconds == recovery
    assert fault.healed_at == healed_at
