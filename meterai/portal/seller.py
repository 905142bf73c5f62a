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
    """The seller that a buyer came from, None for most buyers; `is_gone` is true if that seller no longer sells."""

    sold: SoldBy | None = None
    is_gone: bool = False

    @property
    def slug(self) -> str:
        """Name of the seller in forms and paths; empty without a seller."""
        return self.sold.slug if self.sold else ""


async def buyer_origin(
    request: PageRequest, orders: OrderService, account: UUID | None
) -> BuyerOrigin:
    """Return the seller that the buyer came from. Without the cookie nothing is queried. A buyer who is this seller gets no
    seller: the order is then placed with us.
    """
    slug = request.cookies.get(cookie_name(SELLER_COOKIE, orders.process), "")
    if not slug:
        return BuyerOrigin()
    try:
        sold = await orders.seller(slug)
    except Refusal:
        return BuyerOrigin(is_gone=True)
    return BuyerOrigin(sold) if sold.account != account else BuyerOrigin()
