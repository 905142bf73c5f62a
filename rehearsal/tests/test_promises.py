"""Promises: held, broken, or undetermined, with their findings."""

import json
from collections.abc import Mapping

import msgspec
import pytest

from meterai_rehearsal.rehearsal.installation import Done, Spent
from meterai_rehearsal.rehearsal.observation import Observation, Sample, parsed
from meterai_rehearsal.rehearsal.plan import of, shipped
from meterai_rehearsal.rehearsal.promises import (
    audited,
    commands_done,
    no_error_pages,
    nothing_lost,
    order_of_the_line,
    paid_before_unpaid,
    share_of_strangers,
)
from meterai_rehearsal.rehearsal.tally import Counted, Place, Tally
from meterai_rehearsal.results import ErrorPage

HOLDS = json.dumps({"holds": True, "invariants": [{"name": "a", "broken": 0}]})
BROKEN = json.dumps({"holds": False, "invariants": [{"name": "a", "broken": 3}]})


def counted(**changes: object) -> Counted:
    return msgspec.structs.replace(Tally().told(), **changes)


@pytest.mark.parametrize(
    ("done", "held", "found"),
    [
        (Done(0, HOLDS), True, "every invariant holds"),
        (Done(1, BROKEN), False, "a (3)"),
        (Done(1, "something else"), False, "something else"),
        (Done(3, "the audit could not be completed"), None, "status 3"),
        (Done(75, "database_unreachable"), None, "status 75"),
        (Done(-9, ""), None, "status -9"),
    ],
)
def test_audit_is_held_broken_or_undetermined(done: Done, held: bool | None, found: str) -> None:
    told = audited(done, 1.0)
    assert told.held is held
    assert found in told.found


def test_download_without_original_is_a_loss_despite_audit() -> None:
    assert nothing_lost(Done(0, HOLDS), counted(), 1.0).held is True
    assert nothing_lost(Done(0, HOLDS), counted(stamps_wrong=1), 1.0).held is False
    assert nothing_lost(Done(3, ""), counted(stamps_wrong=1), 1.0).held is False
    assert nothing_lost(Done(3, ""), counted(), 1.0).held is None


def test_unavailable_database_is_an_error_unless_broken_by_plan() -> None:
    seen = counted(
        error_pages=1, first_error_pages=(ErrorPage(1.0, "buy", "order", 500, "/x", ""),)
    )
    told = no_error_pages(seen, 2.0, breaks_the_database=True)
    assert told.held is False
    assert "500 at /x" in told.found
    away = counted(statuses={"away": 2, "busy": 9})
    assert no_error_pages(away, 2.0, breaks_the_database=True).held is True
    assert no_error_pages(away, 2.0, breaks_the_database=False).held is False
    assert no_error_pages(counted(statuses={"busy": 9}), 2.0, breaks_the_database=False).held


def limiter(**figures: float) -> Mapping[tuple[str, str], float]:
    return {
        (f"meterai_limiter_{name.partition('_of_')[0]}_total", name.partition("_of_")[2]): value
        for name, value in figures.items()
    }


@pytest.mark.parametrize(
    ("figures", "held"),
    [
        ({"in_time_of_paid": 100, "in_time_of_new": 100}, True),
        ({"in_time_of_paid": 100, "in_time_of_new": 50, "refused_of_new": 50}, True),
        (
            {
                "in_time_of_paid": 90,
                "refused_of_paid": 10,
                "in_time_of_new": 50,
                "refused_of_new": 50,
            },
            True,
        ),
        (
            {
                "in_time_of_paid": 400,
                "refused_of_money": 600,
                "in_time_of_new": 500,
                "refused_of_new": 500,
            },
            False,
        ),
        # By chance one of a hundred may be refused; not a hundred of ten thousand.
        ({"refused_of_paid": 1, "in_time_of_paid": 99, "in_time_of_new": 100}, True),
        ({"refused_of_paid": 100, "in_time_of_paid": 9_900, "in_time_of_new": 10_000}, False),
        ({"refused_of_paid": 100, "in_time_of_paid": 9_900}, True),  # no other visitors
    ],
)
def test_payers_are_refused_less_often_than_newcomers(
    figures: dict[str, float], held: bool
) -> None:
    nothing = dict.fromkeys(limiter(**figures), 0.0)
    observed = Observation([Sample(0.0, nothing), Sample(1.0, limiter(**figures))])
    assert paid_before_unpaid(observed, counted(), 1.0).held is held


def test_order_without_metrics_is_undetermined() -> None:
    assert paid_before_unpaid(Observation(), counted(), 1.0).held is None


