"""A stand-in for the mail of the world: an SMTP receiver and an inbox that shows what came."""

from pathlib import Path

from aiohttp import web

from standins.faults import Faults
from standins.mail.pages import FAULT_SWITCHES, Pages
from standins.mail.smtp import Receiver
from standins.mail.store import Box
from standins.web import application, serve

__all__ = ["Post"]


class Post:
    """Receiver and inbox, with the mails in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._box = Box(directory / "mail.sqlite")
        faults = Faults(self._box.connection, FAULT_SWITCHES)
        self._receiver = Receiver(self._box, faults)
        self._runner: web.AppRunner | None = None
        self._app = application()
        Pages(self._box, faults).open(self._app)

    async def serve(self, host: str, port: int, smtp_port: int) -> tuple[str, int]:
        """Open; returns the base URL of the inbox and the SMTP port."""
        self._runner, url = await serve(self._app, host, port)
        return url, await self._receiver.listen(host, smtp_port)

    async def stop(self) -> None:
        """Close."""
        await self._receiver.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        self._box.close()
