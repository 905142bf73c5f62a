"""A run is stored in a file and read back; another file is refused."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from meterai_rehearsal.histograms import Recorder
from meterai_rehearsal.results import (
    SCHEMA,
    Arrivals,
    Costs,
    Fault,
    Generator,
    Journey,
    Machine,
    Promise,
    Run,
    RunUnreadable,
    Series,
    Step,
    Target,
    VoidReason,
    check_writable,
    read,
    write,
)


def a_run() -> Run:
    kept = Recorder()
    kept.record(0.25)
    told = kept.latency()
    return Run(
        schema=SCHEMA,
        name="small",
        began_at=datetime(2026, 11, 26, tzinfo=UTC),
        seconds=3.5,
        seed=1,
        command=("meterai", "rehearse", "small"),
        plan="",
        machine=Machine(2, 8_000_000_000, "Linux", 0.5, {"python": "3.11"}),
        target=Target("http://127.0.0.1:8000", is_own=True, is_loopback=True),
        generator=Generator(2, 5000.0, 120.0, 1000, told),
        arrivals=Arrivals((3, 2), (3, 1), (0, 1)),
        journeys=(Journey("look", 4, 3, {}, told, told, (Step("front", 4, 3, {}, 1, told),)),),
        statuses={"200": 3, "busy": 1},
        error_pages=0,
        first_error_pages=(),
        series=(Series("goodput", "money", "1/s", (1.0, 2.0), (3.0, 4.0)),),
        faults=(Fault("kill_worker", 1.0, 1.5, 2.0, 0.5, {"orders": 0}),),
        promises=(Promise("audit", 3.0, held=True, found="every invariant holds"),),
        costs=Costs({"web": 1.5}, 100, 1000, 4, 1, 1),
    )


def test_run_is_read_back_unchanged(tmp_path: Path) -> None:
    write(a_run(), tmp_path / "run.json")
    assert read(tmp_path / "run.json") == a_run()
    assert [one.name for one in tmp_path.iterdir()] == ["run.json"]


def test_run_lists_broken_promises_and_is_void() -> None:
    run = a_run()
    assert not run.is_void
    assert not run.broken
    void = msgspec.structs.replace(run.generator, void=(VoidReason.DROPPED,))
    promises = (*run.promises, Promise("audit", 4.0, held=False, found="NOT"))
    other = msgspec.structs.replace(run, generator=void, promises=promises)
    assert other.is_void
    assert [one.at for one in other.broken] == [4.0]


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[]", b'{"schema": 1}', b'{"schema": 99}', b"\xff", b'{"schema": "one"}'],
)
def test_file_that_is_no_run_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "run.json").write_bytes(text)
    with pytest.raises(RunUnreadable):
        read(tmp_path / "run.json")


def test_missing_run_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunUnreadable):
        read(tmp_path / "none.json")


def test_unwritable_target_is_detected_before(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "run.json"):
        with pytest.raises(OSError, match=str(tmp_path)):
            check_writable(path)
    write(a_run(), tmp_path / "run.json")
    check_writable(tmp_path / "run.json")
    assert read(tmp_path / "run.json") == a_run()
    assert [one.name for one in tmp_path.iterdir()] == ["run.json"]