EXPOSITION = """# HELP meterai_limiter_refused_total Requests told to come again
# TYPE meterai_limiter_refused_total counter
meterai_limiter_refused_total{priority="new"} 5.0
meterai_requests_total{method="GET",route="/",status="200"} 7.0
# TYPE meterai_limiter_limit gauge
meterai_limiter_limit 24.0
python_info{version="3"} 1.0
"""


def test_own_figures_of_installation_are_read() -> None:
    figures, kinds = parsed(EXPOSITION)
    assert figures == {
        ("meterai_limiter_refused_total", "new"): 5.0,
        ("meterai_limiter_limit", ""): 24.0,
    }
    assert kinds == {"meterai_limiter_refused_total": "counter", "meterai_limiter_limit": "gauge"}


def test_counters_become_rates_despite_restart() -> None:
    key = ("meterai_limiter_refused_total", "new")
    samples = [Sample(at, {key: value}) for at, value in ((1.0, 0.0), (3.0, 10.0), (4.0, 2.0))]
    observed = Observation(samples, kinds={key[0]: "counter"})
    (series,) = observed.series()
    assert (series.name, series.of, series.unit) == ("refused", "new", "1/s")
    assert (series.at, series.values) == ((3.0, 4.0), (5.0, 0.0))
    assert observed.grown(*key) == 10.0


def test_processor_time_adds_up_over_restart() -> None:
    looks = [(1.0, 1.0), (2.0, 1.5), (3.0, 0.25)]
    observed = Observation(processes=[(at, {"web": Spent(cpu, 1000)}) for at, cpu in looks])
    assert observed.cpu_seconds() == {"web": 0.75}
    cpu, memory = observed.series()
    assert (cpu.name, cpu.of, cpu.values) == ("cpu", "web", (0.5, 0.0))
    assert memory.values == (1000.0, 1000.0, 1000.0)


@pytest.mark.parametrize(
    ("places", "held"),
    [
        ([(1, 0.0, 0.1), (2, 0.5, 0.6), (3, 9.0, 9.1)], True),
        ([(2, 0.0, 0.1), (1, 1.0, 1.1)], True),  # two processes agree to within a second
        ([(2, 0.0, 0.1), (1, 9.0, 9.1)], False),
        ([(2, 0.0, 9.0), (1, 9.0, 9.1)], True),  # a late answer belongs to an early request
        ([(5, 0.0, 0.1), (6, 0.2, 20.0), (1, 12.0, 12.1)], False),
        ([(1, 0.0, 0.1), (1, 0.0, 0.1)], False),
    ],
)
def test_earlier_visitors_have_lower_numbers(
    places: list[tuple[int, float, float]], held: bool
) -> None:
    told = counted(places=tuple(Place("buying", *one) for one in places))
    assert order_of_the_line(told, 1.0).held is held


def test_each_line_has_its_own_numbers() -> None:
    places = (Place("buying", 2, 0.0, 0.1), Place("formasi", 1, 9.0, 9.1))
    assert order_of_the_line(counted(places=places), 1.0).held is True


@pytest.mark.parametrize(
    ("grabbed", "called", "held"),
    [
        ((2, 2), 98, True),
        ((3, 2), 98, False),  # of those taken
        ((2, 3), 98, False),  # of those called
        ((1, 1), 98, None),  # of less than a hundred
        ((3, 3), 147, True),
    ],
)
def test_networks_of_program_have_at_most_twice_their_share(
    grabbed: tuple[int, int], called: int, held: bool | None
) -> None:
    turns = {
        "grab/taken/127.4.0.1": grabbed[0],
        "grab/called/127.4.0.1": grabbed[1],
        "buy/taken/127.1.0.1": called,
        "buy/called/127.1.0.1": called,
    }
    plan = of(shipped()["strangers"])
    told = share_of_strangers(plan, counted(turns=turns), 1.0)
    assert told is not None
    assert told.held is held
    assert f"{grabbed[1]} of {grabbed[1] + called} called; at most 2.0%" in told.found
    assert share_of_strangers(of(shipped()["small"]), counted(turns=turns), 1.0) is None


def test_commands_done_holds_if_every_command_succeeded() -> None:
    plan = of(shipped()["outage_night"])
    done = [(one, one.at, Done(0, "")) for one in plan.commands]
    assert commands_done(plan, done, 90.0).held
    assert not commands_done(plan, done[:-1], 90.0).held
    failed = [*done[:-1], (plan.commands[-1], 40.0, Done(1, "abandoned"))]
    told = commands_done(plan, failed, 90.0)
    assert not told.held
    assert "recover status at 40 s: status 1, abandoned" in told.found
