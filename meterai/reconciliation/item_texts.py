"""Texts of items in suspense for commands: one item with its facts, and all items by age and money; pure."""

from datetime import datetime

from meterai.kit.clock import WIB
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.plumbing.messages import translate
from meterai.suspense import AGE_BUCKETS, Item, Resolution

_WAYS = {
    "match": Resolution.MATCHED,
    "apply": Resolution.APPLIED,
    "return": Resolution.RETURNED,
    "fee": Resolution.FEE,
    "write-off": Resolution.WRITTEN_OFF,
    "dismiss": Resolution.DISMISSED,
}


def facts(item: Item, now: datetime) -> dict[str, object]:
    """Return the facts of an item in suspense that commands print as JSON."""
    return {
        "id": show("sus", item.id),
        "kind": item.reason,
        "record": item.record,
        "reference": item.reference,
        "payment": item.payment,
        "amount": item.at_stake and item.at_stake.value,
        "booked": item.booked.value,
        "difference": item.difference,
        "owner": item.owner,
        "state": item.state,
        "resolution": item.resolution,
        "age_days": item.bucket(now),
        "opened_at": item.opened_at.isoformat(),
        "due_at": item.due_at.isoformat(),
        "times_told": item.times_told,
        "source": item.source,
        "note": item.note,
        "ways": ways(item),
    }


def ways(item: Item) -> list[str]:
    """Return the names of the commands that can resolve an item in suspense; empty if the item is not open."""
    if item.state != "open":
        return []
    # `return` needs money in the book, unless the provider reports that it returned the money.
    is_back = bool(item.booked.value) or item.reason == "refunded_there"
    return [
        name for name, how in _WAYS.items() if item.allows(how) and (is_back or name != "return")
    ]


def lines(item: Item, now: datetime) -> list[str]:
    """Return lines of text about an item in suspense: kind, money, record, age, and the commands that can resolve it."""
    money = str(item.at_stake or "")
    if item.difference:
        money = f"the record has {money} {'more' if item.difference > 0 else 'less'}"
    elif item.booked.value:
        money += " in suspense"
    named = (("record of", item.record), ("payment", item.payment), ("reference", item.reference))
    about = [f"{name} {text}" for name, text in (*named, ("note", item.note)) if text]
    due = item.due_at.astimezone(WIB).strftime("%Y-%m-%d %H:%M WIB")
    state = (
        f"{item.bucket(now)} days old, due {due}" if item.state == "open" else str(item.resolution)
    )
    what = translate(f"suspense.reason.{item.reason}", "en")
    found = [f"{show('sus', item.id)}: {what}{', ' if money else ''}{money}"]
    found.append("    " + ", ".join([*about, state]))
    return [*found, f"    breaks {' | '.join(ways(item))}"] if ways(item) else found


def summary(found: list[Item], now: datetime) -> list[str]:
    """Return lines of text about all open items in suspense: number and money by age, and the oldest item."""
    told = []
    for bucket in (*AGE_BUCKETS, "30+"):
        of = [one for one in found if one.bucket(now) == bucket]
        rupiah = sum(one.at_stake.value for one in of if one.at_stake)
        if of:
            told.append(f"{bucket} days: {len(of)} open, {Rupiah(rupiah)}")
    if found:
        oldest = min(found, key=lambda one: one.opened_at)
        since = oldest.opened_at.astimezone(WIB).strftime("%Y-%m-%d %H:%M WIB")
        told.append(f"oldest: {show('sus', oldest.id)}, since {since}")
    return [*told, f"{len(found)} open"]
