"""`meterai plan` at the command line: its output, and its refusals."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from meterai.kit.priority import Priority
from meterai_rehearsal import results
from meterai_rehearsal.histograms import Recorder
from meterai_rehearsal.results import Run, VoidReason
from meterai_rehearsal.simulation.asked import Asked
from meterai_rehearsal.simulation.durations import mean_of
from meterai_rehearsal.simulation.measured import RunUnusable, busy_share, load_points, steps_of
from meterai_rehearsal.simulation.question import question_of
from meterai_rehearsal.simulation.steady import capacity_per_second
from runs import a_run, journey, latency
from tests.support.commands import Done, run_here

SMALL = ("--applicants", "500", "--hours", "0.2", "--replications", "3")
GIVEN = ("--service-ms", "checkout=20", "money=50:60/90:90/99:200", "--servers", "2")


def asked(tmp_path: Path, *words: str) -> Done:
    return run_here(tmp_path, "plan", *words)


def test_plan_is_printed(tmp_path: Path) -> None:
    done = asked(tmp_path, *SMALL, *GIVEN)
    assert done.returncode == 0, done.stderr
    for said in (
        "safe rate",
        "machines needed",
        "meterai line rate NAME --at-most ",
        "the whole night, once",
    ):
        assert said in done.stdout


def test_plan_is_printed_as_json(tmp_path: Path) -> None:
    done = asked(tmp_path, *SMALL, *GIVEN, "--admit", "2", "3", "--no-whole", "--json")
    found = json.loads(done.stdout)
    assert [one["rate"] for one in found["waits"]] == [2, 3]
    assert found["night"] is None
    assert found["scenario"]["steps"][1]["priority"] == Priority.MONEY


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--applicants", "0"), "--applicants"),
        (("--applicants", "99999999999"), "--applicants"),
        (("--hours", "nan"), "--hours"),
        (("--hours", "-1"), "--hours"),
        (("--hours", "inf"), "--hours"),
        (("--servers", "0"), "--servers"),
        (("--machines", "1000000"), "--machines"),
        (("--curve", "nowhere"), "--curve"),
        (("--grace-hours", "-1"), "--grace-hours"),
        (("--admit", "-5"), "--admit"),
        (("--admit", "nan"), "--admit"),
        (("--bound-ms", "0"), "--bound-ms"),
        (("--no-shows", "1"), "--no-shows"),
        (("--patience-minutes", "0"), "--patience-minutes"),
        (("--replications", "1"), "--replications"),
        (("--seed", "-1"), "--seed"),
        (("--service-ms", "0"), "--service-ms"),
        (("--service-ms", "-3"), "--service-ms"),
        (("--service-ms", "nan"), "--service-ms"),
        (("--service-ms", "president=5"), "--service-ms"),
        (("--service-ms", "money=90:10/50:20"), "--service-ms"),
        (("--service-ms", "money=50:20/90:10"), "--service-ms"),
        (("--service-ms", "money=50:20/101:30"), "--service-ms"),
        (("--measured", "nowhere.json"), "--measured"),
    ],
)
def test_senseless_option_is_refused_by_its_name(
    tmp_path: Path, words: tuple[str, ...], name: str
) -> None:
    done = asked(tmp_path, *SMALL, *GIVEN, *words)
    assert done.returncode != 0
    assert name in done.stderr
    assert "fault" not in done.stderr


def test_plan_without_service_times_is_refused(tmp_path: Path) -> None:
    assert "--measured" in asked(tmp_path, *SMALL).stderr
    assert "--servers" in asked(tmp_path, *SMALL, "--service-ms", "20").stderr


def test_foreign_curve_name_is_escaped_for_terminal(tmp_path: Path) -> None:
    curve = tmp_path / "curve.toml"
    curve.write_text(
        'title = "\\u001b[2J[/red]\\nsafe rate  9000/s"\nsource = ""\nknown = ""\nours = ""\n'
        "points = [[0, 1], [1, 1]]\n"
    )
    words = ("--admit", "2", "--no-whole", "--curve", str(curve))
    done = asked(tmp_path, *SMALL, *GIVEN, *words)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "[2J[/red]" in done.stdout
    assert "\nsafe rate  9000" not in done.stdout


# -- of a run ----------------------------------------------------------------------------------


def test_plan_is_made_from_a_run(tmp_path: Path) -> None:
    run, path = a_run(), tmp_path / "run.json"
    results.write(run, path)
    question = question_of(Asked(applicants=500, hours=0.2, measured=path))
    assert question.scenario.servers == run.machine.cores
    # By the law of utilization, the load with all servers busy is cores over processor seconds of a visit.
    spent = sum(run.costs.cpu_seconds[group] for group in ("web", "worker", "postgres"))
    people = journey(run, "buy").finished
    assert capacity_per_second(question.scenario) == pytest.approx(2 / (spent / people), rel=0.01)
    assert str(path) in question.sources[0]
    done = asked(tmp_path, *SMALL, "--measured", str(path), "--admit", "0.5", "--no-whole")
    assert done.returncode == 0, done.stderr
    assert re.search(r"knee of the run +30\.\d+ ± .* requests under way", done.stdout)


def test_service_time_has_form_of_latency_and_size_of_processor_time() -> None:
    run = a_run()
    share = busy_share(run)
    assert share is not None
    served = [step for step in journey(run, "buy").steps if step.name != "mail"]
    for step, measured in zip(steps_of(run, "buy"), served, strict=True):
        assert mean_of(step.service) == pytest.approx(share * measured.latency.mean, rel=0.01)
        # The rest passes elsewhere: on idle servers a step takes the measured time.
        whole = mean_of(step.service) * (1 + step.elsewhere)
        assert whole == pytest.approx(measured.latency.mean, rel=0.01)
    assert steps_of(run, "buy")[0].pause_seconds == 0
    assert steps_of(run, "buy")[1].pause_seconds > 0


def test_run_without_processor_times_uses_its_latencies(tmp_path: Path) -> None:
    run = a_run()
    foreign = msgspec.structs.replace(run, costs=msgspec.structs.replace(run.costs, cpu_seconds={}))
    assert busy_share(foreign) is None
    assert mean_of(steps_of(foreign, "buy")[0].service) == pytest.approx(
        journey(run, "buy").steps[0].latency.mean, rel=0.01
    )
    results.write(foreign, tmp_path / "run.json")
    done = asked(tmp_path, *SMALL, "--measured", str(tmp_path / "run.json"))
    assert "--servers" in done.stderr


def without_visitors(run: Run) -> Run:
    few = msgspec.structs.replace(journey(run, "buy").steps[0], finished=3, latency=latency([0.1]))
    return msgspec.structs.replace(
        run, journeys=(msgspec.structs.replace(journey(run, "buy"), steps=(few,)),)
    )


def test_run_without_measurements_is_refused() -> None:
    run = a_run()
    void = msgspec.structs.replace(run.generator, void=(VoidReason.BEYOND_LIMIT,))
    with pytest.raises(RunUnusable):
        steps_of(msgspec.structs.replace(run, generator=void), "buy")
    with pytest.raises(RunUnusable):
        steps_of(without_visitors(run), "buy")


def test_unfinished_journey_is_refused(tmp_path: Path) -> None:
    results.write(a_run(), tmp_path / "run.json")
    words = (*SMALL, "--measured", str(tmp_path / "run.json"), "--journey", "fly")
    assert "--journey" in asked(tmp_path, *words).stderr


def test_load_points_sum_all_priorities() -> None:
    found = load_points(a_run())
    assert len(found) >= 6
    loads = [load for load, _ in found]
    assert loads == sorted(loads)


def test_histogram_is_read_unchanged() -> None:
    kept = Recorder()
    for _ in range(7):
        kept.record(0.05)
    ((seconds, count),) = kept.counts()
    assert count == 7
    assert seconds == pytest.approx(0.05, rel=0.001)


def test_wait_in_line_is_no_server_work() -> None:
    run = a_run()
    (buy,) = run.journeys
    queued = results.Step("queue", 3, 3, {}, 0, latency([600.0] * 3))
    journeys = (msgspec.structs.replace(buy, steps=(*buy.steps[:2], queued, *buy.steps[2:])),)
    with_line = msgspec.structs.replace(run, journeys=journeys)
    assert steps_of(with_line, "buy") == steps_of(run, "buy")


def test_rare_step_counts_by_its_share() -> None:
    run = a_run()
    (buy,) = run.journeys
    few = results.Step("order", 30, 30, {}, 0, latency([0.2] * 30))
    steps = (*buy.steps[:3], few, *buy.steps[4:])
    some = msgspec.structs.replace(run, journeys=(msgspec.structs.replace(buy, steps=steps),))
    share = busy_share(some)
    assert share is not None
    found = {step.name: mean_of(step.service) for step in steps_of(some, "buy")}
    assert found["order"] == pytest.approx(share * 0.2 * 30 / buy.finished, rel=0.01)
