"""A mistyped `--data` is refused by name; only `up` makes an installation."""

from pathlib import Path

import pytest

from meterai.commands import Directory, Exit
from tests.support.commands import COMMANDS, Done, do

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
