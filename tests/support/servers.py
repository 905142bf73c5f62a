"""PostgreSQL servers that a test stops, kills and freezes, and a switch in front of them."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from meterai.plumbing.db.embedded import EmbeddedPostgres
from tests.support.instance import until
from tests.support.listening import Listener


class Server:
    """A server with a data directory of its own, and all its processes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.embedded = EmbeddedPostgres(directory)
        self.pid_file = directory / "postgres" / "postmaster.pid"
        self.url = self.embedded.start()

    @property
    def postmaster(self) -> psutil.Process:
        """The process that started all others."""
        return psutil.Process(int(self.pid_file.read_text().splitlines()[0]))

    @property
    def socket_folder(self) -> str:
        """The host setting of its clients."""
        return self.url.rsplit("host=", 1)[1]

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return f"{self.socket_folder}/.s.PGSQL.5432"

    def start(self) -> None:
        self.embedded.start()

    def stop(self) -> None:
        self.embedded.stop()

    def kill(self) -> None:
        """Kill it as a power failure does, without notice to clients."""
        postmaster = self.postmaster
        everything = [*postmaster.children(recursive=True), postmaster]
        for one in everything:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        until("every process of it is dead", lambda: all(map(_is_dead, everything)))

    def freeze(self) -> None:
        """Suspend all its processes. The kernel still accepts connections."""
        self._tell_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._tell_all(signal.SIGCONT)

    def _tell_all(self, what: signal.Signals) -> None:
        postmaster = self.postmaster
        for one in [postmaster, *postmaster.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(what)


def _is_dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class Switch(Listener):
    """A port that leads each new connection to the current server, as a proxy does."""

    def __init__(self, target: str) -> None:
        self.target = target

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self.target)
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    @staticmethod
    async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while some := await source.read(65536):
                sink.write(some)
                await sink.drain()
        except OSError:
            return
        finally:
            sink.close()
