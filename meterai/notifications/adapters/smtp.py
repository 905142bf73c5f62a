"""Outgoing mail: one message handed to an SMTP server."""

import asyncio
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.charset import QP, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.utils import formataddr, formatdate, parseaddr
from typing import NamedTuple
from uuid import UUID

import aiosmtplib

from meterai.kit.text import one_line
from meterai.notifications.model import SEND_SECONDS_MAX
from meterai.plumbing.work.outgoing import NotBegun, Outgoing

STEP_SECONDS_MAX = 10.0  # of the server for one command
ANSWER_LENGTH_MAX = 200
_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")
_DOMAIN = re.compile(r"@([\w.-]+)>?\s*\Z")


class MailNotSent(Exception):
    """The server did not take the message; it can be tried again."""


class MailRefused(MailNotSent):
    """The server will not take this message for this recipient (5yz, RFC 5321, 4.2.1)."""


class MailNotBegun(MailNotSent):
    """The server does not answer these days, or was repeated to enough (`plumbing/work/outgoing.py`)."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds  # until it may be tried


def without_addresses(text: str) -> str:
    """The text of an error without addresses, as it may be logged and kept."""
    return one_line(_ADDRESS.sub("<address>", text))[:ANSWER_LENGTH_MAX]


def _told(error: Exception) -> str:
    """The server's answer without the addresses in it: it is logged and kept."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]  # we have only one
    code = getattr(error, "code", None)
    text = getattr(error, "message", None) or type(error).__name__
    said = without_addresses(str(text))
    return f"{code} {said}" if code else said


def _is_final(error: Exception) -> bool:
    """True where the server refused this recipient or this message, and not us or all mail."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return all(500 <= one.code < 600 for one in error.recipients)
        case aiosmtplib.SMTPRecipientRefused() | aiosmtplib.SMTPDataError():
            return 500 <= error.code < 600
        case _:
            return False


_QUOTED = Charset("utf-8")
_QUOTED.body_encoding = QP


_NOTHING_MORE: Mapping[str, str] = {}


def one_click(url: str) -> Mapping[str, str]:
    """Headers by which a mail program ends a subscription with one press (RFC 8058)."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


class Letter(NamedTuple):
    """A message as it is handed over: plain ASCII in lines that every server takes."""

    recipient: str
    raw: bytes


def _part(kind: str, text: str) -> MIMENonMultipart:
    part = MIMENonMultipart("text", kind)
    part.set_payload(text, _QUOTED)
    return part


def _outgoing() -> Outgoing:
    # A connection that broke, or that the server would not have (421), is no answer about a mail.
    return Outgoing("mail", OSError, TimeoutError, aiosmtplib.SMTPConnectError)


@dataclass(frozen=True, slots=True)
class Mailer:
    """Knows the SMTP server and our own address."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    tls: str = "none"
    outgoing: Outgoing = field(default_factory=_outgoing)
    _own_name: list[str] = field(default_factory=list)  # of this machine; asked of DNS, once

    @property
    def domain(self) -> str:
        """Where our mails come from: what follows the @ of the sender."""
        found = _DOMAIN.search(self.sender)
        return found[1] if found else "localhost"

    def written(
        self,
        number: UUID,
        recipient: str,
        subject: str,
        text: str,
        html: str,
        more: Mapping[str, str] = _NOTHING_MORE,
    ) -> Letter:
        """The message.  Its Message-ID is made of the id of the mail, so that a second copy is
        known as the same.

        By the small classes of `email`: an `EmailMessage` parses each header that it is given, for four times as long.
        """
        if one_line(recipient) != recipient:
            raise ValueError("a recipient is one line")
        message = MIMEMultipart("alternative", boundary=f"=_{number.hex}")
        message["From"] = formataddr(parseaddr(self.sender))
        message["To"] = recipient
        message["Subject"] = Header(one_line(subject), "utf-8", header_name="Subject").encode()
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{number.hex}@{self.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        for name, value in more.items():
            message[name] = value
        message.attach(_part("plain", text))
        message.attach(_part("html", html))
        return Letter(recipient, message.as_bytes())

    async def deliver(self, letter: Letter, *, is_repeat: bool = False) -> None:
        """Hand it over.

        Raises `MailRefused`, `MailNotSent`, both within `SEND_SECONDS_MAX`, and `MailNotBegun`.
        """
        try:
            with self.outgoing.call(is_repeat=is_repeat):
                await self._deliver(letter)
        except NotBegun as reason:
            raise MailNotBegun(str(reason), reason.seconds) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            kind = MailRefused if _is_final(error) else MailNotSent
            raise kind(_told(error)) from None

    async def _deliver(self, letter: Letter) -> None:
        async with asyncio.timeout(SEND_SECONDS_MAX):
            if not self._own_name:
                self._own_name.append(await asyncio.to_thread(socket.getfqdn))
            await aiosmtplib.send(
                letter.raw,
                sender=parseaddr(self.sender)[1],
                recipients=letter.recipient,
                local_hostname=self._own_name[0],
                hostname=self.host,
                port=self.port,
                username=self.user or None,
                password=self.password or None,
                use_tls=self.tls == "implicit",
                start_tls=self.tls == "starttls",
                timeout=STEP_SECONDS_MAX,
            )
