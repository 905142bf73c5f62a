"""A report equals its runs: every figure is in the data, and nothing bad is hidden."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import msgspec
import pikepdf
import pypdfium2
import pytest

from meterai.plumbing.messages import format_datetime, translate
from meterai_rehearsal import results
from meterai_rehearsal.assessment import charts
from meterai_rehearsal.assessment.assembling import PlanUnreadable, assess, plan_of
from meterai_rehearsal.assessment.model import Assessment, Light
from meterai_rehearsal.assessment.rendering import html_of
from meterai_rehearsal.assessment.views import duration, say, shown, significant, size
from meterai_rehearsal.results import ErrorPage, Fault, Promise, Run, VoidReason
from meterai_rehearsal.simulation import scalability
from meterai_rehearsal.simulation.asked import Asked
from meterai_rehearsal.simulation.model import Plan
from meterai_rehearsal.simulation.planning import plan
from meterai_rehearsal.simulation.question import question_of
from reports import Report, digits_unmarked, look_up, read_report
from runs import a_run, journey, latency
from tests.support.commands import run_here

replace = msgspec.structs.replace
Change = Callable[[Run], Run]


# Tests that need the charts of a report.
DRAWN = {"test_report_is_accessible", "test_command_writes_page_and_pdf"}


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make tests fast: compute the intervals of the law from few resamples, and draw charts only in the tests
    in `DRAWN`.
    """
    if request.node.name not in DRAWN:
        monkeypatch.setattr(scalability, "RESAMPLES", 10)
        monkeypatch.setattr(charts, "drawn", lambda _chart, title: title)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("plan") / "run.json"
    results.write(a_run(), path)
    asked = Asked(applicants=20_000, hours=2.0, measured=path, machines=2, replications=3)
    return plan(question_of(asked))


def made(
    folder: Path, *runs: Run, found: Plan | None = None, rupiah: int | None = None
) -> Assessment:
    paths = []
    for number, run in enumerate(runs):
        paths.append(folder / f"run{number}.json")
        results.write(run, paths[-1])
    plan_path = None
    if found is not None:
        plan_path = folder / "plan.json"
        plan_path.write_bytes(msgspec.json.encode(found))
    return assess(paths, plan_path, 2.0, rupiah)


def report_of(assessment: Assessment, language: str = "en") -> Report:
    return read_report(html_of(assessment, language))


def light(assessment: Assessment, question: str) -> Light:
    return next(one.light for one in assessment.first_page if one.question == question)


def first_page(assessment: Assessment, language: str = "en") -> str:
    text = report_of(assessment, language).text
    return text[: text.index(translate("assess.contents", language))]


# -- figures -----------------------------------------------------------------------------------


def test_every_figure_in_the_text_is_in_the_data(tmp_path: Path, planned: Plan) -> None:
    page = replace(
        a_run("deadline", 3, 1.5),
        error_pages=1,
        first_error_pages=(ErrorPage(3.5, "buy", "order", 500, "/stamp", "Internal"),),
        faults=(Fault("stall_bank", 10.0, None, None, None, {"orders": 2}),),
    )
    assessment = made(tmp_path, a_run(), page, found=planned, rupiah=700)
    for language in ("id", "en"):
        report = report_of(assessment, language)
        assert len(report.marked) > 300
        assert digits_unmarked(report) == []
        for one in report.marked:
            value = look_up(report.data, one.path)
            if one.value is not None:
                assert float(one.value) == float(value), one
            elif re.match(r"\d{4}-\d\d-\d\dT", str(value)):
                assert one.text == format_datetime(datetime.fromisoformat(value), language), one
            else:
                assert one.text == value, one


def test_figure_is_shown_unchanged(tmp_path: Path, planned: Plan) -> None:
    """Each shown figure is parsed by other code than the code that formatted it."""
    report = report_of(made(tmp_path, a_run(), found=planned, rupiah=700))
    units = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3_600.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}
    units |= {"": 1.0, "%": 0.01, "/s": 1.0, "B": 1.0}
    checked = 0
    for one in report.marked:
        if one.value is None:
            continue
        found = re.fullmatch(r"(-?[0-9.,]+) ?(\D*)", one.text.removeprefix("Rp"))
        assert found, one
        number = found[1].replace("." if one.text.startswith("Rp") else ",", "")
        scale = units[found[2]]
        if one.path.endswith(("hours", "hours.mean")):
            scale /= 3_600
        if one.path.endswith("_ms") or ".cost_ms." in one.path:
            scale *= 1_000
        last = 10.0 ** -len(number.partition(".")[2]) * scale  # value of its last digit
        assert float(number) * scale == pytest.approx(
            float(one.value), rel=0.01, abs=0.51 * last
        ), one
        checked += 1
    assert checked > 200


