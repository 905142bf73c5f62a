"""Only an installation that the run started itself is broken."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from meterai_rehearsal.rehearsal import faults
from meterai_rehearsal.rehearsal.faults import FaultImpossible
from meterai_rehearsal.rehearsal.installation import InstallationNotStarted, OwnInstallation
from meterai_rehearsal.rehearsal.plan import CommandPlan, FaultKind, FaultPlan

KILLING = (FaultPlan(kind=FaultKind.KILL_WEB, at=1.0),)
FILLING = (FaultPlan(kind=FaultKind.FILL_DISK, at=1.0, seconds=1.0),)


def test_foreign_installation_is_not_broken() -> None:
    with pytest.raises(FaultImpossible):
        faults.check(KILLING, None)
    with pytest.raises(FaultImpossible):
        faults.check((), None, (CommandPlan(words=("recover", "start"), at=1.0),))
    faults.check((), None)


def test_shared_disk_is_not_filled(tmp_path: Path) -> None:
    own = OwnInstallation(tmp_path, {})
    faults.check(KILLING, own)
    with pytest.raises(FaultImpossible):
        faults.check(FILLING, own)
    with pytest.raises(FaultImpossible):
        faults.fill(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_own_disk_is_filled_and_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = faults.HEADROOM_BYTES + 100_000
    monkeypatch.setattr("os.path.ismount", lambda _: True)
    monkeypatch.setattr(faults, "disk_usage", lambda _: SimpleNamespace(free=room))
    faults.fill(tmp_path)
    assert (tmp_path / faults.BALLAST).stat().st_size == 100_000
    faults.free(tmp_path)
    faults.free(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_own_installation_needs_own_directory(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(InstallationNotStarted), OwnInstallation(tmp_path, {}):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["letter.txt"]


def test_failed_start_of_installation_has_a_reason(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with (
        pytest.raises(InstallationNotStarted) as refused,
        OwnInstallation(folder, {"workers": "none"}),
    ):
        pass
    assert "workers" in refused.value.reason
