"""Mails and failed jobs for the console: timeline, search for given-up mails and jobs, work lists."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from meterai.accounts import NOBODY, Permission
from meterai.kit.ids import read_typed
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.notifications import store
from meterai.notifications.model import JOB_SUBJECT, MailTold
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.messages import catalogue
from meterai.plumbing.work import dead_jobs
from meterai.plumbing.work.dead_jobs import FailedJob
from meterai.room import Knows, WorkList

UUID_LENGTH = 36  # characters, as `jobs list` shows an id
MAILS_TOLD_MAX = 50  # newest mails per account
# Mails normally leave within seconds; the audit counts older waiting mails as late.
LATE_AFTER = timedelta(minutes=10)
# Causes of the mails about an order; mails about refunds and documents belong to their timelines.
OF_ORDER = ("order_executed",)


def subject(account: UUID, identifier: UUID) -> Subject:
    """Return a job or mail as a `Subject` of the console; its shown id is the one that `jobs retry` accepts."""
    return Subject(JOB_SUBJECT.kind, str(identifier), None if account == NOBODY else account)


def _identifier(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == UUID_LENGTH else None
    except ValueError:
        return None


async def find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    """Find a given-up mail or job by the id in `jobs list`."""
    if (identifier := _identifier(text)) is None:
        return ()
    return [
        subject(account, identifier) for account in await store.given_up_accounts(tx, identifier)
    ]


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """Return the timeline events of a subject: mails about an order, the newest mails of an account, or a given-up
    mail or job.
    """
    if about.kind == JOB_SUBJECT.kind:
        identifier = _identifier(about.shown)
        return await _job_happenings(tx, identifier) if identifier else ()
    if about.account is None:
        return ()
    if about.kind == SubjectKind.ORDER and (order := read_typed("ord", about.shown)):
        return await mails_told(tx, about.account, [f"{cause}:{order}" for cause in OF_ORDER])
    if about.kind == SubjectKind.ACCOUNT:
        mails = await store.mails_of(tx, about.account, MAILS_TOLD_MAX)
        return [one for mail in mails for one in _told(mail)]
    return ()


async def mails_told(tx: ReadTx, account: UUID, causes: Sequence[str]) -> list[Happening]:
    """Return the mails with these causes as events of a timeline."""
    mails = await store.mails_of_causes(tx, account, causes) if causes else []
    return [one for mail in mails for one in _told(mail)]


def _told(one: MailTold) -> list[Happening]:
    facts = _facts(one)
    if one.sent_at is not None:
        return [Happening(one.sent_at, "mail_sent", facts)]
    word = "mail_given_up" if one.state == "given_up" else "mail_queued"
    return [Happening(one.queued_at, word, facts, for_staff=True)]


def _facts(one: MailTold) -> dict[str, object]:
    key = f"mail.about.{one.template}"
    return {
        "what": Sentence(key if key in catalogue() else "mail.about.other", {}),
        "tries": one.tries,
        "fault": one.fault,
        "mail": str(one.id),
    }


async def _job_happenings(tx: ReadTx, identifier: UUID) -> list[Happening]:
    mails = await store.given_up_mails(tx, identifier)
    jobs = await dead_jobs.given_up(tx, identifier)
    return [
        *(one for mail in mails for one in _told(mail)),
        *(Happening(one.created_at, "job_failed", _job_facts(one), for_staff=True) for one in jobs),
    ]


def _job_facts(one: FailedJob) -> dict[str, object]:
    return {
        "job": str(one.id),
        "handler": one.handler,
        "event": one.kind,
        "tries": one.tries,
        "fault": one.fault,
    }


async def _mails(tx: ReadTx, _: Settings, now: datetime, limit: int) -> Sequence[WorkItem]:
    found = await store.not_sent(tx, now - LATE_AFTER, limit)
    return [
        WorkItem(subject(one.account, one.id), one.queued_at, None, _facts(one)) for one in found
    ]


async def _jobs(tx: ReadTx, _: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    """Return first the failing jobs that are still retried, because somebody awaits their effects, then the
    jobs that were given up.
    """
    found = [*await dead_jobs.failing(tx, limit), *await dead_jobs.dead(tx, limit)]
    return [
        WorkItem(subject(one.account, one.id), one.created_at, None, _job_facts(one))
        for one in found[:limit]
    ]


KNOWS = Knows(find=find, tell=tell)
WORK = (
    WorkList(name="mails", permission=Permission.CONSOLE_READ, waiting=_mails),
    WorkList(name="jobs", permission=Permission.CONSOLE_READ, waiting=_jobs),
)
