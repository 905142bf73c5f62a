"""A mistyped `--data` is refused by name; only `up` makes an installation."""

from pathlib import Path

import pytest

from meterai.commands import Directory, Exit
from tests.support.commands import COMMANDS, Done, do, run_here

pytestmark = pytest.mark.sample(20, of="file")

LOOKING = [
    command
    for command, need in COMMANDS.items()
    if need.directory not in (Directory.MADE, Directory.RESTORED)
]
NEEDING = [command for command in LOOKING if COMMANDS[command].directory is not Directory.SETTINGS]


def assert_refused(done: Done, folder: Path) -> None:
    assert done.returncode == Exit.CONFIGURATION, done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("meterai: installation_missing: ")
    assert str(folder) in line
    assert done.stdout == ""


@pytest.mark.parametrize("command", LOOKING)
def test_missing_directory_is_not_made(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "mistyped" / "deep"
    # Also refused if the rest is configured elsewhere: the name is mistyped.
    assert_refused(do(folder, command, METERAI_ISSUER="/nowhere"), folder)
    assert not folder.parent.exists()


@pytest.mark.parametrize("command", NEEDING)
def test_directory_without_installation_stays_unchanged(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "another"
    folder.mkdir()
    (folder / "letter.txt").touch()
    assert_refused(do(folder, command), folder)
    assert [one.name for one in folder.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("command", ["config", "check-config"])
def test_command_that_only_reads_settings_makes_nothing(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert do(folder, command).returncode == 0
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "command", [one for one in NEEDING if COMMANDS[one].directory is Directory.DATABASE]
)
def test_external_database_needs_no_directory(
    tmp_path: Path, database_url: str, command: str
) -> None:
    done = do(tmp_path, command, DATABASE_URL=database_url)
    assert done.returncode != Exit.CONFIGURATION, done.stderr
    assert not any((tmp_path / name).exists() for name in ("keys", "postgres", "instance.json"))


def test_installation_without_database_does_not_get_one(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    done = run_here(tmp_path, "audit")
    assert done.stderr.startswith("meterai: database_missing: ")
    assert [one.name for one in tmp_path.iterdir()] == ["keys"]


def test_inspecting_command_makes_no_issuer(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    for command in ("verify", "issuer show", "check-config"):
        do(tmp_path, command)
    assert list((tmp_path / "keys").iterdir()) == []
