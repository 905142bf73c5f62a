"""Items as commands print them: one with its facts, all of them by age and money; pure."""

from datetime import datetime

from meterai.kit.ids import show
from meterai.suspense import AGE_BUCKETS, Item


def facts(item: Item, now: datetime) -> dict[str, object]:
    """An item as it is printed."""
    return {
        "id": show("sus", item.id),
        "kind": item.reason,
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
    }


def summary(found: list[Item], now: datetime) -> list[str]:
    """How many are open by their age, for how much, and the oldest."""
    lines = []
    for bucket in (*AGE_BUCKETS, "30+"):
        of = [one for one in found if one.bucket(now) == bucket]
        rupiah = sum(one.at_stake.value for one in of if one.at_stake)
        if of:
            lines.append(f"{bucket} days: {len(of)} open, Rp {rupiah}")
    if found:
        oldest = min(found, key=lambda one: one.opened_at)
        lines.append(f"oldest: {show('sus', oldest.id)}, {oldest.opened_at.isoformat()}")
    return [*lines, f"{len(found)} open"]
