"""See what is in suspense."""

import json

from meterai.commands import NO_OPTIONS, AsJson, Options, line, with_database
from meterai.kit.ids import show
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database
from meterai.suspense.model import Item
from meterai.suspense.service import open_items


def list_open(options: Options = NO_OPTIONS, *, as_json: AsJson = False) -> None:
    """Show what the bank told us and nobody can place yet, the most urgent first."""

    async def look(database: Database, _: Settings) -> list[Item]:
        async with database.reading() as tx:
            return await open_items(tx)

    found = with_database("suspense list", options, look)
    if as_json:
        line(json.dumps([_item(one) for one in found], indent=2))
        return
    for one in found:
        facts = ", ".join(f"{name}={value}" for name, value in _item(one).items() if value)
        line(facts)
    line(f"{len(found)} open")


def _item(item: Item) -> dict[str, object]:
    return {
        "id": show("sus", item.id),
        "reason": item.reason,
        "reference": item.reference,
        "payment": item.payment,
        "amount": item.amount and item.amount.value,
        "booked": item.booked.value,
        "owner": item.owner,
        "opened_at": item.opened_at.isoformat(),
        "due_at": item.due_at.isoformat(),
        "times_told": item.times_told,
        "source": item.source,
    }
