"""A stand-in mail server: it receives mails by SMTP, and shows all of them in an inbox on the web."""

from pathlib import Path

from aiohttp import web

from standins.faults import Faults
from standins.mail.pages import FAULT_SWITCHES, Pages
from standins.mail.smtp import SmtpServer
from standins.mail.store import MailStore
from standins.web import application, serve

__all__ = ["MailServer"]


class MailServer:
    """SMTP server and inbox, with the mails in `mail.sqlite` of `directory`."""

    def __init__(self, directory: Path) -> None:
        self._store = MailStore(directory / "mail.sqlite")
        faults = Faults(self._store.connection, FAULT_SWITCHES)
        self._smtp = SmtpServer(self._store, faults)
        self._runner: web.AppRunner | None = None
        self._app = application()
        Pages(self._store, faults).add_routes(self._app)

    async def serve(self, host: str, port: int, smtp_port: int) -> tuple[str, int]:
        """Listen. Return the base URL of the inbox and the SMTP port."""
        self._runner, url = await serve(self._app, host, port)
        return url, await self._smtp.listen(host, smtp_port)

    async def stop(self) -> None:
        """Stop listening and close the file."""
        await self._smtp.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        self._store.close()
