"""The PostgreSQL server of a data directory: found, shared, and started again however it ended."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from meterai.apps.settings import settings_of as make_settings
from meterai.commands import DatabaseUnreachable, Exit, database_of, exit_of
from meterai.plumbing.db.embedded import EmbeddedPostgres, _is_server
from tests.support.instance import until
from tests.support.servers import Server

pytestmark = pytest.mark.sample(5, of="file")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.stop()


def answer(url: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 42").fetchone()


def test_killed_server_is_started_again(server: Server) -> None:
    server.kill()
    assert server.embedded.revive()
    assert answer(server.url) == (42,)
    assert not server.embedded.revive(), "it lives"


def test_zombie_does_not_count_as_a_server(server: Server) -> None:
    """The parent has not waited for the dead child yet, so its process id is still in use."""
    zombie = server.postmaster
    server.kill()
    until("it is a zombie", lambda: zombie.status() == psutil.STATUS_ZOMBIE)
    assert not _is_server(zombie.pid)
    assert not EmbeddedPostgres(server.directory).is_running()


def test_reused_process_id_does_not_prevent_a_start(
    server: Server,
) -> None:
    """After a crash of the machine the file names a process of another program."""
    server.kill()
    until("it is gone", lambda: not server.embedded.is_running())
    _, rest = server.pid_file.read_text().split("\n", 1)
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        server.pid_file.write_text(f"{stranger.pid}\n{rest}")
        server.start()
        assert answer(server.url) == (42,)
    finally:
        stranger.kill()
        stranger.wait()


def bury(users: list[EmbeddedPostgres]) -> None:
    """Wait for the ended server as its parent, since another user of it may have stopped it a moment ago."""
    for user in users:
        if user._process is not None:
            user._process.wait(10)


def test_concurrent_starts_share_one_server(tmp_path: Path) -> None:
    users = [EmbeddedPostgres(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        urls = set(threads.map(EmbeddedPostgres.start, users))
    assert len(urls) == 1
    for user in users:
        assert answer(users[0].url) == (42,)
        user.stop()
    assert not [user for user in users if user.is_running()]
    bury(users)


@pytest.mark.parametrize("first_to_go", [0, 1], ids=["who started it", "who found it"])
def test_server_stops_with_its_last_user(tmp_path: Path, first_to_go: int) -> None:
    users = [EmbeddedPostgres(tmp_path), EmbeddedPostgres(tmp_path)]
    for user in users:
        user.start()
    users[first_to_go].stop()
    assert answer(users[0].url) == (42,)
    users[1 - first_to_go].stop()
    assert not [user for user in users if user.is_running()]
    bury(users)
    # The server removes its pid file a moment before it ends; its parent waits for the end.
    until("it has ended", lambda: not users[0]._is_alive())


def test_frozen_server_can_be_stopped(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meterai.plumbing.db.embedded.STOP_SECONDS_MAX", 0.2)
    # `stop` waits this long twice: the frozen server does not react, and the killed one must be gone by then.
    monkeypatch.setattr("meterai.plumbing.db.embedded.QUIT_SECONDS_MAX", 2.0)
    server.postmaster.suspend()
    server.stop()
    assert not server.embedded.is_running()
    server.start()
    assert answer(server.url) == (42,)


def test_suspended_server_is_reported_as_unreachable(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meterai.plumbing.db.embedded.START_SECONDS_MAX", 0.2)
    (server.directory / "keys").mkdir()
    settings = make_settings(data=str(server.directory))
    server.postmaster.suspend()
    try:
        with pytest.raises(DatabaseUnreachable) as refused, database_of(settings):
            pass
        assert exit_of(refused.value) == Exit.LATER
    finally:
        server.postmaster.resume()
