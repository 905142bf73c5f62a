"""Eleven places in a line: some were admitted, one of them used the turn, one is kept by an account that was
notified."""

from meterai.kit.ids import new_id
from meterai.plumbing.networks import nested
from meterai.waiting_room.advancing import Advancing
from meterai.waiting_room.crowds import OF_A_ROUND
from tests.support.history import History
from tests.support.lines import BUYING, BUYING_ID, on_shop

AFTER = ("approvals",)


def happen(history: History) -> None:
    shop, lines = history.shop, on_shop(history.shop)
    history.names["line"] = BUYING_ID
    lines.operate("set_rate", BUYING, rate=1.0, rate_max=None)
    lines.operate("stand", BUYING, "always")
    room = lines.room()
    tickets = [lines.take(room) for _ in range(9)]
    lines.advance(3.0)
    for ticket in (tickets[1], tickets[0]):
        turn = shop.do(room.come_in(lines.see(room), ticket))
        history.names["used" if ticket.number == 1 else "unused"] = ticket.number
        if ticket.number == 1:
            shop.do(room.use(room.line(BUYING), turn, shop.account))
    for account, ticket in ((shop.account, tickets[1]), (history["other"], tickets[-1])):
        shop.do(room.keep(room.line(BUYING), account, ticket))
    # A place beyond the share of its network is spaced; a sign-in gives it a number.
    networks = nested("192.0.2.1")
    spaced = [
        shop.do(room.take_place(lines.see(room), None, networks)) for _ in range(OF_A_ROUND + 1)
    ][-1]
    kept = shop.do(room.keep(lines.see(room), new_id(), spaced))
    assert kept
    assert kept.serial
    assert shop.do(room.set_wants_mail(room.line(BUYING), history["other"], wants_mail=True))
    assert shop.do(lines.container.of(Advancing).notify_near()) == 1
    while lines.see(room).serving < kept.number:  # which also notifies the account
        lines.advance(1.0)
    lines.advance(5.0)
    shop.do(room.come_in(lines.see(room), kept))
    shop.work()
