"""What production demands is looked at by every command, and each demand by itself."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from cyclopts import App

from meterai.apps.production import demands_of, undemanded_of
from meterai.apps.program import program_of
from meterai.apps.settings import SECTIONS, load
from meterai.commands import (
    DemandScope,
    Exit,
    NotForProduction,
    OnlyForDevelopment,
    Options,
    complaints,
)
from meterai.commands import check_allowed as check_scope
from meterai.kit.clock import SystemClock
from meterai.operator.service import PAPER_BYTES_MAX
from meterai.payments.adapters.midtrans import SERVER_KEY_FILE
from meterai.payments.adapters.snap.bank import CLIENT_SECRET_FILE, SIGNING_KEY_FILE
from meterai.plumbing.config import Configuration, names_of
from meterai.plumbing.keyring import Keyring, public_pem
from meterai.plumbing.messages import LANGUAGES, catalogue, translate
from meterai.sealing import development_issuers
from meterai.sealing.signing import development
from tests.support.commands import APP, COMMANDS, run, run_here

DEMANDS = demands_of()


def check_allowed(command: str, configuration: Configuration) -> None:
    """What every command does first."""
    check_scope(command, COMMANDS[command].scope, configuration, DEMANDS)


RIGHT: dict[str, object] = {
    "environment": "production",
    "public_url": "https://meterai.contoh.id",
    "proxies": 1,
    "database_url": "postgresql://meterai@db.contoh.id/meterai",
    "bank_url": "https://api.bank.co.id",
    "bank_client_id": "PENERBIT",
    "bank_merchant_id": "M-1",
    "bank_qr_accounts": "936000020000000001 ID1020000000001",
    "smtp_host": "smtp.contoh.id",
    "smtp_port": 587,
    "smtp_tls": "starttls",
    "mail_from": "meterai <halo@meterai.contoh.id>",
    "operator_name": "PT Contoh Meterai",
    "operator_address": "Jalan Contoh 1, Jakarta 10110",
    "operator_mail": "tanya@meterai.contoh.id",
    "operator_tax_number": "01.234.567.8-901.000",
    "operator_terms": "https://contoh.id/syarat",
    "operator_privacy": "https://contoh.id/privasi",
    "operator_security": "https://contoh.id/keamanan",
    "console_networks": "10.8.0.0/24",
}


@dataclass
class Installation:
    """A data directory with everything that production demands, until a test takes some away."""

    folder: Path
    given: dict[str, object] = field(default_factory=lambda: dict(RIGHT))

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def configuration(self) -> Configuration:
        return load({"data": str(self.folder), **self.given})

    def lacks(self) -> list[tuple[str, dict[str, object]]]:
        return [(one.name, one.facts) for one in complaints(self.configuration(), DEMANDS)]


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

Wrong = Callable[[Installation], None]


def setting(name: str, *values: object) -> list[Wrong]:
    """One way to be wrong for each value; None takes the setting away."""

    def change(value: object) -> Wrong:
        def to(one: Installation) -> None:
            one.given[name] = value

        return to

    return [change(value) for value in values]


def by_midtrans(name: str, *values: object) -> list[Wrong]:
    """The same of an installation that has Midtrans; None takes the setting or the file of this name away."""

    def change(value: object) -> Wrong:
        def to(one: Installation) -> None:
            one.given |= {
                "payment_rails": "bank midtrans",
                "midtrans_url": "https://api.midtrans.com",
                "midtrans_merchant_id": "G1",
                "midtrans_qr_accounts": "936009140000000001",
            }
            if name != SERVER_KEY_FILE:
                (one.keys / SERVER_KEY_FILE).write_text("Mid-server-1")
                (one.keys / SERVER_KEY_FILE).chmod(0o600)
                one.given[name] = value

        return to

    return [change(value) for value in values]


def without_key(name: str) -> Wrong:
    return lambda one: (one.keys / name).unlink()


def mode(name: str, bits: int) -> Wrong:
    return lambda one: (one.folder / name).chmod(bits)


def secret_in_an_open_file(one: Installation) -> None:
    file = one.folder / "meterai.toml"
    file.write_text('smtp_password = "rahasia"\n')
    file.chmod(0o644)


def key_under_a_public_name(one: Installation) -> None:
    file = one.keys / "old.pem"
    file.write_bytes((one.keys / "provider.key.pem").read_bytes())
    file.chmod(0o644)


def issuer_of_development(one: Installation) -> None:
    one.given["issuer"] = str(one.folder / "made-for-development")
    development_issuers(Path(str(one.given["issuer"])), at=SystemClock().now())
    (Path(str(one.given["issuer"])) / "current").chmod(0o644)


def paper(content: bytes) -> Wrong:
    def to(one: Installation) -> None:
        (one.folder / "syarat.txt").write_bytes(content)
        one.given["operator_terms"] = str(one.folder / "syarat.txt")

    return to


def with_virtual_accounts(more: dict[str, object]) -> Wrong:
    return lambda one: one.given.update(more | {"bank_methods": "qris va"})


def bank_with_a_file(url: str, client_id: str = "PENERBIT") -> Wrong:
    def to(one: Installation) -> None:
        (one.folder / "banks").mkdir()
        told = f'kind = "snap"\nurl = "{url}"\nclient_id = "{client_id}"\nmerchant_id = "M-2"\n'
        (one.folder / "banks" / "bri.toml").write_text(told)
        one.given["payment_rails"] = "bank bri"

    return to


ISSUER = "keys/issuer/development-1"
WRONG: dict[str, list[Wrong]] = {
    "public_address": setting(
        "public_url",
        None,
        "http://meterai.contoh.id",
        "https://localhost",
        "https://127.0.0.1:8000",
        "https://[::1]",
        "https://10.0.0.4",
        "https://meterai",
        "https://meterai.invalid",
        "https://meterai.contoh.id/portal",
        "https://meterai.contoh.id/?a",
        "https://me@meterai.contoh.id",
        "https://",
        "https://[::1",
        "meterai.contoh.id",
    ),
    "check_address": setting("public_url", f"https://{'a' * 50}.contoh.id"),
    "proxies": setting("proxies", None, 0),
    "port": setting("port", 0),
    "database": setting("database_url", None),
    "development_directory": [
        *setting("bank_port", 4711),
        *setting("mail_port", 4711),
        *setting("drand_port", 4711),
        *setting("midtrans_port", 4711),
        lambda one: (one.folder / "standins").mkdir(),
    ],
    "bank_address": setting(
        "bank_url", None, "http://api.bank.co.id", "https://127.0.0.1:9", "https://", "https://["
    ),
    "bank_identity": [
        *setting("bank_client_id", None),
        *setting("bank_merchant_id", None),
        *setting("bank_qr_accounts", None, ""),
        with_virtual_accounts({"bank_va_service_id": "89012", "bank_label": "Bank Contoh"}),
        with_virtual_accounts({"bank_va_service_id": "89012", "bank_va_name": "PT CONTOH"}),
    ],
    "bank_of_file": [
        bank_with_a_file("https://10.8.0.1:x"),
        bank_with_a_file("http://api.bank.co.id"),
        bank_with_a_file("https://api.bank.co.id", client_id=""),
        bank_with_a_file("https://api.bank.co.id"),  # without its keys
    ],
    "midtrans_address": by_midtrans(
        "midtrans_url", None, "http://api.midtrans.com", "https://[::1]"
    ),
    "midtrans_identity": [
        *by_midtrans("midtrans_merchant_id", None, ""),
        *by_midtrans("midtrans_qr_accounts", None, ""),
    ],
    "midtrans_key_there": by_midtrans(SERVER_KEY_FILE, None),
    "keys_there": [
        without_key("instance.key"),
        without_key("provider.key.pem"),
        without_key("bank.pub.pem"),
        without_key("bank-client-secret"),
        *setting("bank_public_key", "/nowhere/bank.pub.pem"),
    ],
    "keys_closed": [
        mode("keys/instance.key", 0o644),
        mode("keys/instance.key", 0o640),
        mode("keys/provider.key.pem", 0o604),
        mode("keys/bank-client-secret", 0o620),
        mode(f"{ISSUER}/seal.key", 0o644),
        mode(f"{ISSUER}/claim.key", 0o644),
        mode(f"{ISSUER}/seal.pem", 0o664),
        mode("keys", 0o777),
        key_under_a_public_name,
        secret_in_an_open_file,
    ],
    "issuer": [
        lambda one: (one.folder / ISSUER / "claim.key").unlink(),
        lambda one: (one.folder / ISSUER / "seal.key").unlink(),
        issuer_of_development,
        *setting("issuer", "/nowhere"),
    ],
    "webhook_networks": setting("webhook_networks", "127.0.0.0/8"),
    "mail_server": [*setting("smtp_port", None, 0), *setting("smtp_host", "")],
    "mail_encryption": setting("smtp_tls", None, "none"),
    "mail_sender": setting(
        "mail_from", None, "", "meterai", "x <@contoh.id>", "x <a@localhost>", "x <a@b.invalid>"
    ),
    "operator_named": [
        *setting("operator_name", None, "", " ", "PT Specimen"),
        *setting("operator_address", None, "", "Jalan SPECIMEN 1, Jakarta"),
    ],
    "operator_contact": setting(
        "operator_mail", None, "", "halo", "a@localhost", "a@b.invalid", "Kami <a@contoh.id>"
    ),
    "operator_tax_number": setting(
        "operator_tax_number",
        None,
        "",
        "1234",
        "01234567890123456",
        "01234567890100x",
        "\u0660" * 16,
    ),
    "operator_branch_number": setting(
        "operator_branch_number", "0", "0012345678901000", "1012345678901000000000"
    ),
    "operator_papers": [
        *setting("operator_terms", None, "", "/nowhere/terms.txt", "http://contoh.id/syarat"),
        *setting("operator_privacy", None, "https://localhost/", "https://["),
        paper(b"SPECIMEN: isi nanti"),
        paper(b""),
        paper(b"\xff"),
        paper(b"a" * (PAPER_BYTES_MAX + 1)),
    ],
    "operator_security": setting("operator_security", None, "", "halo", "https://localhost/x"),
    "console_door": setting(
        "console_networks", None, "0.0.0.0/0", "10.8.0.0/24, ::/0", "10.8.0.1/24"
    ),
    "case_hours_readable": [
        *setting("case_working_days", "mon-someday"),
        *setting("case_working_hours", "16:00-08:00"),
        *setting("case_holidays", "25 December"),
    ],
    "watchers_readable": setting("watchers_file", "/nowhere/watchers.toml"),
    "stamp_price": setting("stamp_price", 9_999, 12_000),
    "sign_in_guesses": [*setting("code_tries_max", 100), *setting("codes_per_hour_max", 100)],
}


def test_an_installation_in_order_lacks_nothing(right: Installation) -> None:
    assert right.lacks() == []
    for command in COMMANDS:
        if COMMANDS[command].scope is not DemandScope.NEVER:
            check_allowed(command, right.configuration())


@pytest.mark.parametrize(
    ("name", "wrong"),
    [(name, wrong) for name, ways in WRONG.items() for wrong in ways],
)
def test_a_demand_that_is_not_met_is_said_and_nothing_else(
    right: Installation, name: str, wrong: Wrong
) -> None:
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("public_url", "https://meterai.contoh.id/"),
        ("public_url", "https://meterai.contoh.id:8443"),
        ("database", "system"),
        ("bank_url", "https://10.2.0.9/snap"),  # a private line to the bank
        ("mail_from", "halo@meterai.contoh.id"),
        ("operator_tax_number", "3175001234567890"),
        ("operator_branch_number", "0012345678901000000012"),
        ("operator_security", "celah@contoh.id"),
    ],
)
def test_what_is_as_good_is_not_complained_of(right: Installation, name: str, value: str) -> None:
    right.given[name] = value
    if name == "database":
        del right.given["database_url"]
    assert right.lacks() == []


def test_a_mail_server_of_this_machine_needs_no_encryption(right: Installation) -> None:
    right.given |= {"smtp_host": "127.0.0.1", "smtp_port": 25, "smtp_tls": "none"}
    assert right.lacks() == []


def test_a_paper_of_the_operator_may_be_a_text_file(right: Installation) -> None:
    paper(b"# Syarat\n\nUang kembali.")(right)
    assert right.lacks() == []


def test_an_issuer_elsewhere_is_looked_at_where_it_is(right: Installation) -> None:
    right.given["issuer"] = str((right.keys / "issuer").rename(right.folder / "elsewhere"))
    assert right.lacks() == []
    (right.folder / "elsewhere" / "development-1" / "seal.key").chmod(0o644)
    assert [name for name, _ in right.lacks()] == ["keys_closed"]


# -- closed world ----------------------------------------------------------------------------


def test_every_setting_is_demanded_of_or_says_why_not() -> None:
    demanded = {name for demand in DEMANDS for name in demand.settings}
    assert demanded | set(undemanded_of()) == set(names_of(SECTIONS))
    assert not demanded & set(undemanded_of())
    assert all(undemanded_of().values())


def test_every_demand_has_a_sentence_and_ways_to_be_wrong() -> None:
    names = dict.fromkeys(demand.name for demand in DEMANDS)
    said = {key for key in catalogue() if key.startswith("production.")}
    assert said == {f"production.{name}" for name in names}
    assert set(WRONG) == set(names)


def commands(of: App, prefix: str = "") -> Iterator[str]:
    for name in of:
        if name.startswith("-"):
            continue
        below = of[name]
        inner = list(commands(below, f"{prefix}{name} "))
        yield from inner or [f"{prefix}{name}"]


def test_every_command_says_what_it_needs() -> None:
    assert set(commands(APP)) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_refused_where_production_lacks_what_it_needs(
    right: Installation, command: str
) -> None:
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


def test_no_command_finds_the_settings_without_saying_which_it_is() -> None:
    with pytest.raises(TypeError):
        Options().settings()  # type: ignore[call-arg]
    with pytest.raises(KeyError):
        Options(program=program_of()).settings("another")


# -- as an operator sees it ------------------------------------------------------------------


PRODUCTION = {"METERAI_ENVIRONMENT": "production"}


@pytest.mark.parametrize("command", ["web", "worker"])
def test_nothing_is_served_with_the_defaults(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, **PRODUCTION)
    assert done.returncode == Exit.CONFIGURATION, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("meterai: not_for_production: ")
    named = [line.split(": ")[1] for line in lines[1:]]
    assert {"public_address", "proxies", "database", "bank_address", "keys_there"} <= set(named)
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


@pytest.mark.parametrize("command", [("up",), ("standins",), ("seal", "in.pdf", "out.pdf")])
def test_what_pays_for_itself_does_not_run(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(tmp_path, *command, **PRODUCTION)
    assert done.returncode == Exit.CONFIGURATION, done.stderr
    assert done.stderr.startswith("meterai: only_for_development: ")
    assert list(tmp_path.iterdir()) == []


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    done = run_here(tmp_path, "check-config", **PRODUCTION)
    assert done.returncode == Exit.CONFIGURATION
    names = [line.split(": ")[0] for line in done.stdout.splitlines()]
    assert set(names) == {
        *("public_address", "proxies", "database", "bank_address", "bank_identity", "keys_there"),
        *("issuer", "mail_server", "mail_sender"),
        *("operator_named", "operator_contact", "operator_tax_number", "operator_papers"),
        *("operator_security", "console_door"),
    }


def test_development_is_told_what_it_would_lack(right: Installation) -> None:
    right.given["environment"] = "development"
    environ = {f"METERAI_{name.upper()}": str(value) for name, value in right.given.items()}
    done = run_here(right.folder, "check-config", **environ)
    assert (done.returncode, done.stdout.splitlines()[1:]) == (
        0,
        ["as production it would lack nothing"],
    )
    done = run_here(right.folder, "check-config", **environ | PRODUCTION)
    assert (done.returncode, done.stdout) == (0, "nothing is wrong\n"), done.stdout
    done = run_here(right.folder, "check-config", **environ | {"METERAI_PROXIES": "0"})
    assert done.returncode == 0
    assert [line.split(": ")[0] for line in done.stdout.splitlines()[2:]] == ["proxies"]


def test_a_missing_key_is_one_line_and_not_a_traceback(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "keys").mkdir()
    there = PRODUCTION | {"METERAI_DATABASE_URL": database_url}
    done = run_here(tmp_path, "accounts", "create", "ani@example.id", **there)
    assert done.returncode == Exit.CONFIGURATION, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("meterai: key_missing: ")
    assert str(tmp_path / "keys" / "instance.key") in line


def test_a_setting_that_cannot_be_read_is_a_wrong_configuration(tmp_path: Path) -> None:
    done = run_here(tmp_path, "check-config", METERAI_PORT="http")
    assert done.returncode == Exit.CONFIGURATION
    assert done.stderr.startswith("meterai: configuration_wrong: ")
