"""A record written with the SQL role of the application alone is not signed."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from meterai.kit.ids import show
from meterai.outages import proposing
from meterai.outages.knows import WORK
from meterai.outages.model import OUTAGE_KIND, Findings, Outage
from meterai.outages.proposing import READINGS
from meterai.plumbing.db.database import Tx, jsonb
from meterai.plumbing.readings import Watcher
from tests.support.audits import INVARIANTS, audit
from tests.support.outages import Keeping
from tests.support.readings import BEGIN, SigningWatcher, at, fails
from tests.support.shop import TESTER


def forged(
    keeping: Keeping, watchers: Sequence[Watcher], *, longer: timedelta = timedelta()
) -> Outage:
    """Insert a confirmed record with a trail by SQL. Its first period is longer than the readings prove."""
    container = keeping.shop.container
    url = container.settings.process.url
    outage, files = keeping.shop.do(
        proposing.derived_from(watchers, BEGIN, at(60), url, datetime.now(UTC))
    )
    facts = msgspec.to_builtins(outage.findings)
    period = facts["failed"]["affix"][0]
    period["end"] = (datetime.fromisoformat(period["end"]) + longer).isoformat()
    sha256 = hashlib.sha256(msgspec.convert(facts, Findings).as_json()).digest()

    async def write(tx: Tx) -> None:
        await tx.run(
            "INSERT INTO outages (outage_id, begins_at, ends_at, findings, findings_sha256, proposed_by,"
            " proposed_at, state, confirmed_at) VALUES (%s, %s, %s, %s, %s, 'staff:acc_x', now(), 'confirmed', now() - interval '2 minutes')",
            *(outage.id, outage.begins_at, outage.ends_at, jsonb(facts), sha256),
        )
        for name, content in files.items():
            await tx.run(
                "INSERT INTO outage_files VALUES (%s, %s, sha256(%s), %s, now())",
                *(outage.id, READINGS + name, content, content),
            )
        for action in ("outage_proposed", "outage_confirmed"):
            await proposing.record(tx, outage.id, action, TESTER, sha256)

    keeping.shop.do(container.database.run(write))
    return outage


def evil(folder: Path, installation: str) -> Watcher:
    made = SigningWatcher("evil", installation).measure(range(60), fails(*range(60)))
    return made.publish(folder / "evil")


def broken(keeping: Keeping) -> set[str]:
    mine = [one for one in INVARIANTS if one.name.startswith("outage")]
    found = keeping.shop.do(audit(keeping.shop.container.database, mine)).findings
    return {one.invariant.name for one in found if not one.holds}


def waiting(keeping: Keeping) -> Sequence[str]:
    container = keeping.shop.container
    ask = WORK[0].waiting
    items = keeping.shop.do(
        container.database.once(lambda tx: ask(tx, container.settings, at(0), 10))
    )
    return [one.about.shown for one in items if one.facts.get("confirmed_at")]


@pytest.mark.parametrize("how", ["watchers of its own", "one watcher of three", "a longer period"])
def test_record_forged_by_sql_is_not_signed_and_is_reported(keeping: Keeping, how: str) -> None:
    ours = [one.known(str(keeping.folder / one.name)) for one in keeping.watchers]
    match how:
        case "watchers of its own":
            url = keeping.shop.container.settings.process.url
            outage = forged(keeping, [evil(keeping.folder, url)])
        case "one watcher of three":
            outage = forged(keeping, ours[:1])
        case _:
            outage = forged(keeping, ours, longer=timedelta(minutes=15))
    assert keeping.seal() == 0
    assert not keeping.again(outage).is_public
    assert waiting(keeping) == [show(OUTAGE_KIND, outage.id)]
    [row] = keeping.shop.rows("SELECT code FROM round_faults WHERE round = 'seal_outages'")
    assert row["code"] == "record_wrong"
    assert broken(keeping) == {"outages_are_confirmed_by_two"}


def test_record_is_sealed_once_its_watchers_are_configured_again(keeping: Keeping) -> None:
    outage, ours = keeping.propose(), keeping.watchers
    keeping.confirm(outage)
    keeping.watchers = ours[:2]
    assert keeping.seal() == 0
    keeping.watchers = ours
    keeping.shop.arrange("DELETE FROM round_faults")  # ends its pause
    assert keeping.seal() == 1
    assert broken(keeping) == set()
    assert waiting(keeping) == []
