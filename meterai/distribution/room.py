"""Registration of the room `distribution`."""

from collections.abc import Sequence

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.distribution.audited import AUDITED
from meterai.distribution.branding import ShopService
from meterai.distribution.demands import UNDEMANDED
from meterai.distribution.figures import FIGURES
from meterai.distribution.invariants import INVARIANTS, MAIL_CAUSES, POSTINGS
from meterai.distribution.jobs import HANDLERS
from meterai.distribution.knows import KNOWS
from meterai.distribution.levers import LEVERS
from meterai.distribution.metrics import METRICS
from meterai.distribution.model import (
    DISTRIBUTOR,
    DISTRIBUTOR_SUBJECT,
    RESELLER,
    SALE,
    SALE_SUBJECT,
    DistributorState,
    ResellerState,
    SaleStanding,
    Short,
)
from meterai.distribution.pages import PAGE_ROUTES, PAGES
from meterai.distribution.personal import PERSONAL
from meterai.distribution.publishing import PUBLISHED
from meterai.distribution.rail import WHOLESALE_RAIL
from meterai.distribution.reseller_routes import RESELLER_ROUTES
from meterai.distribution.resellers import ResellerService
from meterai.distribution.retention import RETENTION
from meterai.distribution.routes import routes
from meterai.distribution.sales_page import routes as sales_page_routes
from meterai.distribution.service import DistributionService
from meterai.distribution.settings import DistributionSettings
from meterai.distribution.store import END_DUE, ENDING, WATCHING
from meterai.orders import OrderService
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room


async def _build(container: Container) -> None:
    orders, settings = container.of(OrderService), container.settings
    container.add(DistributionService(container.database, orders, settings, container.clock))
    shops = ShopService(container.database, settings, container.clock)
    orders.sell_by(shops.seller)
    container.add(shops)
    container.add(ResellerService(container.database, settings, container.clock))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    distribution = container.of(DistributionService)
    return [
        PeriodicTask(ENDING, distribution.end_due, 1.0, END_DUE),
        PeriodicTask(WATCHING, distribution.watch, 5.0),
        PeriodicTask(
            "measure_deposits",
            distribution.measure,
            30.0,
            without_rows="counts the waiting sales, for the metrics",
        ),
    ]


def _command(words: str, function: str) -> Command:
    place = f"meterai.distribution.commands:{function}"
    return Command(words, place, Directory.DATABASE, DemandScope.DATABASE, Schema.CURRENT)


COMMANDS = (
    _command("distributors list", "list_distributors"),
    _command("distributors approve", "approve"),
    _command("distributors change", "change"),
    _command("distributors close", "close"),
    _command("deposits refund", "refund"),
    _command("sales show", "show_sale"),
)
FIELDS = {
    ("SaleView", "state"): FieldDescription(list(SaleStanding)),
    ("DepositView", "state"): FieldDescription(list(DistributorState)),
    ("ShopView", "state"): FieldDescription(list(DistributorState)),
    ("DepositView", "when_short"): FieldDescription(list(Short)),
    ("ResellerView", "state"): FieldDescription(list(ResellerState)),
    ("ResellerRequest", "day_rupiah"): FieldDescription(least=1),
    ("ResellerChange", "day_rupiah"): FieldDescription(least=1),
    ("SaleRequest", "quantity"): FieldDescription(least=1),
    ("DepositRequest", "rupiah"): FieldDescription(least=1),
}
ROOM = Room(
    name="distribution",
    subjects=[DISTRIBUTOR_SUBJECT, SALE_SUBJECT],
    rails=[WHOLESALE_RAIL],
    tables=frozenset(
        {
            "deposit_returns",
            "distributor_terms",
            "distributors",
            "fee_moves",
            "resellers",
            "sales",
            "seller_debts",
            "selling_accounts",
            "shops",
        }
    ),
    global_tables={
        "shop_names": (
            "finds the shop of a name; its primary key proves that it belongs to one account"
        )
    },
    lifecycles=(DISTRIBUTOR, SALE, RESELLER),
    settings=DistributionSettings,
    build=_build,
    services={
        "distribution": DistributionService,
        "resellers": ResellerService,
        "shops": ShopService,
    },
    routes=[*routes, *RESELLER_ROUTES, *PAGE_ROUTES, *sales_page_routes],
    examples={
        "email": "ani@example.id",
        "rupiah": "1000000",
        "account": "acc_06f9k2...",
        "reseller_id": "acc_06f9k2...",
        "distributor_id": "acc_06f9k2...",
        "day_rupiah": "500000",
        "fee": "500",
        "sale_id": "sal_06f9k2...",
        "slug": "toko-meterai",
        "colour": "#7a1f3d",
        "terms": "Buka setiap hari.",
    },
    pages=PAGES,
    fields=FIELDS,
    handlers=HANDLERS,
    published=PUBLISHED,
    tasks=_tasks,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    command_groups={
        "distributors": "Distributors, who sell stamps from a deposit.",
        "sales": "Sales of distributors.",
        "deposits": "Money that distributors paid in advance.",
    },
    levers=LEVERS,
    knows=KNOWS,
    figures=FIGURES,
    metrics=METRICS,
    invariants=INVARIANTS,
    mails={
        "sale_offered": "/orders/{order}",
        "deposit_low": "{path}",
        "reselling_invited": "/sales",
        "reselling_ended": "/sales",
    },
    mail_causes=MAIL_CAUSES,
    postings=POSTINGS,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
)
