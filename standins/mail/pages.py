"""The mailboxes on the web: pages for people, JSON below `/standin` for tests."""

import re
from html import escape
from urllib.parse import quote

from aiohttp import web

from standins import clock
from standins.faults import Faults, FaultSwitch, Kind
from standins.mail.store import Mail, MailStore
from standins.refusal import NotFound
from standins.web import json_object, page

HEADING = "Stand-in mail - nothing is delivered"
MAILS_SHOWN = 200  # number of mails on the front page; /standin/mails has all

FAULT_SWITCHES = {
    # The next n mails (-1: all) are answered with 451, as by a full mail server.
    "refuse": FaultSwitch(Kind.COUNT, "The next mails are answered with 451"),
    "delay_seconds": FaultSwitch(
        Kind.SECONDS, "Every mail is accepted with a delay of this many seconds"
    ),
}

# A link ends before the punctuation of the sentence around it.
_LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?()\[\]]")


class Pages:
    """The HTTP routes of the mail server."""

    def __init__(self, store: MailStore, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def add_routes(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_routes(
            [
                web.get("/", self._inbox),
                web.get("/mails/{number:[0-9]{1,15}}", self._mail),
                web.get("/standin/mails", self._list),
                web.delete("/standin/mails", self._delete),
                web.post("/standin/faults", self._set_faults),
                web.get("/standin/faults", self._show_faults),
                web.delete("/standin/faults", self._clear_faults),
            ]
        )

    async def _inbox(self, request: web.Request) -> web.Response:
        recipient = request.query.get("to", "").strip()
        rows = "".join(_row(mail) for mail in self._store.mails(recipient, MAILS_SHOWN))
        table = f"<table><thead><tr><th>To<th>Subject<th>Received</thead>{rows}</table>"
        body = (
            "<form class=block><label for=to>Only mail to</label> "
            f"<input id=to name=to type=email value='{escape(recipient)}'> "
            "<button class=quiet>Show</button> <a href=/>all</a></form>"
            f"{table if rows else '<p class=quiet>No mail.</p>'}"
        )
        return page(HEADING, HEADING, body)

    async def _mail(self, request: web.Request) -> web.Response:
        mail = self._store.mail(int(request.match_info["number"]))
        if mail is None:
            raise NotFound("no such mail")
        body = (
            f"<h2>{escape(mail.subject) or '(no subject)'}</h2>"
            f"<dl><dt>From<dd>{escape(mail.sender)}<dt>To<dd>{_mailbox(mail.recipient)}"
            f"<dt>Received<dd>{clock.snap_time(mail.received_at)}</dl>"
            f"{_text_part(mail.text)}{_html_part(mail.html)}"
        )
        return page(f"{mail.subject} - {HEADING}", HEADING, body)

    async def _list(self, request: web.Request) -> web.Response:
        mails = self._store.mails(request.query.get("to", "").strip())
        return web.json_response([_shown(mail) for mail in mails])

    async def _delete(self, _: web.Request) -> web.Response:
        return web.json_response({"deleted": self._store.delete_all()})

    async def _set_faults(self, request: web.Request) -> web.Response:
        self._faults.apply(await json_object(request))
        return web.json_response(self._faults.values())

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response(self._faults.values())

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response(self._faults.values())


def _shown(mail: Mail) -> dict[str, object]:
    return {
        "id": mail.id,
        "to": mail.recipient,
        "from": mail.sender,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "received_at": clock.snap_time(mail.received_at),
    }


def _mailbox(recipient: str) -> str:
    return f"<a href='/?to={quote(recipient)}'>{escape(recipient)}</a>"


def _row(mail: Mail) -> str:
    return (
        f"<tr><td>{_mailbox(mail.recipient)}"
        f"<td><a href=/mails/{mail.id}>{escape(mail.subject) or '(no subject)'}</a>"
        f"<td>{clock.snap_time(mail.received_at)}"
    )


def _text_part(text: str) -> str:
    """Return a text as HTML, unchanged except that its links can be clicked."""
    if not text:
        return ""
    shown, end = [], 0
    for found in _LINK.finditer(text):
        link = escape(found[0])
        shown += [escape(text[end : found.start()]), f"<a href='{link}'>{link}</a>"]
        end = found.end()
    return f"<h2>Text</h2><pre>{''.join(shown)}{escape(text[end:])}</pre>"


def _html_part(html: str) -> str:
    """Return the HTML part of a mail in a frame without scripts, forms or access to our origin."""
    if not html:
        return ""
    # Links open a new window, because the sandbox does not let the frame navigate.
    inside = escape(f"<base target=_blank>{html}")
    return (
        "<h2>HTML</h2><iframe title='HTML part' sandbox='allow-popups "
        f"allow-popups-to-escape-sandbox' srcdoc='{inside}'></iframe>"
    )
