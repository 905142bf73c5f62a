"""A mail server whose answers can be set for each recipient."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.support.listening import Listener

FREEZE = "freeze"
GARBAGE = "garbage"


class MailServer(Listener):
    """Receives mail.

    `whims` maps the beginning of an address to the answer to RCPT, or to `FREEZE` or `GARBAGE`. `after_data`
    does the same for the answer to a whole message.
    """

    def __init__(
        self, whims: Mapping[str, str] | None = None, after_data: Mapping[str, str] | None = None
    ) -> None:
        self.whims = whims or {}
        self.after_data = after_data or {}
        self.taken: list[EmailMessage] = []
        self.asked = asyncio.Event()  # set once a client named a recipient

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 test\r\n")
            recipient = ""
            while line := (await reader.readline()).decode():
                verb = line[:4].upper()
                answer = "250 ok"
                if verb == "RCPT":
                    recipient = line.split("<")[1].split(">")[0]
                    self.asked.set()
                    answer = _of(self.whims, recipient) or answer
                elif verb == "DATA":
                    writer.write(b"354 go on\r\n")
                    raw = await reader.readuntil(b"\r\n.\r\n")
                    answer = _of(self.after_data, recipient) or answer
                    if answer.startswith("250"):
                        self.taken.append(message_from_bytes(raw[:-5], policy=policy.default))
                elif verb == "QUIT":
                    answer = "221 bye"
                if answer == FREEZE:
                    await asyncio.sleep(3600)
                writer.write(b"\xff\xfe\x00 what?\r\n" if answer == GARBAGE else _line(answer))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _of(whims: Mapping[str, str], recipient: str) -> str | None:
    return next((whims[start] for start in whims if recipient.startswith(start)), None)


def _line(answer: str) -> bytes:
    return f"{answer}\r\n".encode()
