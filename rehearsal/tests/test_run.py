"""A whole run against a trivial server: the checks during the load decide its result."""

import asyncio
import json
from collections.abc import Callable, Sequence

import psutil
import pytest

from meterai.commands import Exit
from meterai.kit.clock import SystemClock
from meterai_rehearsal.clients.sites import Site
from meterai_rehearsal.rehearsal import processes
from meterai_rehearsal.rehearsal.command import status_of
from meterai_rehearsal.rehearsal.given import Rehearsal
from meterai_rehearsal.rehearsal.installation import Addresses, Done, line_of
from meterai_rehearsal.rehearsal.limit import trivial_server
from meterai_rehearsal.rehearsal.plan import of
from meterai_rehearsal.rehearsal.progress import Shown
from meterai_rehearsal.rehearsal.run import InstallationUnfit, rehearse
from meterai_rehearsal.results import Run, Target, VoidReason

PLAN = """
name = "looking"
seed = 3
[arrivals]
points = [[0, 10], [1.5, 10]]
[bounds]
seconds_max = 20
patience_seconds = 2
[promises]
audit_every_seconds = 0.5
[[journeys]]
name = "look"
"""
HOLDS = Done(0, json.dumps({"holds": True, "invariants": [{"name": "a", "broken": 0}]}))
BROKEN = Done(1, json.dumps({"holds": False, "invariants": [{"name": "a", "broken": 1}]}))


def carried_out(
    site: Site, *audits: Done, meanwhile: Callable[[], None] = lambda: None
) -> tuple[Run, list[str]]:
    """Run a plan whose audits give these results one after the other. Return the run, and the output during it."""
    left, said = list(audits), list[str]()

    def audit(_words: Sequence[str]) -> Done:
        meanwhile()
        return left.pop(0) if len(left) > 1 else left[0]

    target = Target(site.url, is_own=False, is_loopback=True)
    rehearsal = Rehearsal(
        PLAN,
        of(PLAN),
        Addresses(site.url),
        target,
        processes=1,
        command=("meterai", "rehearse"),
        clock=SystemClock(),
        shown=Shown(20.0, "en", said.append),
        audit=audit if audits else None,
    )
    return asyncio.run(rehearse(rehearsal)), said


def test_broken_audit_under_load_decides_despite_last_one() -> None:
    with trivial_server() as site:
        run, said = carried_out(site, HOLDS, BROKEN, HOLDS)
    assert status_of(run) is Exit.NO
    assert [one.found for one in run.broken] == ["a (1)"]
    assert said
    assert run.costs.cpu_seconds.keys() == {"generator"}
    (journey,) = run.journeys
    assert journey.started == sum(run.arrivals.sent)


def test_installation_without_known_directory_is_not_audited() -> None:
    with trivial_server() as site:
        run, _ = carried_out(site)
    assert {one.name: one.held for one in run.promises} == {
        "no_error_pages": True,
        "paid_before_unpaid": None,
        "audit": None,
    }
    assert status_of(run) is (Exit.UNJUDGED if run.is_void else Exit.DONE)


def test_installation_that_serves_nobody_is_not_loaded() -> None:
    with trivial_server() as site:
        pass  # the process has ended
    with pytest.raises(InstallationUnfit) as refused:
        carried_out(site, HOLDS)
    assert "look" in refused.value.reason


def test_generator_not_measured_in_time_voids_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "START_SECONDS_MAX", 0.0)
    with trivial_server() as site:
        run, _ = carried_out(site, HOLDS)
    assert run.generator.void == (VoidReason.TOO_SLOW,)
    assert status_of(run) is Exit.UNJUDGED
    assert (run.journeys, run.promises, sum(run.arrivals.sent)) == ((), (), 0)


def test_generator_dying_under_load_voids_the_run_and_leaves_nothing() -> None:
    with trivial_server() as site:
        before = psutil.Process().children()

        def generators() -> list[psutil.Process]:
            return [one for one in psutil.Process().children() if one not in before]

        def kill() -> None:
            for one in generators():
                one.kill()

        run, _ = carried_out(site, HOLDS, meanwhile=kill)
        assert not [one for one in generators() if "spawn_main" in line_of(one)]
    assert VoidReason.GENERATOR_DIED in run.generator.void
    assert status_of(run) is Exit.UNJUDGED


def test_silent_generator_voids_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "SILENT_SECONDS_MAX", 0.0)
    with trivial_server() as site:
        run, _ = carried_out(site, HOLDS)
    assert VoidReason.GENERATOR_DIED in run.generator.void
    assert status_of(run) is Exit.UNJUDGED
