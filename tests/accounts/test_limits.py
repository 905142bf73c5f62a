"""Monthly limits of stamps of members: counted with the stamping or order, and given back with it."""

import asyncio
import secrets
from uuid import UUID

import pytest

from meterai.accounts import AccountService, OrganizationService, Role
from meterai.accounts.members import give_role, use_stamps
from meterai.accounts.model import MemberLimitReached
from meterai.kit.ids import new_id, read
from meterai.plumbing.db.database import Tx
from meterai.stamping import StampingService, Upload
from meterai.stamping.model import read_placements
from tests.support.pdf import pdf
from tests.support.shop import TESTER, Shop

LIMIT = 3


class Office:
    """An organization in which the account of the shop is a clerk with a limit."""

    def __init__(self, shop: Shop, limit: int | None = LIMIT) -> None:
        self.shop = shop
        self.service = shop.container.of(OrganizationService)
        self.stamping = shop.container.of(StampingService)
        self.clerk = shop.account
        accounts = shop.container.of(AccountService)
        owner = shop.do(accounts.create(f"{new_id().hex}@example.id", actor=TESTER))
        numbers = ("012345678901000", "1234567890123")
        self.account = shop.do(self.service.make(new_id(), owner, "PT Contoh", *numbers)).account

        async def give(tx: Tx) -> None:
            await give_role(tx, self.account, self.clerk, Role.CLERK, limit, actor=TESTER)

        shop.do(shop.container.database.run(give))

    def used(self) -> int:
        """Return the stamps used by the clerk, as on the page of members."""
        members = self.shop.do(self.service.members(self.account))
        return next(one.stamps_used for one in members if one.person == self.clerk)

    def takes(self, *stamps: int) -> None:
        uses = {new_id(): count for count in stamps}

        async def take(tx: Tx) -> None:
            await use_stamps(tx, self.account, self.clerk, uses)

        self.shop.do(self.shop.container.database.run(take))

    def orders(self) -> UUID:
        """Order one stamp for a document."""
        words = secrets.token_hex(4)
        upload = Upload(
            f"{words}.pdf",
            pdf(words=words),
            read_placements('{"page": 1, "x": 60, "y": 60, "width": 80}'),
        )
        key = secrets.token_hex(8)
        placed = self.shop.do(self.stamping.order(self.account, key, [upload], member=self.clerk))
        return read("ord", placed.id)

    def abandons(self, order: UUID, state: str) -> None:
        self.shop.call("SELECT order_abandon(%s, %s, %s)", self.account, order, state)


@pytest.mark.parametrize("state", ["withdrawn", "lapsed"])
def test_abandoned_order_gives_its_stamps_back(shop: Shop, state: str) -> None:
    office = Office(shop)
    orders = [office.orders() for _ in range(LIMIT)]
    assert office.used() == LIMIT
    with pytest.raises(MemberLimitReached) as refused:
        office.orders()
    assert (refused.value.needed, refused.value.left, refused.value.limit) == (1, 0, LIMIT)
    assert len(shop.rows("SELECT 1 FROM orders WHERE account_id = %s", office.account)) == LIMIT
    office.abandons(orders[0], state)
    office.abandons(orders[0], "withdrawn")
    assert office.used() == LIMIT - 1, "once"
    office.orders()


def test_concurrent_requests_do_not_exceed_the_limit(shop: Shop) -> None:
    office = Office(shop)

    async def one() -> None:
        async def take(tx: Tx) -> None:
            await use_stamps(tx, office.account, office.clerk, {new_id(): 1})

        await shop.container.database.run(take)

    async def many() -> list[object]:
        return list(await asyncio.gather(*(one() for _ in range(8)), return_exceptions=True))

    outcomes = [type(one).__name__ for one in shop.do(many())]
    assert (outcomes.count("NoneType"), outcomes.count("MemberLimitReached")) == (LIMIT, 5)
    assert office.used() == LIMIT


def test_limit_stays_with_the_person_when_its_role_changes(shop: Shop) -> None:
    office = Office(shop)
    office.takes(2)
    member = shop.do(office.service.members(office.account))[-1]
    change = office.service.change
    shop.do(change(office.account, read("mem", member.id), Role.OWNER, LIMIT, actor=TESTER))
    assert office.used() == 2
    with pytest.raises(MemberLimitReached):
        office.takes(2)
