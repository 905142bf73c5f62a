"""Outgoing mail by SMTP."""

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

STEP_SECONDS_MAX = 10.0  # time limit of one answer of the server
ANSWER_LENGTH_MAX = 200
_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")
_DOMAIN = re.compile(r"@([\w.-]+)>?\s*\Z")


class MailNotSent(Exception):
    """The server did not accept the message; sending can be tried again, except after the subclass
    `MailRefused`.
    """


class MailRefused(MailNotSent):
    """The server rejects this message for this recipient permanently (5yz, RFC 5321, 4.2.1)."""


class MailNotBegun(MailNotSent):
    """Sending did not begin, because the circuit is open or the retry budget is used up (`plumbing/work/outgoing.py`)."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds  # until the next try


def without_addresses(text: str) -> str:
    """Return the text of an error without mail addresses, for logs and storage."""
    return one_line(_ADDRESS.sub("<address>", text))[:ANSWER_LENGTH_MAX]


def _told(error: Exception) -> str:
    """Return the server's answer without mail addresses, for logs and storage."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]  # there is a single recipient
    code = getattr(error, "code", None)
    text = getattr(error, "message", None) or type(error).__name__
    said = without_addresses(str(text))
    return f"{code} {said}" if code else said


def _is_final(error: Exception) -> bool:
    """True if the server permanently rejected this recipient or this message.

    False if it rejects all our mails, or may accept this mail later.
    """
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
    """Return the headers of one-click unsubscription (RFC 8058)."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


class Letter(NamedTuple):
    """A message for the SMTP server: recipient, and ASCII content in lines short enough for every server."""

    recipient: str
    raw: bytes


def _part(kind: str, text: str) -> MIMENonMultipart:
    part = MIMENonMultipart("text", kind)
    part.set_payload(text, _QUOTED)
    return part


def _outgoing() -> Outgoing:
    # These errors count as no answer: a broken connection, or one that the server refuses (421), says
    # nothing about a mail.
    return Outgoing("mail", OSError, TimeoutError, aiosmtplib.SMTPConnectError)


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends mails by the SMTP server at `host`, from the address `sender`."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    tls: str = "none"
    outgoing: Outgoing = field(default_factory=_outgoing)
    # Name of this machine; looked up in DNS once.
    _own_name: list[str] = field(default_factory=list)

    @property
    def domain(self) -> str:
        """Domain of the sender's address."""
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
        """Return a message ready to be sent; `more` are further headers. Its Message-ID is derived from `number`, the id of
        the mail, so that mail programs recognize duplicates.

        Uses the simple MIME classes of `email`: an `EmailMessage` parses each header, which takes four times as long.
        """
        if one_line(recipient) != recipient:
            raise ValueError("a recipient is longer than one line")
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
        """Send a message to the SMTP server.

        Raises `MailNotBegun` at once, or `MailRefused` or `MailNotSent` within `SEND_SECONDS_MAX`.
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
