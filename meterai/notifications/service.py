"""Mails: queue one, send those that are due, list and queue again those given up."""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from uuid import UUID

import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined

from meterai import accounts
from meterai.accounts import AccountService
from meterai.kit.backoff import pause
from meterai.kit.ids import new_id
from meterai.notifications import store
from meterai.plumbing.database import Database, ReadTx, Row, Tx
from meterai.plumbing.lane import Lane, Piece
from meterai.plumbing.mail import Mailer, MailNotSent, MailRefused, without_addresses
from meterai.plumbing.messages import translate

BATCH = 50  # mails seen by one look
PLACES = 20  # mails under way; each is a connection to the SMTP server
WAIT_SECONDS_MAX = 900
WRITE_TRIES_MAX = 5  # of a mail whose text cannot be written: more help only after an upgrade
_log = structlog.get_logger()


async def queue(
    tx: Tx, account: UUID, *, cause: str, template: str, facts: dict[str, object]
) -> None:
    """Queue a mail to an account, in its language."""
    contact = await accounts.contact(tx, account)
    await queue_to(tx, account, contact.email, contact.language, cause, template, facts)


async def queue_to(
    tx: Tx,
    account: UUID,
    recipient: str,
    language: str,
    cause: str,
    template: str,
    facts: dict[str, object],
) -> None:
    """Queue a mail to an address that has no account yet."""
    await store.insert(tx, account, new_id(), cause, template, language, recipient, facts)


class MailService:
    """Writes and sends queued mails."""

    def __init__(
        self, database: Database, mailer: Mailer, service: AccountService, url: str
    ) -> None:
        self._database = database
        self._mailer = mailer
        self._accounts = service
        self._url = url
        self._pages = Environment(
            loader=PackageLoader("meterai.notifications"),
            autoescape=True,
            undefined=StrictUndefined,
        )

    def lane(self) -> Lane:
        """Where queued mails are sent: one that takes long keeps no other waiting."""
        return Lane("mails", self._look, self._send, self._read_clock, places=PLACES, batch=BATCH)

    async def _look(self, most: int, since: datetime, without: Sequence[UUID]) -> Sequence[Piece]:
        rows = await self._database.read(store.LOOK, since, list(without), most)
        return [Piece(row["account_id"], row["mail_id"], row["try_at"]) for row in rows]

    async def _read_clock(self) -> datetime:
        row = await self._database.call(store.CLOCK)
        assert row is not None
        now: datetime = row["now"]
        return now

    async def _send(self, piece: Piece) -> None:
        row = await self._database.call(store.CLAIM, store.LEASE_SECONDS, *piece[:2])
        if row is None:
            return
        try:
            await self._mailer.deliver(self._written(row))
        except MailNotSent as error:
            is_over = isinstance(error, MailRefused) or row["is_old"]
            await self._not_sent(row, str(error), is_over=is_over)
        except Exception as fault:  # the edge: a mail that cannot be written stops no other
            is_over = row["tries"] >= WRITE_TRIES_MAX
            await self._not_sent(
                row, f"cannot be written: {without_addresses(repr(fault))}", is_over=is_over
            )
        else:
            await self._database.call(store.SENT, row["account_id"], row["mail_id"])

    async def _not_sent(self, row: Row, why: str, *, is_over: bool) -> None:
        which = (row["account_id"], row["mail_id"])
        about = {"template": row["template"], "mail": str(row["mail_id"]), "tries": row["tries"]}
        if is_over:
            _log.error("mail_given_up", **about, why=why)
            await self._database.call(store.GIVE_UP, why, *which)
            return
        _log.warning("mail_not_sent", **about, why=why)
        wait = pause(row["tries"], longest=WAIT_SECONDS_MAX)
        await self._database.call(store.LATER, wait, why, *which)

    def _written(self, row: Row) -> EmailMessage:
        template, language = row["template"], row["language"]
        # A fact that reads differently in each language is kept in both.
        facts = {
            name: value[language] if isinstance(value, dict) else value
            for name, value in row["facts"].items()
        } | {"url": self._url}
        if template == "sign_in_code":
            facts["code"] = self._accounts.code(UUID(facts["challenge"]))
        subject = translate(f"mail.{template}.subject", language, **facts)
        lines = translate(f"mail.{template}.text", language, **facts).split("\n")
        foot = translate("mail.foot", language, **facts)
        html = self._pages.get_template("mail.html").render(
            language=language, subject=subject, lines=lines, foot=foot
        )
        text = "\n".join([*lines, "", "-- ", foot, ""])
        return self._mailer.written(row["mail_id"], row["recipient"], subject, text, html)


async def given_up(tx: Tx, limit: int) -> list[Row]:
    """Mails that were given up, the newest first, each with its last fault."""
    return await tx.all(store.GIVEN_UP, limit)


async def count_given_up(tx: ReadTx) -> int:
    """How many mails were given up."""
    return int(await tx.value(store.COUNT_GIVEN_UP))


async def queue_again(tx: Tx, mail: UUID | None) -> int:
    """Try a given-up mail again, or all of them; how many there were."""
    return await tx.run(store.QUEUE_AGAIN, mail, mail)
