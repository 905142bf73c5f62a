"""Any input to a command ends in a sentence and a status of the table."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from cyclopts import Parameter

from meterai.commands import Exit, text_only
from meterai.draw.protocol.record import write
from meterai.kit.reasons import REASON_LENGTH_MAX
from meterai.plumbing.files import KEY_BYTES_MAX, SETTINGS_BYTES_MAX, read_file
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.signed import DocumentSigner
from meterai.sealing import development_issuers
from tests.apps.test_exits import functions
from tests.support.commands import APP, ARGUMENTS, COMMANDS, ROOT, Done, run, run_here
from tests.support.draws import drawn_record, entries_of

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


@pytest.mark.parametrize("command", sorted(ALONE))
def test_serving_command_refuses_unreadable_settings(data: Path, command: str) -> None:
    bad = data.parent / "bad.toml"
    no_text(bad)
    assert_reported(run(data, command, "--config", str(bad)))


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


def deep_json(path: Path) -> None:
    path.write_text('{"x":' * 20_000)


def deep_array(path: Path) -> None:
    path.write_text("points = " + "[" * 20_000)


def long_key(path: Path) -> None:
    path.write_text("a." * 50_000 + "a = 1\n")


# Input of commands that plan, measure or check; `{}` is the file.
READ = {
    "plan --curve": ("plan", *ARGUMENTS["plan"], "--curve", "{}"),
    "plan --measured": (
        *("plan", "--applicants", "100", "--hours", "0.1", "--measured", "{}"),
        *("--journey", "buy"),
    ),
    "rehearse": ("rehearse", "{}"),
    "rehearse --targets": ("rehearse", "small", "--url", "http://10.0.0.1", "--targets", "{}"),
    "assess": ("assess", "{}", "--out", "/nowhere/report"),
    "draw verify": ("draw", "verify", "{}"),
    "draw verify --proof": ("draw", "verify", "{draw}", "--proof", "{}"),
    "draw verify --entries": ("draw", "verify", "{draw}", "--entries", "{}"),
    "evidence verify": ("evidence", "verify", "{}", "--key", "{draw}"),
    "evidence verify --key": ("evidence", "verify", "{draw}", "--key", "{}"),
    "regulator check": ("regulator", "check", "{}", "--key", "{draw}"),
    "regulator check --key": ("regulator", "check", "/nowhere", "--key", "{}"),
    "draw prove": ("draw", "prove", "{}", "00" * 16),
}


@pytest.mark.parametrize(
    "make", [*NO_SETTINGS, deep_json, deep_array, long_key], ids=lambda make: make.__name__
)
@pytest.mark.parametrize("words", READ.values(), ids=READ)
def test_unreadable_plans_runs_and_records_are_refused(
    data: Path, words: tuple[str, ...], make: Make
) -> None:
    bad, draw = data.parent / "bad", data.parent / "draw.json"
    make(bad)
    draw.write_bytes(write(drawn_record(entries_of(3))))
    done = run_here(
        data, *(word.replace("{draw}", str(draw)).replace("{}", str(bad)) for word in words)
    )
    assert done.returncode in (Exit.USAGE, Exit.NO), done
    assert "Traceback" not in done.stderr
    assert len(done.stderr + done.stdout) < 2_000


@pytest.mark.parametrize("make", NO_FILES, ids=lambda make: make.__name__)
def test_proof_of_place_that_is_no_file_is_refused(data: Path, make: Make) -> None:
    bad, key = data.parent / "bad", data.parent / "key.pem"
    make(bad)
    key.write_bytes(DocumentSigner(bytes(32)).public_pem())
    done = run_here(data, "line", "check-proof", str(bad), "--key", str(key))
    assert_reported(done)
    assert done.returncode == Exit.USAGE
    assert "file_unusable: " in done.stderr


def test_number_beyond_a_float_is_refused(data: Path) -> None:
    words = ("plan", *ARGUMENTS["plan"], "--seed", "9" * 400)
    done = run_here(data, *words)
    assert_reported(done)
    assert done.returncode == Exit.USAGE


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


@pytest.mark.parametrize("make", [pipe, door, huge, nothing], ids=lambda make: make.__name__)
def test_data_directory_that_is_no_directory_is_refused(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "data")
    for command in HERE:
        if command in ("up", "restore", "verify-claim"):
            continue  # the first two make the directory, and the third does not need it
        done = run_here(tmp_path / "data", *command.split(), *ARGUMENTS.get(command, ()))
        assert_reported(done)
        assert "installation_missing: " in done.stderr


def test_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert read_file(tmp_path / "file", 3) == b"abc"
    with pytest.raises(OSError, match="More than 2 bytes"):
        read_file(tmp_path / "file", 2)
    assert KEY_BYTES_MAX < SETTINGS_BYTES_MAX


# -- words -----------------------------------------------------------------------------------


def words_of(kind: object) -> Iterator[object]:
    """Yield the parts of an annotation that are text."""
    if kind is str or (get_args(kind)[:1] == (str,)):
        yield kind
    else:
        yield from (one for inner in get_args(kind) for one in words_of(inner))


def validates(kind: object) -> bool:
    found = [one for one in get_args(kind) if isinstance(one, Parameter)]
    return any(isinstance(one.validator, Iterable) and text_only in one.validator for one in found)


def test_every_argument_of_a_command_is_text() -> None:
    for command, function in functions(APP):
        for name, kind in get_type_hints(function, include_extras=True).items():
            if name not in ("return", "options") and list(words_of(kind)):
                assert validates(kind), (command, name)


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


def test_words_that_are_no_text_are_escaped_for_the_terminal(data: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "meterai", "accounts", "create", b"\xff@b.id", "--data", str(data)],
        cwd=ROOT, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == Exit.USAGE
    assert done.stderr.startswith(b"meterai: usage: ")


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
