"""The distributor from whose sales page a buyer came, read from a cookie: it is the seller of the buyer's order."""

from dataclasses import dataclass
from uuid import UUID

from meterai.distribution import SELLER_COOKIE
from meterai.kit.refusal import Refusal
from meterai.orders import OrderService, SoldBy
from meterai.pages import PageRequest
from meterai.plumbing.http.requests import cookie_name


@dataclass(frozen=True, slots=True)
class BuyerOrigin:
    """The seller from whose sales page a buyer came (`sold`; None for most buyers). `is_gone` is true if the buyer came from a
    seller that no longer sells.
    """

    sold: SoldBy | None = None
    is_gone: bool = False

    @property
    def slug(self) -> str:
        """Name of the seller in forms and paths; empty without a seller."""
        return self.sold.slug if self.sold else ""


async def buyer_origin(
    request: PageRequest, orders: OrderService, account: UUID | None
) -> BuyerOrigin:
    """Return the seller that the cookie of the request names; without this cookie no query runs.

    The result has no seller if the buyer is this seller: the order is then placed with us.
    """
    slug = request.cookies.get(cookie_name(SELLER_COOKIE, orders.process), "")
    if not slug:
        return BuyerOrigin()
    try:
        sold = await orders.seller(slug)
    except Refusal:
        return BuyerOrigin(is_gone=True)
    return BuyerOrigin(sold) if sold.account != account else BuyerOrigin()
