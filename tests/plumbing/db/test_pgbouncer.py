"""PgBouncer between us and the database, with the configuration that we ship: service returns soon after the
database."""

import asyncio
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from psycopg.rows import dict_row

from meterai.plumbing.db.database import RECONNECT_SECONDS, Database, DatabaseAway, DatabaseBusy
from tests.support.instance import free_ports, until
from tests.support.servers import Server

CONFIGURATION = Path(__file__).parents[3] / "deploy" / "pgbouncer" / "meterai.ini"
PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
BACK_SECONDS_MAX = 5  # after the return of the database: the aim
# Settings after which PgBouncer looks for the database again; each is 15 s by default.
LOOKS_AGAIN = ("server_login_retry", "server_connect_timeout", "dns_nxdomain_ttl", "dns_max_ttl")
REFUSES = "closing because: server login has been failing"
CONNECTED = "new connection to server"

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="PgBouncer is not on this machine; scripts/servers installs it"
)


def shipped() -> ConfigParser:
    """The configuration in the repository."""
    found = ConfigParser()
    assert found.read(CONFIGURATION)
    return found


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer, and the server behind it."""

    server: Server
    port: int
    log: Path

    def url(self, database: str = "meterai") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def settings(self) -> dict[str, str]:
        """Settings in force according to PgBouncer."""
        with psycopg.connect(
            self.url("pgbouncer"), autocommit=True, cursor_factory=psycopg.ClientCursor
        ) as console:
            rows = console.cursor(row_factory=dict_row).execute("SHOW CONFIG")
            return {row["key"]: row["value"] for row in rows}


def configuration(server: Server, folder: Path, port: int) -> str:
    """The shipped configuration with another port, another server, and no passwords."""
    text = CONFIGURATION.read_text()
    for written, here in (
        ("host=127.0.0.1 port=5432 dbname=meterai", f"host={server.socket_folder} dbname=postgres"),
        ("listen_port = 6432", f"listen_port = {port}\nunix_socket_dir ="),
        ("auth_type = scram-sha-256", f"auth_type = trust\nlogfile = {folder}/pgbouncer.log"),
        ("/etc/pgbouncer/userlist.txt", f"{folder}/userlist.txt"),
    ):
        assert written in text, f"{written} is not in the configuration any more"
        text = text.replace(written, here)
    return f"{text}\nadmin_users = postgres\n"


@pytest.fixture(scope="module")
def pooler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooler]:
    assert PROGRAM is not None
    base = tmp_path_factory.mktemp("pooled")
    server = Server(base)
    (port,) = free_ports(1)
    user = pwd.getpwuid(server.pid_file.stat().st_uid)  # neither of the two programs runs as root
    folder = base / "pooler"
    folder.mkdir(mode=0o755)
    shutil.chown(folder, user.pw_uid, user.pw_gid)
    (folder / "userlist.txt").write_text('"postgres" ""\n')
    (folder / "pgbouncer.ini").write_text(configuration(server, folder, port))
    running = subprocess.Popen(
        [PROGRAM, "-q", str(folder / "pgbouncer.ini")],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[] if user.pw_uid else None,
    )
    pooler = Pooler(server, port, folder / "pgbouncer.log")

    def answers() -> bool:
        assert running.poll() is None, pooler.log.read_text()
        with suppress(psycopg.OperationalError):
            return bool(pooler.settings())
        return False

    try:
        until("PgBouncer answers", answers)
        yield pooler
    finally:
        running.terminate()
        running.wait(20)
        server.stop()


def test_shipped_settings_are_in_force_and_retry_in_time(pooler: Pooler) -> None:
    ours = dict(shipped()["pgbouncer"])
    for of_this_test in ("listen_port", "auth_type", "auth_file"):
        del ours[of_this_test]
    found = pooler.settings()
    assert {name: found[name] for name in ours} == ours
    assert sum(int(ours[name]) for name in LOOKS_AGAIN[:2]) <= BACK_SECONDS_MAX
    assert all(int(ours[name]) <= BACK_SECONDS_MAX for name in LOOKS_AGAIN)


def test_stopped_database_is_served_within_the_aim(pooler: Pooler) -> None:
    """Counts our attempts that PgBouncer refuses although the database is back."""

    async def run() -> int:
        database = Database(pooler.url(), connections=2)
        await database.open()
        try:
            await database.call("SELECT 1")
            await asyncio.to_thread(pooler.server.stop)
            while REFUSES not in pooler.log.read_text():
                with suppress(DatabaseAway, DatabaseBusy):
                    await database.call("SELECT 1")
                await asyncio.sleep(0.05)
            await asyncio.to_thread(pooler.server.start)
            before, began = len(pooler.log.read_text()), monotonic()
            async with asyncio.timeout(90):
                while True:
                    with suppress(DatabaseAway):
                        await database.call("SELECT 1")
                        break
                    await asyncio.sleep(0.05)
            print(f"back {monotonic() - began:.1f} s after the database")
            since = pooler.log.read_text()[before:]
            assert CONNECTED in since
            return since.count(REFUSES)
        finally:
            await database.close()

    assert asyncio.run(run()) <= BACK_SECONDS_MAX / RECONNECT_SECONDS
