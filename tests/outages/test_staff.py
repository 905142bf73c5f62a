"""Staff at the command line and in the console: timelines, work lists, figures."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from meterai import incidents
from meterai.commands import Exit
from meterai.incidents import IncidentChange, IncidentState, IncidentText, IncidentUnknown
from meterai.kit.components import Component, ComponentState
from meterai.kit.ids import new_id, show
from meterai.kit.subjects import Subject, SubjectKind
from meterai.outages.figures import FIGURES
from meterai.outages.knows import WORK
from meterai.outages.model import OUTAGE_SUBJECT
from meterai.outages.record import read_record, signer_of
from meterai.outages.service import SIGNED
from meterai.plumbing.db import figures
from meterai.plumbing.db.database import Tx
from tests.support.commands import Done, run_here
from tests.support.desk import staff_session
from tests.support.outages import Keeping
from tests.support.readings import BEGIN, at, fails, file_of
from tests.support.shop import TESTER
from tests.support.timelines import search, sentences, timeline_of, words

FROM, TO = "2024-09-03T19:00", "2024-09-03T20:00"  # in WIB


def typed(keeping: Keeping, *line: str, **settings: str) -> Done:
    folder = keeping.shop.container.settings.process.directory
    url = keeping.shop.container.database.url
    return run_here(folder, "outage", *line, METERAI_DATABASE_URL=url, **settings)


def watchers_file(keeping: Keeping) -> dict[str, str]:
    """Return the setting that names the watchers."""
    known = [one.known(str(keeping.folder / one.name)) for one in keeping.watchers]
    file: Path = keeping.folder / "watchers.toml"
    file.write_text(file_of(known, keeping.watchers))
    return {"METERAI_WATCHERS_FILE": str(file)}


def test_record_is_proposed_confirmed_by_two_and_listed_at_the_command_line(
    keeping: Keeping,
) -> None:
    watched = watchers_file(keeping)
    assert "No watchers" in typed(keeping, "propose", FROM, TO).stderr
    done = typed(keeping, "propose", FROM, TO, "--dry-run", **watched)
    assert done.returncode == Exit.DONE, done.stderr
    assert "failed from 3 Sep 2024 19:10 WIB to 3 Sep 2024 19:30 WIB, 20 minutes" in done.stdout
    assert "Measured by 3 watchers." in done.stdout
    assert typed(keeping, "list").stdout == ""
    done = typed(keeping, "propose", FROM, TO, "--by", "ani", **watched)
    [number] = re.findall(r"(out_\w+) is proposed", done.stdout)
    desks = [staff_session(keeping.shop, "operations") for _ in range(2)]
    emails = [
        str(
            keeping.shop.rows("SELECT email FROM accounts WHERE account_id = %s", one.account)[0][
                "email"
            ]
        )
        for one in desks
    ]
    # Without a supervisor a lever needs no approval; a record needs two of staff all the same.
    assert "two staff members" in typed(keeping, "confirm", number).stderr
    staff_session(keeping.shop, "supervisor")
    asked = typed(keeping, "confirm", number, "--reason", "seen", "--by", emails[0])
    assert asked.returncode == Exit.WAITS, asked.stderr
    assert "proposed" in typed(keeping, "list").stdout
    done = typed(keeping, "withdraw", number, "--by", emails[1])
    assert (done.returncode, "is withdrawn" in done.stdout) == (Exit.DONE, True)
    assert "withdrawn" in typed(keeping, "list").stdout


def test_timeline_of_a_record_goes_from_proposal_to_seal(keeping: Keeping) -> None:
    first = keeping.sealed()
    keeping.watch(fails(*range(10, 40)))
    keeping.sealed(replaces=first.id)
    [found] = search(keeping.shop, first.shown.upper())
    assert found == Subject(OUTAGE_SUBJECT.kind, first.shown)
    told = timeline_of(keeping.shop, found)
    moves = ["proposed", "confirmed", "sealed", "replaced"]
    of_staff = [one for one in words(told, for_staff=True) if one != "trail_line"]
    assert of_staff == [f"outage_{one}" for one in moves]
    assert words(told) == [f"outage_{one}" for one in moves[1:]]
    assert f"Outage record {first.shown} confirmed" in sentences(told)
    assert search(keeping.shop, show("out", new_id())) == []


def test_record_names_its_incident_and_is_on_its_timeline(keeping: Keeping) -> None:
    shop = keeping.shop

    async def opened(tx: Tx) -> UUID:
        begun = IncidentChange(
            state=IncidentState.INVESTIGATING,
            components={Component.STAMPING: ComponentState.MAJOR_OUTAGE},
        )
        told = IncidentText(
            text_id="Kami cari sebabnya.",
            text_en="We look for it.",
            title_id="Pembubuhan gagal",
            title_en="Stamping fails",
        )
        incident = await incidents.open_one(
            tx, begun, told, started_at=at(0), at=shop.container.clock.now(), actor=TESTER
        )
        return incident.id

    incident = shop.do(shop.container.database.run(opened))
    outage = keeping.sealed(incident=incident)
    told = timeline_of(shop, Subject(SubjectKind.INCIDENT, show("inc", incident)))
    assert [one for one in words(told) if one.startswith("outage_")] == [
        "outage_confirmed",
        "outage_sealed",
    ]
    key = signer_of(shop.container.keyring).public_key()
    record = read_record(keeping.file(outage, SIGNED), key)
    assert record.incident == show("inc", incident)
    with pytest.raises(IncidentUnknown):
        keeping.propose(incident=new_id())


def test_proposal_waits_for_staff_until_it_is_confirmed(keeping: Keeping) -> None:
    [work] = WORK
    container = keeping.shop.container

    def waiting() -> list[str]:
        async def look() -> list[str]:
            async with container.database.reading() as tx:
                now = container.clock.now()
                found = await work.waiting(tx, container.settings, now, 10)
                return [one.about.shown for one in found]

        return keeping.shop.do(look())

    outage = keeping.propose()
    assert waiting() == [outage.shown]
    keeping.confirm(outage)
    assert waiting() == []


def test_figures_count_confirmed_records_and_their_failed_minutes(keeping: Keeping) -> None:
    first = keeping.sealed()
    keeping.watch(fails(*range(10, 40)))
    keeping.sealed(replaces=first.id)
    keeping.propose()
    hour = timedelta(hours=1)

    def counted(begin: int, end: int) -> dict[str, object]:
        async def look() -> dict[str, object]:
            async with keeping.shop.container.database.reading() as tx:
                rows = await figures.count(tx, FIGURES[0], BEGIN + begin * hour, BEGIN + end * hour)
                return {one.of: dict(one.numbers) for one in rows}

        return keeping.shop.do(look())

    assert counted(-1, 1) == {
        "affix": {"records": 1, "failed_minutes": 30, "unmeasured_minutes": 0}
    }
    assert counted(1, 2) == {}
