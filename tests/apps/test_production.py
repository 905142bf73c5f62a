"""Every command checks the demands of production, each independently."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from cyclopts import App

from meterai.apps.production import undemanded_of
from meterai.apps.program import program_of
from meterai.apps.rooms import ROOMS
from meterai.apps.settings import SECTIONS
from meterai.commands import (
    DemandScope,
    Exit,
    NotForProduction,
    OnlyForDevelopment,
    Options,
)
from meterai.commands import check_allowed as check_scope
from meterai.kit.clock import SystemClock
from meterai.payments.adapters.snap.bank import CLIENT_SECRET_FILE, SIGNING_KEY_FILE
from meterai.plumbing.config import Configuration, names_of
from meterai.plumbing.keyring import Keyring, public_pem
from meterai.plumbing.messages import LANGUAGES, catalogue, translate
from meterai.sealing import development_issuers
from meterai.sealing.signing import development
from tests.operator.demanded import paper
from tests.support.commands import APP, COMMANDS, run, run_here
from tests.support.demanding import DEMANDS, Installation, Wrong, good, wrong_ways


def check_allowed(command: str, configuration: Configuration) -> None:
    """The check that every command makes first."""
    check_scope(command, COMMANDS[command].scope, configuration, DEMANDS)


def _name(role: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Penerbit Contoh {role}")])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of keys, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    keyring = Keyring(folder, may_make=True)
    keyring.secret(CLIENT_SECRET_FILE)
    (keyring.directory / "bank.pub.pem").write_bytes(public_pem(keyring.rsa_key(SIGNING_KEY_FILE)))
    with pytest.MonkeyPatch.context() as named:
        named.setattr(development, "_name", _name)
        development_issuers(keyring.directory / "issuer", at=SystemClock().now())
    for path in keyring.directory.rglob("*"):
        path.chmod(path.stat().st_mode & ~0o022)
    return keyring.directory


@pytest.fixture
def right(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    for name in names_of(SECTIONS):
        monkeypatch.delenv(f"METERAI_{name.upper()}", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    shutil.copytree(made, tmp_path / "keys")
    return Installation(tmp_path)


# -- each demand -----------------------------------------------------------------------------


def test_complete_installation_meets_every_demand(right: Installation) -> None:
    assert right.lacks() == []
    for command in COMMANDS:
        if COMMANDS[command].scope is not DemandScope.NEVER:
            check_allowed(command, right.configuration())


@pytest.mark.parametrize(
    ("name", "wrong"), [(name, wrong) for name, ways in wrong_ways().items() for wrong in ways]
)
def test_only_the_unmet_demand_is_reported(right: Installation, name: str, wrong: Wrong) -> None:
    wrong(right)
    lacks = right.lacks()
    assert {found for found, _ in lacks} == {name}
    with pytest.raises(NotForProduction) as refused:
        check_allowed("web", right.configuration())
    assert [one.name for one in refused.value.complaints] == [name] * len(lacks)
    for _, facts in lacks:
        for language in LANGUAGES:
            said = translate(f"production.{name}", language, **facts)
            assert "{" not in said.replace(str(facts.get("found", "")), ""), said


@pytest.mark.parametrize(("name", "value"), good())
def test_alternative_valid_setting_is_accepted(
    right: Installation, name: str, value: object
) -> None:
    right.given[name] = value
    assert right.lacks() == []


def test_database_of_the_machine_is_accepted(right: Installation) -> None:
    del right.given["database_url"]
    right.given["database"] = "system"
    assert right.lacks() == []


def test_mail_server_of_this_machine_needs_no_encryption(right: Installation) -> None:
    right.given |= {"smtp_host": "127.0.0.1", "smtp_port": 25, "smtp_tls": "none"}
    assert right.lacks() == []


def test_text_of_the_operator_may_be_a_text_file(right: Installation) -> None:
    paper(b"# Syarat\n\nUang kembali.")(right)
    assert right.lacks() == []


def test_issuer_in_another_folder_is_checked_there(right: Installation) -> None:
    right.given["issuer"] = str((right.keys / "issuer").rename(right.folder / "elsewhere"))
    assert right.lacks() == []
    (right.folder / "elsewhere" / "development-1" / "seal.key").chmod(0o644)
    assert [name for name, _ in right.lacks()] == ["keys_closed"]


# -- completeness ----------------------------------------------------------------------------


def test_every_setting_has_a_demand_or_a_reason_why_not() -> None:
    demanded = {name for demand in DEMANDS for name in demand.settings}
    assert demanded | set(undemanded_of()) == set(names_of(SECTIONS))
    assert not demanded & set(undemanded_of())
    assert all(undemanded_of().values())


def test_every_demand_has_a_sentence_and_ways_to_break_it() -> None:
    names = dict.fromkeys(demand.name for demand in DEMANDS)
    said = {key for key in catalogue() if key.startswith("production.")}
    assert said == {f"production.{name}" for name in names}
    rooms = {one.name: room.name for room in ROOMS for one in room.demands}
    met = [
        f"tests/{rooms.get(one, 'apps')}/demanded.py: {one}"
        for one in names
        if one not in wrong_ways()
    ]
    assert not met
    assert wrong_ways().keys() <= names.keys()


def commands(of: App, prefix: str = "") -> Iterator[str]:
    for name in of:
        if name.startswith("-"):
            continue
        below = of[name]
        inner = list(commands(below, f"{prefix}{name} "))
        yield from inner or [f"{prefix}{name}"]


def test_every_command_has_a_declaration() -> None:
    assert set(commands(APP)) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_with_an_unmet_demand_is_refused(right: Installation, command: str) -> None:
    scope = COMMANDS[command].scope
    if scope is DemandScope.NEVER:
        with pytest.raises(OnlyForDevelopment):
            check_allowed(command, right.configuration())
    right.given["proxies"] = 0
    _tried(command, right, is_refused=scope is DemandScope.EVERYTHING)
    right.given["database_url"] = None
    _tried(command, right, is_refused=scope in (DemandScope.EVERYTHING, DemandScope.DATABASE))
    right.given["environment"] = "development"
    check_allowed(command, right.configuration())


def _tried(command: str, one: Installation, *, is_refused: bool) -> None:
    if COMMANDS[command].scope is DemandScope.NEVER:
        return
    if is_refused:
        with pytest.raises(NotForProduction):
            check_allowed(command, one.configuration())
    else:
        check_allowed(command, one.configuration())


def test_settings_are_loaded_only_for_a_named_command() -> None:
    with pytest.raises(TypeError):
        Options().settings()  # type: ignore[call-arg]
    with pytest.raises(KeyError):
        Options(program=program_of()).settings("another")


# -- messages to an operator -----------------------------------------------------------------


PRODUCTION = {"METERAI_ENVIRONMENT": "production"}


@pytest.mark.parametrize("command", ["web", "worker"])
def test_defaults_are_refused_in_production(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, **PRODUCTION)
    assert done.returncode == Exit.CONFIGURATION, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("meterai: not_for_production: ")
    named = [line.split(": ")[1] for line in lines[1:]]
    assert {"public_address", "proxies", "database", "bank_address", "keys_there"} <= set(named)
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


@pytest.mark.parametrize("command", [("up",), ("standins",), ("seal", "in.pdf", "out.pdf")])
def test_development_command_is_refused_in_production(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = run(tmp_path, *command, **PRODUCTION)
    assert done.returncode == Exit.CONFIGURATION, done.stderr
    assert done.stderr.startswith("meterai: only_for_development: ")
    assert list(tmp_path.iterdir()) == []


def test_all_unmet_demands_are_reported_together(tmp_path: Path) -> None:
    done = run_here(tmp_path, "check-config", **PRODUCTION)
    assert done.returncode == Exit.CONFIGURATION
    names = {line.split(": ")[0] for line in done.stdout.splitlines()}
    lacking = Installation(tmp_path, {"environment": "production"}).lacks()
    assert names == {name for name, _ in lacking}
    assert names > {"public_address", "keys_there", "operator_named", "bank_address"}


def test_development_reports_what_production_would_lack(right: Installation) -> None:
    right.given["environment"] = "development"
    environ = {f"METERAI_{name.upper()}": str(value) for name, value in right.given.items()}
    done = run_here(right.folder, "check-config", **environ)
    assert (done.returncode, done.stdout.splitlines()[1:]) == (
        0,
        ["as production it would meet all demands"],
    )
    done = run_here(right.folder, "check-config", **environ | PRODUCTION)
    assert (done.returncode, done.stdout) == (0, "nothing is wrong\n"), done.stdout
    done = run_here(right.folder, "check-config", **environ | {"METERAI_PROXIES": "0"})
    assert done.returncode == 0
    assert [line.split(": ")[0] for line in done.stdout.splitlines()[2:]] == ["proxies"]


def test_missing_key_is_reported_in_one_line(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "keys").mkdir()
    there = PRODUCTION | {"METERAI_DATABASE_URL": database_url}
    done = run_here(tmp_path, "accounts", "create", "ani@example.id", **there)
    assert done.returncode == Exit.CONFIGURATION, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("meterai: key_missing: ")
    assert str(tmp_path / "keys" / "instance.key") in line


def test_unreadable_setting_is_a_wrong_configuration(tmp_path: Path) -> None:
    done = run_here(tmp_path, "check-config", METERAI_PORT="http")
    assert done.returncode == Exit.CONFIGURATION
    assert done.stderr.startswith("meterai: configuration_wrong: ")
