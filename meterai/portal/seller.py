"""Whose buyer somebody is: the distributor whose page led here, as the browser remembers it."""

from dataclasses import dataclass
from uuid import UUID

from meterai.distribution import SELLER_COOKIE
from meterai.kit.refusal import Refusal
from meterai.orders import OrderService, SoldBy
from meterai.pages import PageRequest
from meterai.plumbing.http.requests import cookie_name


@dataclass(frozen=True, slots=True)
class BuyerOrigin:
    """By whom a buyer came: who sells, or that whoever it was does not sell now; neither of most."""

    sold: SoldBy | None = None
    is_gone: bool = False

    @property
    def slug(self) -> str:
        """What a form says of it."""
        return self.sold.slug if self.sold else ""


async def came_by(request: PageRequest, orders: OrderService, account: UUID | None) -> BuyerOrigin:
    """By whom a buyer came.  Whoever came by nobody costs nothing; who came by itself buys of us."""
    slug = request.cookies.get(cookie_name(SELLER_COOKIE, orders.process), "")
    if not slug:
        return BuyerOrigin()
    try:
        sold = await orders.seller(slug)
    except Refusal:
        return BuyerOrigin(is_gone=True)
    return BuyerOrigin(sold) if sold.account != account else BuyerOrigin()
