"""`meterai rehearse`: one small run with all features, and the end of the command."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from meterai.apps.settings import settings_of
from meterai.commands import Exit
from meterai.installation.instance import remember
from meterai_rehearsal import results
from meterai_rehearsal.rehearsal import start
from meterai_rehearsal.rehearsal.command import status_of
from meterai_rehearsal.rehearsal.installation import Addresses
from meterai_rehearsal.results import Promise, Run, VoidReason
from runs import a_run
from tests.support.commands import ROOT, environment, run_here
from tests.support.instance import Instance


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Run, str]:
    """Run the shipped plan `small`. Return exit status, run and output."""
    folder = tmp_path_factory.mktemp("rehearsal")
    out = folder / "run.json"
    words = ("rehearse", "small", "--up", "--data", str(folder / "data"), "--out", str(out))
    # A machine busy with other tests may take long.
    done = subprocess.run(
        [sys.executable, "-m", "meterai", *words, "--lang", "id"],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert out.exists(), done.stdout + done.stderr
    return done.returncode, results.read(out), done.stdout


@pytest.mark.instance
@pytest.mark.soak
def test_small_rehearsal_keeps_every_promise(rehearsed: tuple[int, Run, str]) -> None:
    status, found, _ = rehearsed
    assert [one for one in found.promises if one.held is not True] == []
    # A busy machine may void a run; it never breaks a promise.
    assert status in ((Exit.UNJUDGED,) if found.is_void else (Exit.DONE,))
    assert {one.name for one in found.promises} == {
        *("audit", "no_error_pages", "paid_before_unpaid", "nothing_lost", "order_of_the_line")
    }
    assert found.error_pages == 0


@pytest.mark.instance
@pytest.mark.soak
def test_small_rehearsal_runs_and_counts_every_journey(rehearsed: tuple[int, Run, str]) -> None:
    _, found, _ = rehearsed
    assert {one.name for one in found.journeys} == {*("look", "buy", "check", "complain", "queue")}
    for journey in found.journeys:
        assert journey.started == journey.finished + sum(journey.failed.values())
        assert journey.latency.count == journey.finished
        assert journey.steps[0].started == journey.started
        for step in journey.steps:
            assert step.started == step.finished + sum(step.failed.values()) or journey.failed
    (buying,) = (one for one in found.journeys if one.name == "buy")
    assert "queue" in {one.name for one in buying.steps}, "a line stood before buying"
    arrivals = found.arrivals
    assert sum(arrivals.offered) == sum(arrivals.sent) + sum(arrivals.dropped)
    assert sum(arrivals.sent) == sum(one.started for one in found.journeys)
    assert found.costs.stamps > 0
    assert found.costs.orders_paid >= found.costs.stamps
    assert {"web", "worker", "postgres", "standins", "generator"} <= set(found.costs.cpu_seconds)
    assert {"goodput", "limit", "cpu", "finished", "answers"} <= {one.name for one in found.series}


@pytest.mark.instance
@pytest.mark.soak
def test_small_rehearsal_makes_planned_faults(rehearsed: tuple[int, Run, str]) -> None:
    _, found, _ = rehearsed
    assert [one.kind for one in found.faults] == ["stall_bank", "kill_web", "kill_worker"]
    for fault in found.faults:
        assert fault.healed_at is not None
        assert fault.healed_at >= fault.at
        assert fault.lost == {"stamps": 0}


@pytest.mark.instance
@pytest.mark.soak
def test_small_rehearsal_prints_its_findings(rehearsed: tuple[int, Run, str]) -> None:
    _, found, said = rehearsed
    assert "DITEPATI  audit" in said
    assert found.target.is_own
    assert found.machine.commit is None or len(found.machine.commit) >= 40
    assert found.command[:4] == ("meterai", "rehearse", "small", "--processes")


TWICE = """
name = "twice"
seed = 5
[arrivals]
points = [[0, 2], [3, 2]]
[bounds]
seconds_max = 90
document_bytes = 20000
[[journeys]]
name = "buy"
"""


@pytest.mark.instance
@pytest.mark.soak
def test_second_rehearsal_of_one_installation_succeeds(tmp_path: Path) -> None:
    plan = tmp_path / "twice.toml"
    plan.write_text(TWICE)
    found = []
    (tmp_path / "data").mkdir()
    with Instance(tmp_path / "data") as instance:
        for number in range(2):
            out = tmp_path / f"{number}.json"
            done = instance.command("rehearse", str(plan), "--out", str(out))
            assert out.exists(), done.stdout + done.stderr
            found.append(results.read(out))
    for run in found:
        assert [one for one in run.promises if one.held is not True] == []
        (journey,) = run.journeys
        assert journey.finished == journey.started
        assert run.costs.orders_paid == run.costs.stamps == journey.started
        # A code of the earlier run would be refused, and another code requested.
        assert run.statuses.keys() <= {"200", "303", "304", "busy"}
        assert f"{run.costs.orders_paid} paid, " in run.promises[-1].found
    assert found[0].journeys[0].started == found[1].journeys[0].started


BROKE = Promise("audit", 1.0, held=False, found="a (3)")
UNKNOWN = Promise("audit", 1.0, held=None, found="status 3")


@pytest.mark.parametrize(
    ("promises", "void", "status"),
    [
        ((), (), Exit.DONE),
        ((UNKNOWN,), (), Exit.DONE),
        ((BROKE,), (), Exit.NO),
        ((), (VoidReason.DROPPED,), Exit.UNJUDGED),
        # A broken promise stays broken, even in a void run.
        ((BROKE,), (VoidReason.LATE,), Exit.NO),
    ],
)
def test_exit_status_follows_the_outcome(
    promises: tuple[Promise, ...], void: tuple[VoidReason, ...], status: Exit
) -> None:
    run = a_run()
    generator = msgspec.structs.replace(run.generator, void=void)
    assert status_of(msgspec.structs.replace(run, promises=promises, generator=generator)) == status


@pytest.mark.parametrize("language", ["id", "en"])
def test_summary_exists_in_both_languages(language: str) -> None:
    run = a_run()
    generator = msgspec.structs.replace(run.generator, void=tuple(VoidReason))
    told = list(
        start.summary(
            msgspec.structs.replace(run, promises=(BROKE, UNKNOWN), generator=generator), language
        )
    )
    assert not [line for line in told if "rehearsal." in line or "{" in line]
    assert sum(line.startswith(("VOID", "BATAL")) for line in told) == len(VoidReason)
    assert any(line.startswith(("BROKEN", "DILANGGAR")) for line in told)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("no_such_plan", "--up"), "plan_missing"),
        (("small",), "target_missing"),
        (("small", "--up", "--url", "http://127.0.0.1:1"), "target_missing"),
        (("small", "--url", "nowhere"), "address_wrong"),
        (("small", "--url", "http://127.0.0.1:1"), "standins_unknown"),
    ],
)
def test_impossible_rehearsal_is_refused_with_sentence(
    tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    tmp_path.joinpath("keys").mkdir()  # part of an installation
    done = run_here(tmp_path, "rehearse", *words)
    assert done.returncode == Exit.USAGE, done.stderr
    assert done.stderr.startswith(f"meterai: {code}: ")
    assert done.stdout == ""


def test_running_installation_is_found_by_its_directory(tmp_path: Path) -> None:
    settings = settings_of(data=str(tmp_path))
    ports = {"bank_port": 2, "mail_port": 3, "smtp_port": 4, "metrics_port": 5, "port": 1}
    remember(settings, host="127.0.0.1", bank_url="http://127.0.0.1:2", **ports)
    assert start.addresses_in(tmp_path) == Addresses(
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
        "http://127.0.0.1:3",
        "http://127.0.0.1:5/metrics",
    )
    with pytest.raises(start.TargetMissing):
        start.addresses_in(tmp_path / "none")


def test_command_line_loads_no_library_of_the_distribution() -> None:
    loaded = (
        "import sys, meterai.apps.cli as cli\n"
        "from meterai.apps.program import program_of\n"
        "import meterai_rehearsal.rehearsal.command\n"
        "cli.build(program_of())\n"
        "print([one for one in ('hdrh', 'psutil', 'scipy', 'altair') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


LOOKING = """
name = "{name}"
seed = 5
[arrivals]
points = [[0, 3], [3, 3]]
[bounds]
seconds_max = 30
open_max = {open_max}
[[journeys]]
name = "look"
"""


@pytest.mark.instance
@pytest.mark.soak
def test_night_continues_after_void_run_and_reports_all(tmp_path: Path) -> None:
    # A process may hold only one visitor at a time, so some visitors cannot be begun, and the run is void.
    for name, open_max in (("narrow", 1), ("wide", 100)):
        (tmp_path / f"{name}.toml").write_text(LOOKING.format(name=name, open_max=open_max))
    with (tmp_path / "narrow.toml").open("a") as plan:
        plan.write('[[devices]]\nname = "slow"\nlatency_seconds = 1.0\n')
    out = tmp_path / "night"
    plans = " ".join(str(tmp_path / f"{name}.toml") for name in ("narrow", "wide"))
    done = subprocess.run(
        ["make", "--silent", "rehearse-night", f"OUT={out}", f"PLANS={plans}"],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    narrow, wide = (results.read(out / f"{name}.json") for name in ("narrow", "wide"))
    assert VoidReason.DROPPED in narrow.generator.void
    assert "VOID, load generator too slow" in done.stdout
    assert not wide.broken
    assert done.returncode != 0, "a void run keeps no promise"
    report = (out / "assessment.html").read_text()
    assert ">narrow<" in report
    assert ">wide<" in report
    assert (out / "assessment.pdf").stat().st_size > 0