def test_copied_figures_equal_the_run(tmp_path: Path) -> None:
    run = a_run()
    part = made(tmp_path, run).runs[0]
    bought = journey(run, "buy")
    assert [step.p99_seconds for step in part.journeys[0].steps] == [
        step.latency.p99 for step in bought.steps
    ]
    assert part.visitors == sum(run.arrivals.offered)
    assert [sum(getattr(one, name) for one in part.flow_table) for name in ("came", "lost")] == [
        sum(run.arrivals.offered),
        sum(sum(step.failed.values()) for step in journey(run, "buy").steps),
    ]
    assert part.flow_table[-1].until_seconds == len(run.arrivals.offered)
    assert part.costs.serving_cpu_seconds == 60 + 25 + 30
    assert part.costs.cpu_each_ms == pytest.approx(1_000 * 115 / bought.finished)
    assert {one.name: one.busy_cores for one in part.bottleneck.groups}["web"] > 0.8


def test_cost_is_in_whole_rupiah_at_given_price(tmp_path: Path) -> None:
    assessment = made(tmp_path, a_run(), rupiah=1_200)
    costs = assessment.runs[0].costs
    assert costs.thousand_rupiah == round(1_000 * 115 / costs.stamps * 1_200 / 3_600)
    assert "Rp1.200" in report_of(assessment).text
    assert "Rp" not in report_of(made(tmp_path, a_run())).text


# -- the first page ----------------------------------------------------------------------------


def broken(run: Run) -> Run:
    return replace(
        run, promises=(*run.promises, Promise("audit", 90.0, held=False, found="BAD (3)"))
    )


def test_broken_promise_is_on_first_page(tmp_path: Path, planned: Plan) -> None:
    assessment = made(tmp_path, a_run(), broken(a_run("night", 2)), found=planned)
    assert light(assessment, "promises") is Light.RED
    for language, words in (("en", "A PROMISE WAS BROKEN"), ("id", "JANJI DILANGGAR")):
        page = first_page(assessment, language)
        assert words in page
        assert translate("assess.promise.audit", language) in page
    assert "BAD (3)" in report_of(assessment).text


def test_held_promise_is_not_called_broken(tmp_path: Path, planned: Plan) -> None:
    assessment = made(tmp_path, a_run(), found=planned)
    assert light(assessment, "promises") is Light.GREEN
    assert "BROKEN" not in report_of(assessment).text


@pytest.mark.parametrize(
    ("change", "question", "expected"),
    [
        (lambda run: replace(run, error_pages=1), "promises", Light.RED),
        (lambda run: replace(run, promises=()), "promises", Light.UNKNOWN),
        (
            lambda run: replace(
                run, promises=(*run.promises, Promise("audit", 9.0, held=None, found="away"))
            ),
            "promises",
            Light.AMBER,
        ),
        (lambda run: replace(run, faults=()), "faults", Light.UNKNOWN),
        (
            lambda run: replace(
                run, faults=(Fault("kill_web", 1.0, 2.0, 3.0, 1.0, {"stamps": 1}),)
            ),
            "faults",
            Light.RED,
        ),
        (
            lambda run: replace(run, faults=(Fault("kill_web", 1.0, 2.0, None, None, {}),)),
            "faults",
            Light.RED,
        ),
        (
            lambda run: replace(run, faults=(Fault("kill_web", 1.0, 2.0, 33.0, 31.0, {}),)),
            "faults",
            Light.AMBER,
        ),
        (lambda run: run, "faults", Light.GREEN),
        (lambda run: run, "capacity", Light.UNKNOWN),
        (lambda run: run, "waits", Light.UNKNOWN),
        (lambda run: replace(run, journeys=()), "paid", Light.UNKNOWN),
    ],
)
def test_light_follows_the_measurement(
    tmp_path: Path, change: Change, question: str, expected: Light
) -> None:
    assert light(made(tmp_path, change(a_run())), question) is expected


UNDER_WAY = 20  # visitors cut off by the end of the run


