"""Look-up of many serials: those in the directory, those not in it yet, and unknown ones."""

from collections.abc import Mapping

from meterai import stamps
from meterai.stamps import StampRecord
from tests.support.shop import Shop
from tests.support.stamping_calls import buy, stamp_all

NOBODYS = "0" * 22


def test_serials_are_found_in_directory_and_outside_it(shop: Shop) -> None:
    buy(shop, 3)
    made = stamp_all(shop, "k", "serials-a", "serials-b", "serials-c")
    serials = [view.serials[0] for view in made]
    shop.work()

    async def ask() -> Mapping[str, StampRecord]:
        async with shop.container.database.reading() as tx:
            return await stamps.look_up_all(tx, [*serials, NOBODYS])

    found = shop.do(ask())
    shop.arrange("DELETE FROM serial_directory WHERE serial = ANY (%s)", serials[1:])
    assert shop.do(ask()) == found
    shop.arrange(
        "INSERT INTO serial_directory (serial, account_id) SELECT serial, account_id FROM stamps"
        " WHERE serial = ANY (%s)",
        serials[1:],
    )
    assert set(found) == set(serials)
    assert {record.account for record in found.values()} == {shop.account}
