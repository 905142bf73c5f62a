"""Registration of the room `approvals`: everything that it offers to the applications, as a `Room`."""

from collections.abc import Sequence

from meterai.approvals.audited import AUDITED
from meterai.approvals.demands import UNDEMANDED
from meterai.approvals.figures import PROMISES
from meterai.approvals.invariants import INVARIANTS
from meterai.approvals.knows import KNOWS, WORK
from meterai.approvals.model import APPROVAL, APPROVAL_SUBJECT
from meterai.approvals.personal import PERSONAL
from meterai.approvals.pulling import check_always
from meterai.approvals.retention import RETENTION
from meterai.approvals.service import EXPIRE, ApprovalService, as_asked
from meterai.approvals.settings import ApprovalSettings
from meterai.approvals.store import EXPIRED
from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    levers, settings = container.offers.levers, container.settings
    check_always(settings, levers)
    container.add(ApprovalService(container.database, levers, settings, container.clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [
        PeriodicTask(
            EXPIRE,
            container.of(ApprovalService).expire,
            60.0,
            EXPIRED,
            without_rows="one statement ends all expired requests, and no row can fail by itself",
        )
    ]


def _command(name: str, function: str, schema: Schema = Schema.CURRENT) -> Command:
    place = f"meterai.approvals.commands:{function}"
    return Command(name, place, Directory.DATABASE, DemandScope.DATABASE, schema)


COMMANDS = (
    _command("approvals list", "list_requests"),
    _command("approvals show", "show_request"),
    _command("approvals approve", "approve"),
    _command("approvals decline", "decline"),
    _command("approvals withdraw", "withdraw"),
    # Commands for levers of the room `accounts`, which is below this room.
    _command("accounts end-key", "end_key", Schema.ANY),
    _command("sessions end", "end_sessions"),
    _command("staff give", "give_role"),
    _command("staff end", "end_role"),
    _command("sign-up close", "close_sign_up"),
    _command("sign-up open", "open_sign_up"),
    _command("organizations approve", "approve_organization"),
    _command("organizations decline", "decline_organization"),
)

ROOM = Room(
    name="approvals",
    subjects=[APPROVAL_SUBJECT],
    global_tables={
        "approvals": (
            "a staff action belongs to the operator, and one request of its kind waits "
            "in the whole installation"
        )
    },
    lifecycles=(APPROVAL,),
    settings=ApprovalSettings,
    build=_build,
    services={"approvals": ApprovalService},
    tasks=_tasks,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    command_groups={
        "approvals": "Requests of staff that another person approves.",
        "sessions": "Sessions that are signed in.",
        "sign-up": "Whether new addresses get an account.",
    },
    knows=KNOWS,
    work=WORK,
    invariants=INVARIANTS,
    checks=(as_asked,),
    audited=AUDITED,
    retention=RETENTION,
    promises=PROMISES,
    personal=PERSONAL,
)