def with_paid_step(finished: int, seconds: float) -> Run:
    run = a_run()
    bought = journey(run, "buy")
    step = replace(
        bought.steps[-1],
        started=1_000 + UNDER_WAY,
        finished=finished,
        failed={"gave_up": 1_000 - finished},
        latency=latency([seconds] * 100),
    )
    return replace(run, journeys=(replace(bought, steps=(step,)),))


def test_few_measurements_have_no_p99(tmp_path: Path) -> None:
    run = with_paid_step(1_000, 0.1)
    step = replace(journey(run, "buy").steps[0], latency=latency([0.1] * 99))
    few = replace(run, journeys=(replace(journey(run, "buy"), steps=(step,)),))
    assessment = made(tmp_path, few)
    assert assessment.runs[0].journeys[0].steps[0].p99_seconds is None
    assert light(assessment, "paid") is Light.UNKNOWN
    assert "Too few people got as far as paying" in first_page(assessment)


@pytest.mark.parametrize(
    ("finished", "seconds", "expected"),
    [
        (1_000, 1.9, Light.GREEN),
        (1_000, 2.5, Light.AMBER),
        (1_000, 7.0, Light.RED),
        (990, 1.0, Light.RED),
    ],
)
def test_unserved_payers_prevent_a_green_light(
    tmp_path: Path, finished: int, seconds: float, expected: Light
) -> None:
    assert light(made(tmp_path, with_paid_step(finished, seconds)), "paid") is expected


def test_too_few_machines_are_red_with_sentence(tmp_path: Path, planned: Plan) -> None:
    assert planned.safe_rate is not None
    twice = planned.safe_rate.low * 2
    short = replace(
        planned,
        needed_rate=replace(planned.needed_rate, mean=twice, low=twice, high=twice),
        machines_needed=5,
    )
    assessment = made(tmp_path, a_run(), found=short)
    assert light(assessment, "capacity") is Light.RED
    assert "NOT ENOUGH" in first_page(assessment)
    assert "at least 5 machines" in first_page(assessment)
    assert "NO HEADROOM" in report_of(assessment).text
    never = replace(planned, safe_rate=None, machines_needed=None, rate_per_second=None, night=None)
    assert light(made(tmp_path, a_run(), found=never), "capacity") is Light.RED


def test_long_line_is_not_green(tmp_path: Path, planned: Plan) -> None:
    assert planned.night is not None
    bound = planned.wait_bound_seconds
    night = replace(planned.night, wait_median=bound / 2, wait_longest=bound * 2)
    assert (
        light(made(tmp_path, a_run(), found=replace(planned, night=night)), "waits") is Light.AMBER
    )
    night = replace(planned.night, wait_median=bound * 1.5, wait_longest=bound * 2)
    assessment = made(tmp_path, a_run(), found=replace(planned, night=night))
    assert light(assessment, "waits") is Light.RED
    assert "A LONG LINE" in first_page(assessment)


# -- void and missing --------------------------------------------------------------------------


def void(run: Run) -> Run:
    return replace(run, generator=replace(run.generator, void=(VoidReason.BEYOND_LIMIT,)))


def test_void_run_counts_for_nothing_and_is_named(tmp_path: Path, planned: Plan) -> None:
    assessment = made(tmp_path, void(a_run()))
    lights = {one.question: one.light for one in assessment.first_page}
    assert set(lights.values()) == {Light.UNKNOWN}
    page = first_page(assessment)
    assert "void: this report says nothing" in page
    assert "green" not in page
    assert "more than the generator can send" in report_of(assessment).text
    # Bad results of a void run do not count either.
    assert light(made(tmp_path, void(broken(a_run()))), "promises") is Light.UNKNOWN
    both = made(tmp_path, a_run(), void(a_run("night", 2)), found=planned)
    assert "Part of the test is void" in first_page(both)
    assert both.tested.figures["visitors"] == sum(a_run().arrivals.offered)


def test_missing_parts_are_listed_on_first_page(tmp_path: Path, planned: Plan) -> None:
    nothing = replace(a_run(), series=(), faults=(), promises=())
    nothing = replace(nothing, costs=replace(nothing.costs, cpu_seconds={}, stamps=0))
    assessment = made(tmp_path, nothing)
    assert set(assessment.missing) == {
        *("faults", "promises", "audit", "plan", "law", "processor"),
        *("figures_of_installation", "stamps", "price", "repeat"),
    }
    page = first_page(assessment)
    for name in assessment.missing:
        assert translate(f"assess.missing.{name}", "en") in page
    whole = made(tmp_path, a_run(), a_run("again", 2), found=planned, rupiah=700)
    assert whole.missing == ()
    other = made(tmp_path, a_run("other", 4), a_run("again", 2), found=planned, rupiah=700)
    assert other.missing == ("chain",)
    assert translate("assess.missing.chain", "en") in first_page(other)
    assert translate("assess.missing", "en") not in report_of(whole).text


