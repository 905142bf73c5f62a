"""Commands of distributors."""

from typing import Annotated

from cyclopts import Parameter

from meterai import approvals
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    Between,
    By,
    DryRun,
    OptionalText,
    Options,
    Reason,
    Text,
    line,
    tell_all,
    tell_one,
    with_database,
)
from meterai.distribution import levers, store
from meterai.distribution.model import SALE_KIND, Distributor, Short, standing_of
from meterai.distribution.service import balance, load
from meterai.kit.ids import read, show
from meterai.kit.refusal import NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database

RUPIAH_MAX = 10**12  # a larger amount is a typing error
Rupiahs = Annotated[int, Parameter(help="Rupiah.", validator=Between(0, RUPIAH_MAX))]
Days = Annotated[int, Parameter(help="Days of cover.", validator=Between(0, levers.LOW_DAYS_MAX))]


def list_distributors(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Show every distributor: its terms, its deposit, and the sales that wait for the deposit."""

    async def look(database: Database, _: Settings) -> list[dict[str, object]]:
        async with database.reading() as tx:
            found = await store.distributors(tx)
            return [
                _shown(one)
                | {
                    "deposit": await balance(tx, one.account),
                    "waiting": (await store.waiting(tx, one.account)).sales,
                }
                for one in found
            ]

    tell_all(with_database("distributors list", options, look), as_json=as_json)


def show_sale(sale: Text, options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Show one SALE (sal_...): its seller, its order, and its state."""
    number = read(SALE_KIND, sale)

    async def look(database: Database, _: Settings) -> dict[str, object]:
        async with database.reading() as tx:
            key = await store.seller_of(tx, number)
            found = await store.sale(tx, key.account, number) if key else None
            if key is None or found is None:
                raise NotFound("no such sale")
            states = {one.order: one.state for one in await store.orders_of(tx, [found])}
            seller = await load(tx, key.account)
            return {
                "sale": sale,
                "seller": f"{seller.name} {show('acc', key.account)}",
                "buyer": show("acc", found.buyer),
                "order": show("ord", found.order),
                "state": standing_of(found.state, states.get(found.order)),
                "stamps": found.quantity,
                "rupiah": found.total,
                "returned": found.returned,
                "made": found.made_at.isoformat(timespec="seconds"),
                "waits_until": found.waits_until.isoformat(timespec="seconds"),
            }

    tell_one(with_database("sales show", options, look), as_json=as_json)


def _shown(one: Distributor) -> dict[str, object]:
    return {
        "account": show("acc", one.account),
        "name": one.name,
        "state": one.state,
        "region": one.region,
        "fee": one.fee,
        "short": one.short,
    }


def approve(  # noqa: PLR0913 - what was agreed, and how a lever is pulled
    organization: Text,
    *,
    seller: Text,
    fee: Rupiahs,
    region: Text,
    short: Short = Short.WAIT,
    low_days: Days = 0,
    low_rupiah: Rupiahs = 0,
    topup_rupiah: Rupiahs = 0,
    topup_method: OptionalText = None,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Make an ORGANIZATION (acc_...) a distributor; a second person approves."""
    asked = levers.DistributorTerms(
        organization, seller, fee, region, short, low_days, low_rupiah, topup_rupiah, topup_method
    )
    approvals.pull(options, levers.APPROVE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{organization} is a distributor")


def change(  # noqa: PLR0913 - what was agreed, and how a lever is pulled
    organization: Text,
    *,
    seller: Text,
    fee: Rupiahs,
    region: Text,
    short: Short = Short.WAIT,
    low_days: Days = 0,
    low_rupiah: Rupiahs = 0,
    topup_rupiah: Rupiahs = 0,
    topup_method: OptionalText = None,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Replace all terms of a distributor; a second person approves."""
    asked = levers.DistributorTerms(
        organization, seller, fee, region, short, low_days, low_rupiah, topup_rupiah, topup_method
    )
    approvals.pull(options, levers.CHANGE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{organization} sells at these terms")


def close(
    organization: Text,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Close a distributor: it sells no more, its waiting sales end at once, and its deposit can be refunded."""
    asked = levers.DistributorNamed(organization)
    approvals.pull(options, levers.CLOSE, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{organization} can no longer sell")


def refund(
    organization: Text,
    rupiah: Rupiahs,
    *,
    reason: Reason = "",
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Refund RUPIAH of the unused deposit of a distributor, to where its newest top-ups were paid from."""
    asked = levers.DepositAsked(organization, rupiah)
    approvals.pull(options, levers.REFUND, asked, by=by, reason=reason, dry_run=dry_run)
    line(f"{rupiah} of the deposit of {organization} are refunded")
