"""Outside services that a watcher needs to use the platform like a buyer: a payer of QRs, and a mailbox that receives codes."""

import asyncio
import contextlib
import email
import email.policy
import imaplib
import re
import ssl
from typing import Protocol
from urllib.parse import quote

from meterai.watch.client import Stranger, TryFailed
from meterai.watch.settings import LocatedConfiguration, Mailbox, Payer

LOOK_SECONDS = 0.5  # between two queries of a mailbox
IMAP_SECONDS_MAX = 10.0
_CODE = re.compile(r"\b(\d{6})\b")


class NotOurFault(Exception):
    """The payer or the mailbox failed; the platform was not measured."""


class CodesOf(Protocol):
    """A mailbox with sign-in codes."""

    async def codes(self, address: str) -> list[str]:
        """Return the codes that an address has received, the newest last.  Raises `NotOurFault`."""
        ...


async def pay(stranger: Stranger, payer: Payer, watched: LocatedConfiguration, qr: str) -> None:
    """Have the configured payer pay a QR payment code.  Raises `NotOurFault`."""
    token = watched.secret(payer.token_file)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        if payer.kind == "standin":
            url = f"{payer.url.rstrip('/')}/standin/pay"
            answer = await stranger.ask("POST", url, json={"qr_content": qr})
        else:
            text = headers | {"Content-Type": "text/plain"}
            answer = await stranger.ask("POST", payer.url, data=qr.encode(), headers=text)
        answer.must_be(200, 201, 202, 204)
    except TryFailed as error:
        raise NotOurFault(f"payer: {error.fault}") from None


class _StandIn:
    def __init__(self, stranger: Stranger, mailbox: Mailbox) -> None:
        self._stranger, self._url = stranger, mailbox.url.rstrip("/")

    async def codes(self, address: str) -> list[str]:
        try:
            path = f"{self._url}/standin/mails?to={quote(address)}"
            mails = (await self._stranger.ask("GET", path)).must_be(200).json
        except TryFailed as error:
            raise NotOurFault(f"mailbox: {error.fault}") from None
        found = [_CODE.search(str(one["subject"])) for one in reversed(mails)]
        return [one[1] for one in found if one]


class _Imap:
    """A mailbox by IMAP over TLS.  Each mail is deleted after it was read, so that codes do not accumulate."""

    def __init__(self, mailbox: Mailbox, password: str) -> None:
        self._mailbox, self._password = mailbox, password

    async def codes(self, address: str) -> list[str]:
        try:
            return await asyncio.to_thread(self._look, address)
        except (imaplib.IMAP4.error, OSError) as error:
            raise NotOurFault(f"mailbox: {type(error).__name__}") from None

    def _look(self, address: str) -> list[str]:
        box, found = self._mailbox, []
        context = ssl.create_default_context()
        with imaplib.IMAP4_SSL(box.host, ssl_context=context, timeout=IMAP_SECONDS_MAX) as imap:
            imap.login(box.user, self._password)
            imap.select(box.folder)
            _, numbers = imap.search(None, "TO", f'"{address}"')
            for number in (numbers[0] or b"").split():
                _, parts = imap.fetch(number.decode(), "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
                content = next((one[1] for one in parts if isinstance(one, tuple)), b"")
                subject = str(
                    email.message_from_bytes(content, policy=email.policy.default)["subject"]
                )
                if code := _CODE.search(subject):
                    found.append(code[1])
                imap.store(number.decode(), "+FLAGS", "\\Deleted")
            imap.expunge()
        return found


def mailbox_of(stranger: Stranger, watched: LocatedConfiguration) -> CodesOf | None:
    """Return the mailbox of a configuration; None if none is configured."""
    box = watched.of.mailbox
    if box is None:
        return None
    if box.kind == "standin":
        return _StandIn(stranger, box)
    return _Imap(box, watched.secret(box.password_file))


async def new_code(mails: CodesOf, address: str, known: set[str]) -> str:
    """Wait for a sign-in code that is not among the `known` ones, and return it."""
    while True:
        with contextlib.suppress(StopIteration):
            return next(one for one in await mails.codes(address) if one not in known)
        await asyncio.sleep(LOOK_SECONDS)
