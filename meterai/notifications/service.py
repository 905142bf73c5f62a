"""Commands of notifications."""

from uuid import UUID

import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined

from meterai import accounts
from meterai.accounts import AccountDesk
from meterai.kit.ids import new_id
from meterai.notifications import store
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Row, Tx
from meterai.plumbing.mail import MailNotSent, Postman
from meterai.plumbing.messages import say
from meterai.plumbing.rounds import each

BATCH = 20  # mails under way in one round
WAIT_SECONDS_MAX = 900
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


class MailDesk:
    """Writes and sends queued mails."""

    def __init__(
        self, database: Database, postman: Postman, desk: AccountDesk, settings: Settings
    ) -> None:
        self._database = database
        self._postman = postman
        self._accounts = desk
        self._settings = settings
        self._pages = Environment(
            loader=PackageLoader("meterai.notifications"),
            autoescape=True,
            undefined=StrictUndefined,
        )

    async def send_queued(self) -> int:
        """Round: send what is due."""
        rows = await self._database.read(store.TO_SEND, store.LEASE_SECONDS, BATCH)
        return await each(
            self._database, "send_mails", rows, self._send, subject="mail_id", at_once=BATCH
        )

    async def _send(self, row: Row) -> None:
        template, language = row["template"], row["language"]
        # A fact that reads differently in each language is kept in both.
        facts = {
            name: value[language] if isinstance(value, dict) else value
            for name, value in row["facts"].items()
        } | {"url": self._settings.url}
        if template == "sign_in_code":
            facts["code"] = self._accounts.code(UUID(facts["challenge"]))
        subject = say(f"mail.{template}.subject", language, **facts)
        lines = say(f"mail.{template}.text", language, **facts).split("\n")
        foot = say("mail.foot", language, **facts)
        html = self._pages.get_template("mail.html").render(
            language=language, subject=subject, lines=lines, foot=foot
        )
        text = "\n".join([*lines, "", "-- ", foot, ""])
        try:
            await self._postman.deliver(row["recipient"], subject, text, html)
        except MailNotSent as error:
            _log.warning("mail_not_sent", template=template, tries=row["tries"], why=str(error))
            wait = min(2.0 ** row["tries"], WAIT_SECONDS_MAX)
            await self._database.call(store.LATER, wait, row["account_id"], row["mail_id"])
            return
        await self._database.call(store.SENT, row["account_id"], row["mail_id"])
