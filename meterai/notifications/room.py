"""Registration of the room `notifications`: everything that it offers to the applications, as a `Room`."""

from collections.abc import Iterable, Sequence

from meterai.accounts import CodeService, OrganizationService
from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.notifications.adapters import smtp as mail
from meterai.notifications.adapters.smtp import Mailer
from meterai.notifications.audited import AUDITED
from meterai.notifications.demands import DEMANDS, UNDEMANDED
from meterai.notifications.invariants import INVARIANTS
from meterai.notifications.jobs import HANDLERS
from meterai.notifications.knows import KNOWS, WORK
from meterai.notifications.levers import LEVERS
from meterai.notifications.model import JOB_SUBJECT, SEND_SECONDS_MAX
from meterai.notifications.personal import PERSONAL
from meterai.notifications.retention import RETENTION
from meterai.notifications.service import MailService, count_given_up
from meterai.notifications.settings import NotificationSettings
from meterai.notifications.store import LATE, LEASE_SECONDS, MEAN_WAIT
from meterai.plumbing.observe import telemetry
from meterai.plumbing.observe.stations import Backlog
from meterai.plumbing.work.jobs import PeriodicTask, Run
from meterai.plumbing.work.leases import Lease
from meterai.plumbing.work.worker_pool import WorkerPool
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    smtp = container.settings.of(NotificationSettings)
    mailer = Mailer(
        smtp.smtp_host,
        smtp.smtp_port,
        smtp.mail_from,
        smtp.smtp_user,
        smtp.smtp_password,
        smtp.smtp_tls,
    )
    container.stations.backlogs.append(Backlog("mails", LATE, MEAN_WAIT))
    links = container.of(CodeService), container.of(OrganizationService)
    container.add(
        MailService(container.database, mailer, links, container.settings, container.offers.mails)
    )


def _leases(_container: Container) -> Iterable[Lease]:
    # Time of the whole conversation with the server, and of the QUIT after an aborted conversation.
    sent = SEND_SECONDS_MAX + mail.STEP_SECONDS_MAX
    yield Lease("mails", LEASE_SECONDS, sent)


def _watch(container: Container) -> Run:
    async def watch() -> int:
        async with container.database.reading() as tx:
            mails = await count_given_up(tx)
        telemetry.GIVEN_UP.labels(queue="mails").set(mails)
        return 0

    return watch


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [
        PeriodicTask(
            "watch_mails",
            _watch(container),
            15.0,
            without_rows="counts the jobs and mails that were given up, for the metrics",
        )
    ]


def _worker_pools(container: Container) -> Sequence[WorkerPool]:
    mails = container.of(MailService)
    return [mails.awaited_mail_pool(), mails.worker_pool()]


COMMANDS = (
    Command(
        "jobs list",
        "meterai.notifications.commands:list_failed",
        Directory.DATABASE,
        DemandScope.DATABASE,
        Schema.ANY,
    ),
    Command(
        "jobs retry",
        "meterai.notifications.commands:retry",
        Directory.DATABASE,
        DemandScope.DATABASE,
        Schema.CURRENT,
    ),
)

ROOM = Room(
    name="notifications",
    subjects=[JOB_SUBJECT],
    tables=frozenset({"mails"}),
    settings=NotificationSettings,
    build=_build,
    leases=_leases,
    handlers=HANDLERS,
    tasks=_tasks,
    worker_pools=_worker_pools,
    demands=DEMANDS,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    knows=KNOWS,
    work=WORK,
    command_groups={"jobs": "Jobs and mails that failed."},
    levers=LEVERS,
    invariants=INVARIANTS,
    mails={
        "sign_in_code": "",
        "turn_near": "/lines/{line}",
        "passkey_made": "/account#sessions",
        "passkey_ended": "/account#passkeys",
        "api_key_made": "/account#sessions",
        "api_key_ended": "/account/keys",
        "api_key_ends": "/account/keys",
        "invitation_made": "{path}",
        "organization_approved": "/account/acting",
        "organization_declined": "/account/acting",
    },
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
)
