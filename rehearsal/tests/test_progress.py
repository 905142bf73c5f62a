"""Display during a run."""

import sys

import pytest

from meterai_rehearsal.rehearsal.processes import Progress
from meterai_rehearsal.rehearsal.progress import PLAIN_SECONDS, Shown

PHASES = ("alone", "limit", "load", "audit")


def progress(share: int, at: float, offered: int) -> Progress:
    return Progress(share, at, offered, 0, 1, offered - 1, 0, 2, 0)


@pytest.mark.parametrize("language", ["id", "en"])
def test_output_without_terminal_has_occasional_lines(language: str) -> None:
    said: list[str] = []
    shown = Shown(60.0, language, said.append)
    with shown.shown():
        for phase in PHASES:
            shown.phase(phase)
        shown.update(progress(0, 1.0, 10))
        shown.update(progress(1, 1.0, 1_500))
        shown.update(progress(0, 1.0 + PLAIN_SECONDS, 20))
    *phases, first, last = said
    assert len(phases) == len(PHASES)
    assert not [line for line in said if "rehearsal." in line]
    assert "1/60 s" in first
    assert "1,520" in last  # both processes together


def test_output_on_terminal_is_one_updated_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    said: list[str] = []
    shown = Shown(60.0, "en", said.append)
    with shown.shown():
        shown.phase("load")
        shown.update(progress(0, 1.0, 10))
    assert said == []
    told = capsys.readouterr().err
    assert "Visitors arrive" in told
    assert "1/60 s" in told
