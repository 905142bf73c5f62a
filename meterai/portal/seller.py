"""Seller of a buyer: the distributor from whose page the buyer came, read from a cookie."""

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
    """Return the origin of a buyer. Without the cookie nothing is queried. A distributor with its own cookie buys
    from us.
    """
    slug = request.cookies.get(cookie_name(SELLER_COOKIE, orders.process), "")
    if not slug:
        return BuyerOrigin()
    try:
        sold = await orders.seller(slug)
    except Refusal:
        return BuyerOrigin(is_gone=True)
    return BuyerOrigin(sold) if sold.account != account else BuyerOrigin()
