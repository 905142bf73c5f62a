"""docs/first-day.md leads to a production installation that answers. Its commands are run in order."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import urllib3

from meterai.plumbing.db.embedded import EmbeddedPostgres
from tests.faults.test_nginx import MIME_TYPES, PROGRAM, certificate
from tests.support.certifying import certify
from tests.support.desk import staff_session
from tests.support.first_day import UNITS, UV, Block, Machine, blocks
from tests.support.instance import free_ports, until
from tests.support.keys import BANK_KEY, public_pem_of

CHAIN = ("seal.pem", "intermediate.pem", "root.pem")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine without an installation, with its database server."""
    folder = tmp_path_factory.mktemp("first")
    embedded = EmbeddedPostgres(folder / "pg")
    (folder / "pg").mkdir()
    try:
        web, metrics = free_ports(2)
        yield Machine(folder, embedded.start(), (web, metrics))
    finally:
        embedded.stop()


def of(heading: str) -> list[Block]:
    """The blocks of a section that are run."""
    return [one for one in blocks() if one.heading.startswith(heading) and one.how == "run"]


def give(machine: Machine) -> None:
    """Write the answers of the authority and the bank to the files of `keys make`."""
    issuer, given = (
        machine.path("/var/lib/meterai/keys/issuer/issuer-1"),
        machine.path("/etc/meterai/given"),
    )
    certify(issuer, datetime.now(UTC))
    for name in CHAIN:
        (issuer / name).rename(given / name)
    (given / "bank.pub.pem").write_bytes(public_pem_of(BANK_KEY))


def installed(machine: Machine) -> None:
    """Run the second section. Skips if the packages of the locks are not in the local cache."""
    try:
        subprocess.run([UV, "--version"], check=True, capture_output=True)
    except OSError:
        pytest.skip("uv is not in this environment")
    (block,) = of("2.")
    assert machine.run(block).strip().startswith("0.")


@pytest.mark.soak
def test_commands_of_the_page_make_an_installation_that_answers(machine: Machine) -> None:
    installed(machine)
    (database,) = of("3.")
    machine.run(database)
    assert machine.path("/etc/meterai/migrate.env").stat().st_mode & 0o777 == 0o600
    made, certified = of("4.")
    assert "LACKS" in machine.run(made)
    give(machine)
    assert machine.run(certified).endswith("nothing is wrong\n")
    assert machine.once("meterai-migrate.service") == 0, machine.said("meterai-migrate.service")
    _serves(machine)
    _is_of_the_application(machine)


def _serves(machine: Machine) -> None:
    looked, pages = of("5.")[0], of("6.")[0]
    with machine.serving("meterai-worker.service"), machine.serving("meterai-web.service") as web:
        until("the web answers", lambda: _answers(machine) or web.poll() is not None, seconds=60)
        assert web.poll() is None, machine.said("meterai-web.service")
        assert "every invariant holds" in machine.run(looked)
        assert machine.once("meterai-audit-incremental.service") == 0
        machine.run(pages)
        _nginx_takes_it(machine)
        page = urllib3.request("GET", f"http://127.0.0.1:{machine.web_port}/", retries=False)
        assert page.status == 200
        assert "strict-transport-security" in page.headers
        (figures,) = of("7.")
        assert "meterai_requests_total" in machine.run(figures)
        kept, account = of("8.")
        machine.run(kept)
        assert re.search(r"^\S{30,}$", machine.run(account).splitlines()[-1])
        (supervisors,) = of("9.")
        _have_passkeys(machine, *re.findall(r"staff first (\S+)", supervisors.text))
        assert machine.run(supervisors).count(": supervisor\n") == 2


def _have_passkeys(machine: Machine, *addresses: str) -> None:
    """People who signed in by mail and made a passkey on the account page."""
    for address in addresses:
        url = f"postgresql://meterai_web@/meterai?host={machine.socket}"
        assert staff_session(url, email=address).email == address


def _answers(machine: Machine) -> bool:
    try:
        url = f"http://127.0.0.1:{machine.web_port}/readyz"
        return urllib3.request("GET", url, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _nginx_takes_it(machine: Machine) -> None:
    conf = machine.path("/etc/nginx/conf.d/meterai.conf")
    assert conf.read_text().count("meterai.contoh.id") == 2
    if PROGRAM is None or not MIME_TYPES.is_file():
        return
    tls = machine.path("/etc/meterai/tls")
    tls.mkdir()
    certificate(tls)
    (tls / "cert.pem").rename(tls / "fullchain.pem")
    plain, secure = free_ports(2)
    text = machine.here(conf.read_text())
    for port, free in (("443", secure), ("80", plain)):
        text = re.sub(rf"listen (\[::\]:)?{port}\b", rf"listen \g<1>{free}", text)
    conf.write_text(text)
    whole = machine.folder / "nginx.conf"
    whole.write_text(
        f"pid {machine.folder}/nginx.pid;\nevents {{ }}\n"
        f"http {{ include {MIME_TYPES}; access_log off; include {conf}; }}\n"
    )
    done = subprocess.run(
        [PROGRAM, "-t", "-e", str(machine.folder / "nginx.log"), "-c", str(whole)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _is_of_the_application(machine: Machine) -> None:
    """The login of the web process cannot change history, and the tables belong to their owner."""
    url = f"postgresql://meterai_web@/meterai?host={machine.socket}"
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM audit_events")


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not on this machine"
)
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    meterai = UV.parent / "meterai"
    for path in UNITS.iterdir():
        (tmp_path / path.name).write_text(
            path.read_text().replace("/opt/meterai/venv/bin/meterai", str(meterai))
        )
    files = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for service in (one for one in files if one.endswith(".service")):
        looked = ["systemd-analyze", "security", "--offline=true", "--threshold=20", service]
        exposed = subprocess.run(looked, capture_output=True, text=True, check=False)
        assert exposed.returncode == 0, exposed.stdout
