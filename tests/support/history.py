"""An honest small history: every state of every lifecycle, made by the product's own commands.

`tests/<room>/happened.py` has the part of each room: `happen`, and `end`, after which no command runs. Seals,
documents and stored objects are real; bank and mails are missing. Everything that can be corrupted has a name,
so that a test can refer to it.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from meterai.documents import DocumentService
from meterai.kit.ids import new_id
from meterai.plumbing.db.database import jsonb
from meterai.stamping import StampingService, Upload
from meterai.stamping import store as stamping_store
from meterai.stamping.model import read_placements
from tests.support.by_room import modules
from tests.support.pdf import pdf
from tests.support.shop import PLACEMENT, Paid, Shop

PLACE = '{"page": 1, "x": 60, "y": %d, "width": 80}'


@dataclass(slots=True)
class History:
    """The objects of a history, by name."""

    shop: Shop
    names: dict[str, object] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.names[name]

    # -- the acts ---------------------------------------------------------------------------

    def quota(self, name: str, quantity: int, more: int = 0) -> UUID:
        """An executed order of stamps."""
        order = self.shop.place(quantity)
        paid = self.shop.pay(order, more)
        self.shop.work()
        self.keep_order(name, order, paid)
        return order

    def keep_order(self, name: str, order: UUID, paid: Paid | None = None) -> None:
        """Give names to an order, its attempt and its payment."""
        self.names[f"{name}.order"] = order
        self.names[f"{name}.attempt"] = paid.attempt if paid else self.shop.attempts(order)[-1]
        self.names[f"{name}.payment"] = paid.number if paid else None

    def documents(self, name: str, count: int) -> UUID:
        """An order of documents, placed as the page places it."""
        uploads = [
            Upload(f"{name}-{n}.pdf", pdf(words=f"{name} {n}"), read_placements(PLACE % 60))
            for n in range(count)
        ]
        container = self.shop.container
        view = self.shop.do(
            container.of(StampingService).order(self.shop.account, secrets.token_hex(8), uploads)
        )
        [row] = self.shop.rows(
            "SELECT order_id FROM orders WHERE 'ord_' || lower(compact(order_id)) = %s", view.id
        )
        order: UUID = row["order_id"]
        self.shop.placed.append(order)
        found = self.shop.rows(
            "SELECT stamping_id FROM stampings WHERE order_id = %s ORDER BY position", order
        )
        for n, one in enumerate(found):
            self.names[f"{name}.{n}"] = one["stamping_id"]
        self.keep_order(name, order)
        return order

    def stamp(self, name: str, count: int) -> None:
        """Stamp a document from the balance."""
        places = read_placements(f"[{', '.join(PLACE % (60 + 150 * n) for n in range(count))}]")
        upload = Upload(f"{name}.pdf", pdf(words=name), places)
        service = self.shop.container.of(StampingService)
        view = self.shop.do(service.stamp(self.shop.account, secrets.token_hex(8), upload))
        [row] = self.shop.rows(
            "SELECT stamping_id FROM stampings WHERE 'stg_' || lower(compact(stamping_id)) = %s",
            view.id,
        )
        self.names[f"{name}.stamping"] = row["stamping_id"]

    def reserve(self, name: str, count: int) -> UUID:
        """Reserve stamps for a document that is not sealed yet."""
        content = pdf(words=name)
        sha256 = hashlib.sha256(content).digest()
        account, container = self.shop.account, self.shop.container
        container.of(DocumentService).contents.put_from_thread(sha256, content)
        row = self.shop.call(
            stamping_store.RESERVE,
            account,
            new_id(),
            secrets.token_hex(8),
            secrets.token_bytes(32),
            sha256,
            jsonb([PLACEMENT] * count),
            self.shop.fresh_serials(count),
            900.0,
            60.0,
            *container.of(DocumentService).metadata(
                f"{name}.pdf", len(content), 1, wanted_seconds=0.0
            ),
            False,
        )
        assert row is not None
        self.names[f"{name}.stamping"] = row["id"]
        return UUID(str(row["id"]))

    def give_back(self, name: str, *steps: str) -> UUID:
        """Name the refund of an order, and apply these steps of the shop to it."""
        [row] = self.shop.rows(
            "SELECT refund_id FROM refunds WHERE order_id = %s ORDER BY refund_id DESC LIMIT 1",
            self[f"{name}.order"],
        )
        refund: UUID = row["refund_id"]
        self.names[f"{name}.refund"] = refund
        for step in steps:
            getattr(self.shop, step)(refund)
        self.shop.work()
        return refund


def make(shop: Shop) -> History:
    """Make every event of the product once: `happen` of each room, then `end` of each.

    Rooms run from the lowest up, each after the rooms in its `AFTER`.
    """
    history = History(shop)
    found = {module.__name__.split(".")[1]: module for module in modules("happened")}
    rooms: dict[str, None] = {}

    def place(room: str) -> None:
        for before in getattr(found[room], "AFTER", ()):
            place(before)
        rooms.setdefault(room)

    for room in found:
        place(room)
    for step in ("happen", "end"):
        for room in rooms:
            getattr(found[room], step, _nothing)(history)
    history.names["account"] = shop.account
    return history


def _nothing(_: History) -> None:
    """In place of a step that a room does not define."""
