"""Registration of the room `refunds`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.notifications import MailService
from meterai.orders import TURNING
from meterai.payments import PaymentService, RefundCause, RefundState, Stage, Way
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.refunds.audited import AUDITED
from meterai.refunds.claiming import COMPENSATING, ClaimService
from meterai.refunds.demands import UNDEMANDED
from meterai.refunds.invariants import INVARIANTS, MAIL_CAUSES, POSTINGS
from meterai.refunds.jobs import HANDLERS, PUBLISHED
from meterai.refunds.knows import KNOWS, WORK
from meterai.refunds.levers import LEVERS
from meterai.refunds.links import PURPOSE, ClaimLinks
from meterai.refunds.model import (
    ACCOUNT_CLAIM,
    ACCOUNT_CLAIM_SUBJECT,
    CLAIM_LINK,
    REFUND_SUBJECT,
    AccountClaimState,
)
from meterai.refunds.personal import PERSONAL
from meterai.refunds.retention import RETENTION
from meterai.refunds.routes import routes
from meterai.refunds.service import RefundAccountState, RefundService
from meterai.refunds.settings import RefundSettings
from meterai.refunds.store import RENEWING
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    container.add(RefundService(container.database, container.settings, container.clock))
    claims = ClaimService(
        container.database,
        container.of(PaymentService),
        ClaimLinks(container.keyring.derived(PURPOSE)),
        container.settings,
        container.clock,
    )
    container.add(claims)

    async def path(account: UUID, facts: Mapping[str, Any]) -> str:
        return await claims.path(account, UUID(facts["link"]))

    container.of(MailService).leads("account_wanted", path)


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    return [
        PeriodicTask(TURNING, container.of(RefundService).refund_overdue, 5.0),
        PeriodicTask(COMPENSATING, container.of(ClaimService).compensate_late, 600.0),
        PeriodicTask(RENEWING, container.of(ClaimService).renew, 600.0),
    ]


COMMANDS = (
    *(
        Command(
            f"refunds {name}",
            f"meterai.refunds.commands:{function}",
            Directory.DATABASE,
            DemandScope.DATABASE,
            Schema.CURRENT,
        )
        for name, function in (
            ("ask", "ask"),
            ("list", "list_refunds"),
            ("show", "show_refund"),
            ("retry", "retry"),
            ("reroute", "reroute"),
            ("float", "show_float"),
            ("accept-account", "accept_account"),
            ("decline-account", "decline_account"),
        )
    ),
)

FIELDS = {
    ("RefundView", "state"): FieldDescription(list(RefundState)),
    ("RefundView", "way"): FieldDescription(list(Way)),
    ("RefundView", "stage"): FieldDescription(list(Stage)),
    ("RefundView", "cause"): FieldDescription(list(RefundCause)),
    ("RefundView", "currency"): FieldDescription(["IDR"]),
    ("RefundAccount", "state"): FieldDescription(list(RefundAccountState)),
    ("AccountView", "state"): FieldDescription([AccountClaimState.NAMED, AccountClaimState.HELD]),
}
ROOM = Room(
    name="refunds",
    subjects=[REFUND_SUBJECT, ACCOUNT_CLAIM_SUBJECT],
    tables=frozenset({"account_claims", "claim_links", "refund_keys"}),
    settings=RefundSettings,
    undemanded=UNDEMANDED,
    lifecycles=(CLAIM_LINK, ACCOUNT_CLAIM),
    build=_build,
    services={"refunds": RefundService, "claims": ClaimService},
    examples={
        "refund_id": "rfd_06f9k2...",
        "claim_id": "clm_06f9k2...",
        "bank_code": "014",
        "account_no": "1234567890",
        "holder": "Budi Santoso",
    },
    routes=routes,
    fields=FIELDS,
    handlers=HANDLERS,
    published=PUBLISHED,
    tasks=_tasks,
    commands=COMMANDS,
    command_groups={"refunds": "Money that is refunded to buyers."},
    levers=LEVERS,
    knows=KNOWS,
    work=WORK,
    invariants=INVARIANTS,
    mails={
        "refund_requested": "/orders/{order}",
        "refund_settled": "/orders/{order}",
        "payment_taken_back": "/orders/{order}",
        "account_wanted": "{path}",
        "account_held": "/refunds/account",
        "account_named": "/history",
        "account_declined": "/refunds/account",
    },
    mail_causes=MAIL_CAUSES,
    audited=AUDITED,
    postings=POSTINGS,
    retention=RETENTION,
    personal=PERSONAL,
)
