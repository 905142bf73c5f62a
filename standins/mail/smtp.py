"""A small SMTP server (RFC 5321): it accepts mail for every address, stores it, and relays nothing. It understands EHLO,
HELO, MAIL, RCPT, DATA with dot-stuffing, RSET, NOOP, VRFY and QUIT; with SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8
(RFC 6531) and PIPELINING (RFC 2920).
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress

from standins.faults import Faults
from standins.mail.store import MailStore

MAIL_BYTES_MAX = 1024 * 1024  # announced by SIZE; our mails contain links, not documents
RECIPIENTS_MAX = 100  # RFC 5321, 4.5.3.1.8: at least 100
IDLE_SECONDS_MAX = 60.0  # a client that sends nothing for so long is disconnected
SESSIONS_MAX = 500  # at the same time; more are answered 421
# A body line may be longer than the 1,000 octets of RFC 5321, since some mailers do not fold; never longer than a mail.
LINE_BYTES_MAX = MAIL_BYTES_MAX

_PATH = re.compile(r"(FROM|TO):\s*<([^<>\s]*)>(?:\s+(.*))?", re.IGNORECASE)
_SIZE = re.compile(r"\bSIZE=(\d{1,20})\b", re.IGNORECASE)

log = logging.getLogger(__name__)


class Session:
    """One SMTP session: commands and replies over one connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        store: MailStore,
        faults: Faults,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._store = store
        self._faults = faults
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._has_quit = False
        self._commands: dict[str, Callable[[str], Awaitable[str]]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "VRFY": self._vrfy,
            "QUIT": self._quit,
        }

    async def run(self) -> None:
        """Send the greeting, then reply to each line until QUIT or the end of the connection.

        Raises `TimeoutError` after `IDLE_SECONDS_MAX` without a line.
        """
        await self._reply("220 stand-in mail, nothing is delivered")
        while not self._has_quit:
            line = await self._line()
            if not line:
                return
            command, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            answer = self._commands.get(command.upper())
            await self._reply("500 unknown command" if answer is None else await answer(rest))

    async def _line(self) -> bytes:
        async with asyncio.timeout(IDLE_SECONDS_MAX):
            return await self._reader.readline()

    async def _reply(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        async with asyncio.timeout(IDLE_SECONDS_MAX):
            await self._writer.drain()

    def _reset(self) -> None:
        self._sender = None
        self._recipients = []

    async def _ehlo(self, _: str) -> str:
        self._reset()
        return (
            f"250-stand-in mail\r\n250-SIZE {MAIL_BYTES_MAX}\r\n250-8BITMIME\r\n"
            "250-SMTPUTF8\r\n250 PIPELINING"
        )

    async def _helo(self, _: str) -> str:
        self._reset()
        return "250 stand-in mail"

    async def _mail(self, rest: str) -> str:
        found = _PATH.fullmatch(rest.strip())
        if found is None or found[1].upper() != "FROM":
            return "501 MAIL FROM:<address>"
        if self._sender is not None:
            return "503 one sender at a time"
        size = _SIZE.search(found[3] or "")
        if size is not None and int(size[1]) > MAIL_BYTES_MAX:
            return f"552 at most {MAIL_BYTES_MAX} bytes"
        self._sender = found[2]
        return "250 ok"

    async def _rcpt(self, rest: str) -> str:
        found = _PATH.fullmatch(rest.strip())
        if found is None or found[1].upper() != "TO" or not found[2]:
            return "501 RCPT TO:<address>"
        if self._sender is None:
            return "503 MAIL first"
        if len(self._recipients) == RECIPIENTS_MAX:
            return "452 too many recipients"
        self._recipients.append(found[2])
        return "250 ok"

    async def _data(self, _: str) -> str:
        if not self._recipients:
            return "503 RCPT first"
        await self._reply("354 end with a line that holds only a dot")
        raw = await self._content()
        recipients = self._recipients
        self._reset()
        if raw is None:
            return f"552 at most {MAIL_BYTES_MAX} bytes"
        await asyncio.sleep(self._faults.seconds("delay_seconds"))
        if self._faults.take("refuse"):
            return "451 try again later"
        self._store.add(recipients, raw)
        return "250 kept"

    async def _content(self) -> bytes | None:
        """Return the mail up to the line with a single dot, without dot-stuffing; None if it was too large."""
        lines: list[bytes] = []
        size = 0
        while (line := await self._line()) not in (b".\r\n", b".\n"):
            if not line.endswith(b"\n"):
                raise ConnectionResetError("the mail broke off")
            size += len(line)
            # Read to the end, because the client reads no reply before it has sent everything, but discard the rest.
            if size <= MAIL_BYTES_MAX:
                lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines) if size <= MAIL_BYTES_MAX else None

    async def _rset(self, _: str) -> str:
        self._reset()
        return "250 ok"

    async def _noop(self, _: str) -> str:
        return "250 ok"

    async def _vrfy(self, _: str) -> str:
        return "252 everybody gets mail here"

    async def _quit(self, _: str) -> str:
        self._has_quit = True
        return "221 bye"


class SmtpServer:
    """Listens, and runs a session for every connection."""

    def __init__(self, store: MailStore, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self._sessions: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> int:
        """Listen on this port, on any free port for 0. Return the port."""
        self._server = await asyncio.start_server(self._connected, host, port, limit=LINE_BYTES_MAX)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and end every session."""
        if self._server is not None:
            self._server.close()
        sessions = list(self._sessions)
        for task in sessions:
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if len(self._sessions) > SESSIONS_MAX:
                writer.write(b"421 too many connections, try again later\r\n")
            else:
                await Session(reader, writer, self._store, self._faults).run()
        except (OSError, TimeoutError, ValueError) as cause:
            # The client disconnected, sent nothing for too long, or sent an endless line.
            log.info("a mail session broke off: %s", cause)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
