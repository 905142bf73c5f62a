"""Every command checks the demands of production, each independently."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from cyclopts import App

from meterai.apps.settings import SECTIONS
from meterai.commands import (
    DemandScope,
    Exit,
    NotForProduction,
    OnlyForDevelopment,
)
from meterai.commands import check_allowed as check_scope
from meterai.kit.clock import SystemClock
from meterai.payments.adapters.snap.bank import CLIENT_SECRET_FILE, SIGNING_KEY_FILE
from meterai.plumbing.config import Configuration, names_of
from meterai.plumbing.keyring import Keyring, public_pem
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.sealing import development_issuers
from meterai.sealing.signing import development
from tests.support.commands import COMMANDS, run, run_here
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


# -- completeness ----------------------------------------------------------------------------


def commands(of: App, prefix: str = "") -> Iterator[str]:
    for name in of:
        if name.startswith("-"):
            continue
        below = of[name]
        inner = list(commands(below, f"{prefix}{name} "))
        yield from inner or [f"{prefix}{name}"]


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