def test_unreached_knee_is_called_a_guess(tmp_path: Path) -> None:
    run = a_run()
    gentle = replace(
        run,
        series=tuple(replace(one, at=one.at[:40], values=one.values[:40]) for one in run.series),
    )
    assessment = made(tmp_path, gentle)
    law = assessment.runs[0].scalability
    assert law is not None
    assert law.is_extrapolated
    assert "an estimate, not a measurement" in report_of(assessment).text


# -- the first bottleneck ----------------------------------------------------------------------


def scaled(name: str, factor: float) -> Change:
    def change(run: Run) -> Run:
        return replace(
            run,
            series=tuple(
                replace(one, values=tuple(value * factor for value in one.values))
                if one.name == name
                else one
                for one in run.series
            ),
        )

    return change


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ((scaled("cpu", 1.1),), "processor"),
        ((scaled("cpu", 0.3), scaled("waiting", 4.0)), "connections"),
        ((scaled("cpu", 0.3),), "elsewhere"),
        ((scaled("cpu", 0.3), scaled("running", 0.05), scaled("waiting", 0.05)), "nothing"),
        ((lambda run: replace(run, series=()),), "unknown"),
    ],
)
def test_bottleneck_has_its_evidence(
    tmp_path: Path, changes: tuple[Change, ...], kind: str
) -> None:
    run = a_run()
    for change in changes:
        run = change(run)
    neck = made(tmp_path, run).runs[0].bottleneck
    assert neck.kind == kind
    assert neck.group == ("" if kind == "unknown" else "web")


# -- page and PDF ------------------------------------------------------------------------------


