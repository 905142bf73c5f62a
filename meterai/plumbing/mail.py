"""Outgoing mail: one message handed to an SMTP server."""

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import aiosmtplib

SEND_SECONDS_MAX = 20.0


class MailNotSent(Exception):
    """The server did not take the message; it can be tried again."""


@dataclass(frozen=True, slots=True)
class Postman:
    """Knows the SMTP server and our own address."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = ""
    tls: str = "none"

    async def deliver(self, recipient: str, subject: str, text: str, html: str) -> None:
        """Send one message, as text and as HTML.  Raises `MailNotSent`."""
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = recipient
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain="meterai.invalid")
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        try:
            # The library's time-out is of each of its steps; a mail's lease covers all of them.
            async with asyncio.timeout(SEND_SECONDS_MAX):
                await aiosmtplib.send(
                    message,
                    hostname=self.host,
                    port=self.port,
                    username=self.user or None,
                    password=self.password or None,
                    use_tls=self.tls == "implicit",
                    start_tls=self.tls == "starttls",
                    timeout=SEND_SECONDS_MAX,
                )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailNotSent(repr(error)) from error
