"""Mails: queueing, sending, and retrying mails that were given up."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined

from meterai import accounts
from meterai.accounts import NOBODY, CodeService, OrganizationService
from meterai.kit.backoff import pause
from meterai.kit.ids import new_id
from meterai.kit.priority import Priority
from meterai.kit.text import groups
from meterai.notifications import store
from meterai.notifications.adapters.smtp import (
    Letter,
    Mailer,
    MailNotBegun,
    MailNotSent,
    MailRefused,
    one_click,
    without_addresses,
)
from meterai.notifications.model import GivenUpMail, Mail
from meterai.operator import SPECIMEN, OperatorSettings, Seller
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.messages import translate
from meterai.plumbing.work.dead_jobs import Retried
from meterai.plumbing.work.watch import Piece
from meterai.plumbing.work.worker_pool import Look, PoolTerms, WorkerPool, clock

BATCH = 50  # mails per query
# Mails sent concurrently by each worker pool; each holds a connection to the SMTP server.
SLOTS = 20
# A query reads few mails with a turn, so that mails already read delay a new mail of another network
# by at most one mail per slot.
TURN_BATCH = SLOTS
# Distance in seconds between two turns of one network. A network at its quota (2,000 codes an hour)
# requests mails less often than this; mails of a faster network wait behind those of others.
TURN_SECONDS = 1.0
WAIT_SECONDS_MAX = 900
WRITE_TRIES_MAX = 5  # for a mail whose text cannot be written: only an upgrade can help
SIGN_IN_CODE = "sign_in_code"  # the only mail whose text is not stored
INVITATION = "invitation_made"  # its link is derived when the mail is written, and not stored
# Templates that are receipts, each with the message that adds seller, times and numbers.
RECEIPTS = {
    "order_executed_stamps": "mail.receipt.order",
    "order_executed_documents": "mail.receipt.order",
    "refund_settled": "mail.receipt.refund",
}
# Function that returns the path of a mail's button, from the account and the facts of the mail.
PathOf: TypeAlias = Callable[[UUID, Mapping[str, Any]], Awaitable[str]]
_log = structlog.get_logger()


async def queue(
    tx: Tx, account: UUID, *, cause: str, template: str, facts: dict[str, object]
) -> bool:
    """Queue a mail to an account in its language.  Return false without queueing if the person was erased."""
    if await accounts.is_erased(tx, account):
        return False
    contact = await accounts.contact(tx, account)
    await queue_to(tx, account, contact.email, contact.language, cause, template, facts)
    return True


async def queue_to(
    tx: Tx,
    account: UUID,
    recipient: str,
    language: str,
    cause: str,
    template: str,
    facts: dict[str, object],
) -> None:
    """Queue a mail to a mail address in a language; `account` is the account that the mail is about."""
    assert "url" not in facts, "the address of this installation, which each text may use"
    await store.insert(tx, account, new_id(), cause, template, language, recipient, facts)


async def queue_code(tx: Tx, challenge: UUID, recipient: str, language: str, network: str) -> None:
    """Queue the mail with a sign-in code. Its turn (position among urgent mails) is the next turn of the
    network that requested the code.

    Events written by the previous version of the program have an empty `network`; their mails get no turn.
    """
    turn = await store.next_turn(tx, _hash(network), TURN_SECONDS) if network else None
    cause, facts = f"sign_in:{challenge}", {"challenge": str(challenge)}
    await store.insert(
        tx, NOBODY, new_id(), cause, SIGN_IN_CODE, language, recipient, dict(facts), turn
    )


def _hash(network: str) -> UUID:
    return UUID(bytes=sha256(network.encode()).digest()[:16])


class MailService:
    """Writes and sends queued mails."""

    def __init__(
        self,
        database: Database,
        mailer: Mailer,
        links: tuple[CodeService, OrganizationService],
        settings: Settings,
        leads_to: Mapping[str, str],
    ) -> None:
        self._database = database
        self._mailer = mailer
        self._codes, self._organizations = links
        self._leads_to = leads_to  # `mails` of all rooms
        self._paths: dict[str, PathOf] = {}
        self._url = settings.process.url
        self._is_specimen = not settings.process.is_production
        self._seller = Seller.of(settings.of(OperatorSettings))
        self._pages = Environment(
            loader=PackageLoader("meterai.notifications"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )

    def leads(self, template: str, path: PathOf) -> None:
        """Register the function of a higher room that returns the URL path for the button in mails of this template.

        It is called when a mail is sent, so that the path, which may contain a secret, is not stored.
        """
        self._paths[template] = path

    def awaited_mail_pool(self) -> WorkerPool:
        """Return the worker pool of mails that a person waits for, such as those with sign-in codes.

        Its slots are shared fairly among networks, not among accounts as in other pools. Notices do not use its slots.
        """
        due = self._pool_terms(Priority.CHECKOUT, store.TURN_DUE)
        return self._pool("mails_by_turn", partial(self._look, store.turns), TURN_BATCH, due)

    def worker_pool(self) -> WorkerPool:
        """Return the worker pool of notices (mails that nobody waits for); a slow mail occupies one slot and does not delay
        the others.
        """
        due = self._pool_terms(Priority.NEW, store.DUE)
        return self._pool("mails", partial(self._look, store.due), BATCH, due)

    def _pool_terms(self, priority: Priority, due: str) -> PoolTerms:
        return PoolTerms(priority, room=self._mailer.outgoing.room, due=due)

    def _pool(self, name: str, look: Look, batch: int, terms: PoolTerms) -> WorkerPool:
        read_clock = partial(self._database.once, clock)
        return WorkerPool(name, look, self._send, read_clock, slots=SLOTS, batch=batch, terms=terms)

    async def _look(
        self, found: store.Due, most: int, since: datetime, without: Sequence[UUID]
    ) -> Sequence[Piece]:
        return await self._database.once(found, since, without, most)

    async def _send(self, piece: Piece) -> None:
        account = UUID(piece.what) if isinstance(piece.what, str) else piece.account
        mail = await self._database.once(store.claim, account, piece.id)
        if mail is None:
            return
        try:
            if mail.template == SIGN_IN_CODE:
                await self._codes.begin_code(UUID(mail.facts["challenge"]))
            if (path := self._paths.get(mail.template)) is not None:
                mail.facts["path"] = await path(mail.account, mail.facts)
            await self._mailer.deliver(self._written(mail), is_repeat=mail.tries > 1)
        except MailNotBegun as reason:
            await self._database.once(store.put_off, mail.account, mail.id, reason.seconds)
        except MailNotSent as error:
            is_over = isinstance(error, MailRefused) or mail.is_old
            await self._not_sent(mail, str(error), is_over=is_over)
        except Exception as fault:  # a mail that cannot be written must not stop the others
            is_over = mail.tries >= WRITE_TRIES_MAX
            await self._not_sent(
                mail, f"cannot be written: {without_addresses(repr(fault))}", is_over=is_over
            )
        else:
            await self._database.once(store.sent, mail.account, mail.id)

    async def _not_sent(self, mail: Mail, why: str, *, is_over: bool) -> None:
        about = {"template": mail.template, "mail": str(mail.id), "tries": mail.tries}
        if is_over:
            _log.error("mail_given_up", **about, why=why)
            await self._database.once(store.give_up, mail.account, mail.id, fault=why)
            return
        _log.warning("mail_not_sent", **about, why=why)
        wait = pause(mail.tries, longest=WAIT_SECONDS_MAX)
        await self._database.once(store.later, mail.account, mail.id, seconds=wait, fault=why)

    def _written(self, mail: Mail) -> Letter:
        template, language = mail.template, mail.language
        # A fact whose text differs by language is stored as a mapping.
        facts = _before(language) | {
            name: value[language] if isinstance(value, dict) else value
            for name, value in mail.facts.items()
        }
        facts["url"] = self._url
        if template == SIGN_IN_CODE:
            challenge = UUID(facts["challenge"])
            facts["code"] = self._codes.code(challenge)
            facts["link"] = f"{self._url}{self._codes.link(challenge)}"
        if template == INVITATION:
            named = UUID(facts["account"]), UUID(facts["invitation"])
            facts["path"] = self._organizations.link(*named)
        # People read these numbers aloud, so they are shown in groups.
        spoken = facts | {
            name: " ".join(groups(facts[name]))
            for name in ("order", "number", "bank_number")
            if isinstance(facts.get(name), str)
        }
        subject = translate(f"mail.{template}.subject", language, **facts)
        lines = translate(f"mail.{template}.text", language, **spoken).split("\n")
        if template in RECEIPTS and "at" in facts:  # absent in mails of the previous version
            seller = {"seller": self._seller.name, "tax_number": self._seller.tax_numbers}
            lines += translate(RECEIPTS[template], language, **spoken, **seller).split("\n")
        foot = [
            f"{self._seller.name}, {self._seller.address}",
            self._seller.contact,
            *translate("mail.papers", language, url=self._url).split("\n"),
            translate("mail.foot", language),
        ]
        if self._is_specimen:
            subject = f"{SPECIMEN}: {subject}"
            lines.insert(0, translate("page.specimen.means", language))
        label = link = ""
        if path := self._leads_to.get(template):
            label = translate(f"mail.{template}.button", language, **facts)
            link = self._url + path.format_map(facts)
        html = self._pages.get_template("mail.html").render(
            language=language,
            subject=subject,
            lines=lines,
            code=facts.get("code"),
            label=label,
            link=link,
            foot=foot,
        )
        button = ["", f"{label}:", link] if link else []
        text = "\n".join([*lines, *button, "", "-- ", *foot, ""])
        ends = facts.get("unsubscribe")  # path that ends the subscription
        more = one_click(self._url + ends) if isinstance(ends, str) else {}
        return self._mailer.written(mail.id, mail.recipient, subject, text, html, more)


def _before(language: str) -> dict[str, Any]:
    """Return default values of facts that mails queued by the previous version do not have."""
    named = translate("mail.named_before", language)
    until = translate("mail.until_before", language)
    where = translate("mail.where_before", language)
    how = translate("mail.how_before", language)
    because = translate("mail.because_before", language)
    more = {"where": where, "how": how, "because": because, "late": ""}
    more |= {"sold_by": "", "seller_fee": "", "receiver": "-"}
    return {"named": named, "list": named, "count": "", "number": "-", "until": until, **more}


async def waited(tx: ReadTx) -> float:
    """Return the median wait in seconds of sign-in mails of the last 15 minutes, including those that still wait; 0
    if there are none.

    A median is not affected by single mails that a server does not accept.
    """
    return await store.waited(tx)


async def given_up(tx: ReadTx, limit: int) -> list[GivenUpMail]:
    """Return given-up mails with their last fault, the newest first, at most `limit`."""
    return await store.given_up(tx, limit)


async def count_given_up(tx: ReadTx) -> int:
    """Count the given-up mails."""
    return await store.count_given_up(tx)


async def would_queue_again(tx: ReadTx, mail: UUID | None) -> list[Retried]:
    """Count by template the given-up mails that a retry would queue: the mail with this id, or all if `mail` is None."""
    return await store.would_queue_again(tx, mail)


async def queue_again(tx: Tx, mail: UUID | None) -> int:
    """Queue the given-up mail with this id again, or all given-up mails if `mail` is None; return how many were queued."""
    return await store.queue_again(tx, mail)
