"""Any input to a command ends in a sentence and a status of the table."""

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meterai.commands import Exit
from meterai.kit.reasons import REASON_LENGTH_MAX
from meterai.plumbing.keyring import Keyring
from meterai.sealing import development_issuers
from tests.support.commands import ARGUMENTS, COMMANDS, Done, run_here

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
NO_TEXT = os.fsdecode(b"\xff\xfe")
STATUSES = {int(one) for one in Exit} - {Exit.FAULT}
# The metrics of these commands must be shared before anything counts, and in this process something has counted
# already.
ALONE = frozenset({"web", "worker"})
HERE = [command for command in COMMANDS if command not in ALONE]


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def door(path: Path) -> None:
    # A relative name, since the path of a socket is limited to 107 bytes.
    before = Path.cwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.name)
    os.chdir(before)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


def no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe = 1\n")


def deep(path: Path) -> None:
    path.write_text(f"a = {'[' * 5_000}")


def digits(path: Path) -> None:
    path.write_text(f"port = {'9' * 6_000}")


def nothing(_: Path) -> None:
    """No file exists."""


Make = Callable[[Path], None]
NO_FILES: tuple[Make, ...] = (folder, pipe, door, endless, huge, nothing)
NO_SETTINGS: tuple[Make, ...] = (*NO_FILES, no_text, deep, digits)


def assert_reported(done: Done) -> None:
    assert done.returncode in STATUSES, done
    assert done.returncode != Exit.DONE, done
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("meterai: "), done
    assert len(done.stderr) < 2_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with keys and an issuer."""
    Keyring(tmp_path / "data", may_make=True)
    development_issuers(tmp_path / "data" / "keys" / "issuer", at=AT)
    return tmp_path / "data"


# -- files -----------------------------------------------------------------------------------


@pytest.mark.sample(3)
@pytest.mark.parametrize("make", NO_SETTINGS, ids=lambda make: make.__name__)
def test_unreadable_settings_are_a_usage_error(data: Path, make: Make) -> None:
    bad = data.parent / "bad.toml"
    make(bad)
    for command in HERE:
        words = (*command.split(), *ARGUMENTS.get(command, ()), "--config", str(bad))
        if command == "verify-claim":
            words = (*words, "--keys", str(bad)) if make in NO_FILES else words
        done = run_here(data, *words)
        assert_reported(done)
        if command != "verify-claim":
            assert done.returncode == Exit.CONFIGURATION, (command, done)
            assert "configuration_wrong: " in done.stderr


@pytest.mark.parametrize("name", ["meterai.toml", "instance.json"])
@pytest.mark.parametrize("make", NO_SETTINGS[:-1], ids=lambda make: make.__name__)
def test_data_directory_with_unreadable_settings_is_refused(
    data: Path, name: str, make: Make
) -> None:
    make(data / name)
    done = run_here(data, "config")
    if make is nothing:
        assert done.returncode == Exit.DONE
    else:
        assert_reported(done)
        assert done.returncode == Exit.CONFIGURATION
        assert str(data / name) in done.stderr


@pytest.mark.parametrize("make", NO_FILES, ids=lambda make: make.__name__)
def test_documents_and_keys_that_are_no_files_are_refused(data: Path, make: Make) -> None:
    bad = data.parent / NO_TEXT  # a name with invalid UTF-8 is still a name
    make(bad)
    for words in (
        ("verify", str(bad)),
        ("seal", str(bad), str(data.parent / "out.pdf")),
        ("verify-claim", *ARGUMENTS["verify-claim"], "--keys", str(bad)),
        ("verify-claim", *ARGUMENTS["verify-claim"], "--document", str(bad)),
    ):
        done = run_here(data, *words)
        assert_reported(done)
        assert done.returncode == Exit.USAGE, (words, done)


@pytest.mark.parametrize("make", [*NO_FILES, no_text], ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", ["seal.key", "seal.pem", "claim.key"])
def test_unreadable_issuer_is_refused(data: Path, name: str, make: Make) -> None:
    file = data / "keys" / "issuer" / "development-1" / name
    file.unlink()
    make(file)
    if name == "claim.key" and make in (nothing, endless):
        return  # an optional key; a link to no file counts as missing
    assert_reported(run_here(data, "verify", *ARGUMENTS["verify"]))
    assert_reported(run_here(data, "issuer", "show"))


@pytest.mark.parametrize("make", NO_FILES[:-1], ids=lambda make: make.__name__)
def test_unreadable_instance_key_is_refused(data: Path, database_url: str, make: Make) -> None:
    file = data / "keys" / "instance.key"
    file.unlink()
    make(file)
    done = run_here(data, "accounts", "create", "a@example.id", DATABASE_URL=database_url)
    assert_reported(done)
    assert "key_unusable: " in done.stderr


@pytest.mark.sample(2)
@pytest.mark.parametrize("make", [pipe, door, huge, nothing], ids=lambda make: make.__name__)
def test_data_directory_that_is_no_directory_is_refused(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "data")
    for command in HERE:
        if command in ("up", "restore", "verify-claim"):
            continue  # the first two make the directory, and the third does not need it
        done = run_here(tmp_path / "data", *command.split(), *ARGUMENTS.get(command, ()))
        assert_reported(done)
        assert "installation_missing: " in done.stderr


# -- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("accounts", "create", NO_TEXT),
        ("accounts", "create", "a@b.id", "--name", NO_TEXT),
        ("accounts", "keys", NO_TEXT),
        ("accounts", "end-key", "a@b.id", NO_TEXT),
        ("issuing", "stop", NO_TEXT),
        ("issuing", "stop", "a\nb"),
        ("jobs", "retry", NO_TEXT),
        ("issuer", "appoint", NO_TEXT),
        ("verify-claim", NO_TEXT),
        ("verify", "x.pdf", "--password", NO_TEXT),
        ("seal", "x.pdf", "y.pdf", "--place", NO_TEXT),
        ("breaks", "dismiss", NO_TEXT, "--note", "x"),
        (NO_TEXT,),
        ("audit", f"--{NO_TEXT}"),
    ],
)
def test_words_that_are_no_text_are_refused(data: Path, words: tuple[str, ...]) -> None:
    done = run_here(data, *words)
    assert_reported(done)
    assert done.returncode == Exit.USAGE


@pytest.mark.parametrize("reason", ["", " ", "\u200b", "...", "x" * (REASON_LENGTH_MAX + 1)])
@pytest.mark.parametrize(
    "words", [("issuing", "stop"), (*["breaks", "dismiss"], *ARGUMENTS["breaks dismiss"][:2])]
)
def test_commands_with_reason_require_one(
    data: Path, database_url: str, words: tuple[str, ...], reason: str
) -> None:
    done = run_here(data, *words, reason, DATABASE_URL=database_url)
    assert_reported(done)
    if reason.isprintable():
        assert done.returncode == Exit.NO
        assert done.stderr.startswith("meterai: reason_missing: ")