def test_report_loads_nothing_and_escapes_hostile_text(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script><img src="https://evil.example/x">'
    run = a_run()
    run = replace(
        run,
        name=evil,
        command=("meterai", evil),
        promises=(Promise(evil, 1.0, held=False, found=evil),),
        faults=(Fault(evil, 1.0, 2.0, 3.0, 1.0, {evil: 1}),),
        statuses={evil: 3},
        journeys=(replace(run.journeys[0], name=evil),),
    )
    text = html_of(made(tmp_path, run), "en")
    report = read_report(text)
    assert all(address.startswith("#") for address in report.addresses)
    assert text.count("<script") == 1
    assert "<img" not in text
    assert not re.search(r"url\(|@import|<link|<iframe", text)
    assert report.data["runs"][0]["name"] == evil


def test_sentence_contains_no_foreign_markup() -> None:
    assert "<b>" not in say("limits.elsewhere", "en", allowed="<b>anybody</b>")
    assert "&lt;b&gt;anybody" in say("limits.elsewhere", "en", allowed="<b>anybody</b>")


def test_same_files_make_same_report(tmp_path: Path, planned: Plan) -> None:
    assessment = made(tmp_path, a_run(), found=planned)
    assert html_of(assessment, "id") == html_of(made(tmp_path, a_run(), found=planned), "id")


def test_report_is_accessible(tmp_path: Path, planned: Plan) -> None:
    text = html_of(made(tmp_path, a_run(), found=planned), "id")
    report = read_report(text)
    assert '<html lang="id">' in text
    levels = [int(one[1]) for one in report.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - before <= 1 for before, later in pairwise(levels))
    drawn = text.count('role="img"')
    assert drawn >= 6
    assert len([one for one in report.titles if len(one) > 10]) == drawn + len(
        report.data["first_page"]
    )
    assert "assess." not in report.text  # every sentence was found


def pictures(element: pikepdf.Object) -> Iterator[str]:
    """Yield the alternative texts of all pictures of a tagged PDF."""
    if isinstance(element, pikepdf.Array):
        for one in element:
            yield from pictures(one)
    elif isinstance(element, pikepdf.Dictionary):
        if element.get("/S") == "/Figure":
            yield str(element.get("/Alt", ""))
        if "/K" in element:
            yield from pictures(element.K)


def test_command_writes_page_and_pdf(tmp_path: Path, planned: Plan) -> None:
    made(tmp_path, broken(a_run()), found=planned)
    out = tmp_path / "report"
    words = ("--out", str(out), "--plan", str(tmp_path / "plan.json"), "--lang", "en")
    done = run_here(tmp_path, "assess", str(tmp_path / "run0.json"), *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(out / "assessment.html"), str(out / "assessment.pdf")]
    paper = pypdfium2.PdfDocument(out / "assessment.pdf")
    first = paper[0].get_textpage().get_text_bounded()
    assert "PROMISE WAS BROKEN" in " ".join(first.split())
    assert len(paper) >= 6
    assert paper.is_tagged()
    with pikepdf.open(out / "assessment.pdf") as opened, opened.open_metadata() as told:
        assert told["pdfuaid:part"] == "1"
        assert opened.Root.Lang == "en"
        figures = list(pictures(opened.Root.StructTreeRoot.K))
        assert len(figures) >= 11
        assert all(len(one) > 10 for one in figures)
    last = paper[len(paper) - 1].get_textpage().get_text_bounded()
    assert f"{len(paper)} / {len(paper)}" in last
    assert first.rstrip().endswith(f"1 / {len(paper)}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.json",), "run_unreadable"),
        ((), "RUN"),
    ],
)
def test_unreadable_run_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = run_here(tmp_path, "assess", *words, "--out", str(tmp_path / "report"))
    assert done.returncode != 0
    assert said in done.stderr
    assert "fault" not in done.stderr
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("text", [b"", b"{}", b'{"schema": 99}', b"\xff"])
def test_file_that_is_no_plan_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(text)
    with pytest.raises(PlanUnreadable):
        plan_of(tmp_path / "plan.json")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (duration(0.0042, "en"), "4.2 ms"),
        (duration(0.25, "id"), "250 ms"),
        (duration(3.14, "id"), "3,1 detik"),
        (duration(90, "en"), "90 s"),
        (duration(141, "en"), "2.4 min"),
        (duration(600, "id"), "10 menit"),
        (duration(9_000, "en"), "2.5 h"),
        (significant(0.000964, "en"), "0.000964"),
        (significant(12.345, "id"), "12,3"),
        (significant(1_234.5, "id"), "1.234"),
        (size(1_530, "id"), "1,53 kB"),
        (size(8_000_000_000, "en"), "8 GB"),
        (shown("needed_rate", 15.93, "id"), "15,9/detik"),
        (shown("left_share", 0.0324, "en"), "3.2%"),
        (shown("thousand_rupiah", 12_000, "id"), "Rp12.000"),
        (shown("rate_per_second", 16.2, "id"), "16.2"),
    ],
)
def test_figures_are_formatted_for_people(found: str, expected: str) -> None:
    assert found == expected


def test_report_names_step_reason_and_pool_of_lost_visitors(tmp_path: Path) -> None:
    report = report_of(made(tmp_path, a_run()))
    assert report.text.count("request permits (the limiter)") == len(journey(a_run(), "buy").steps)
    assert "waited until they gave up" in report.text
    assert "No visitor was lost" not in report.text
    calm = replace(a_run(), series=())
    assert "No visitor was lost" in report_of(made(tmp_path, calm)).text


def in_line(run: Run, seconds: float) -> Run:
    """Return a copy of the run in which each buyer waited `seconds` in a line that admitted ten people a second."""
    (buy,) = run.journeys
    told = latency([seconds] * 300)
    steps = (*buy.steps, results.Step("queue", 300, 300, {}, 0, told))
    at = tuple(float(second) for second in range(120))
    more = (
        results.Series("meterai_line_rate", "buying", "number", at, (10.0,) * 120),
        results.Series("meterai_line_waiting", "buying", "number", at, (1.0,) * 120),
    )
    return replace(run, journeys=(replace(buy, steps=steps),), series=(*run.series, *more))


def test_report_compares_prediction_with_measurement(tmp_path: Path) -> None:
    # The line is faster than the arrivals, so each visitor enters at the first look, after 5 to 10 seconds.
    right, wrong = made(tmp_path, in_line(a_run(), 8.0), in_line(a_run(), 40.0)).runs
    assert right.compared is not None
    assert right.compared.is_within
    assert wrong.compared is not None
    assert wrong.compared.is_within is False
    assert wrong.compared.quotient_p50 == pytest.approx(7.5 / 40, rel=0.1)
    report = report_of(made(tmp_path, in_line(a_run(), 8.0), a_run()))
    assert " within " in report.text
    assert "nobody waited in a line" in report.text
    assert digits_unmarked(report) == []
