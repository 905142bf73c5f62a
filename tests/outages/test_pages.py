"""Pages and API of outage records in the whole application: the public, a person with a copy, and staff."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meterai.kit.clock import WIB
from meterai.kit.ids import new_id, show
from meterai.outages.service import SIGNED
from meterai.plumbing.messages import translate
from meterai.sealing import Issuers, Verdict, verify_own
from tests.cases.test_proof import text_of
from tests.console.conftest import Floor
from tests.support.outages import FAILED, MINUTES, Keeping
from tests.support.readings import at, file_of
from tests.support.shop import open_shop
from tests.support.walk_in import WalkIn, fields, walk_in

ANI = "ani@example.id"
HASH = "ab" * 32
NOT_FOUND = "Not found, or not yours."


def typed(minute: int) -> str:
    """Format a minute since the begin as a browser sends it: in WIB."""
    return at(minute).astimezone(WIB).strftime("%Y-%m-%dT%H:%M")


@dataclass
class Seen:
    """A browser with an application, and the records of its database."""

    walker: WalkIn
    keeping: Keeping
    url: str

    def refused(self, path: str, form: dict[str, str], sentence: str) -> None:
        answer = self.walker.sends(path, form)
        assert answer.status_code in (404, 409), answer.status_code
        assert sentence in answer.text

    def copied(self, path: str, form: dict[str, str]) -> str:
        """Return the text of a copy, after checking that our engine sealed it without a stamp."""
        answer = self.walker.sends(path, form)
        assert answer.status_code == 200, answer.text
        issuers = self.keeping.shop.container.of(Issuers)
        report = verify_own(answer.content, issuers, at=datetime.now(UTC))
        assert report.verdict is Verdict.STATEMENT
        return text_of(answer.content)


@pytest.fixture
def seen(database_url: str, tmp_path: Path) -> Iterator[Seen]:
    file = tmp_path / "watchers.toml"
    with open_shop(database_url, tmp_path) as shop:
        keeping = Keeping(shop, tmp_path / "watchers")
        known = [one.known(str(keeping.folder / one.name)) for one in keeping.watchers]
        file.write_text(file_of(known, keeping.watchers))
        with walk_in(database_url, tmp_path, watchers_file=str(file)) as walker:
            yield Seen(walker, keeping, database_url)


def test_public_reads_a_record_in_both_languages_and_has_its_files(seen: Seen) -> None:
    outage = seen.keeping.sealed()
    assert "20 failed minutes" in seen.walker.get("/outages")
    page = seen.walker.get(f"/outages/{outage.shown}")
    assert "3 Sep 2024 19:10 WIB to 19:30 WIB (20 minutes failed)" in page
    assert page.index("Affixing a stamp") < page.index("Buying a stamp")  # failed acts come first
    client = seen.walker.client
    assert client.get(f"/outages/{outage.shown}.json").content == seen.keeping.file(outage, SIGNED)
    assert client.get("/outages/keys.pem").content == seen.keeping.service.keys()
    for language in ("en", "id"):
        client.headers["Accept-Language"] = language
        content = client.get(f"/outages/{outage.shown}.pdf").content
        assert content == seen.keeping.file(outage, f"{language}.pdf")
        text = text_of(content)
        assert translate("outage.finding", language) in text
        assert translate("outage.title", language) in seen.walker.get(f"/outages/{outage.shown}")
        assert "jakarta" in text


def test_stranger_gets_a_copy_with_the_claim_and_nothing_is_stored(seen: Seen) -> None:
    outage = seen.keeping.sealed()
    path = f"/outages/{outage.shown}/copy"
    before = seen.keeping.shop.rows("SELECT count(*) AS n FROM audit_events")
    # in the notation of certutil
    text = seen.copied(path, {"document": HASH.upper() + " ", "at": typed(12)})
    assert HASH in text.replace(" ", "")
    assert "3 Sep 2024 19:12 WIB, as stated by the applicant" in text
    assert "3 Sep 2024 19:10 WIB to 19:30 WIB" in text
    assert outage.shown in text
    assert "not proof that stamp duty was paid" in text
    assert seen.keeping.shop.rows("SELECT count(*) AS n FROM audit_events") == before


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"document": "ab", "at": typed(12)}, "A SHA-256 has 64 digits"),
        ({"document": "<script>" * 9, "at": typed(12)}, "A SHA-256 has 64 digits"),
        ({"document": HASH, "at": "yesterday"}, "Enter the date and time"),
        ({"document": HASH, "at": ""}, "Enter the date and time"),
        ({}, "A SHA-256 has 64 digits"),
    ],
)
def test_malformed_claim_names_the_field(seen: Seen, form: dict[str, str], sentence: str) -> None:
    outage = seen.keeping.sealed()
    answer = seen.walker.sends(f"/outages/{outage.shown}/copy", form)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert "<script>" not in answer.text.split("<main")[1].split("</main>")[0]


def test_copies_of_a_network_are_bounded(seen: Seen) -> None:
    outage = seen.keeping.sealed()
    form = {"document": HASH, "at": typed(FAILED.stop)}  # refused, and counted
    answers = {
        seen.walker.sends(f"/outages/{outage.shown}/copy", form).status_code for _ in range(61)
    }
    assert answers == {409, 429}


def test_person_gets_a_copy_with_the_facts_of_a_stamping(seen: Seen) -> None:
    outage, shop = seen.keeping.sealed(), seen.keeping.shop
    seen.walker.signs_in(ANI)
    [row] = shop.rows("SELECT account_id FROM accounts WHERE email = %s", ANI)
    shop.account = row["account_id"]
    order = shop.place_documents([1, 1])
    shop.arrange(
        "UPDATE orders SET placed_at = %s, lapses_at = lapses_at WHERE order_id = %s", at(15), order
    )
    there = f"/outages/{outage.shown}"
    found = seen.walker.client.get(f"/outages/of/{show('ord', order)}")
    assert (found.status_code, found.headers["location"]) == (
        303,
        f"{there}?about={show('ord', order)}",
    )
    form = fields(seen.walker.get(found.headers["location"]), f"{there}/mine")
    assert form["about"] == show("ord", order)
    text = seen.copied(f"{there}/mine", form)
    assert f"3 Sep 2024 19:15 WIB, according to our books ({form['about']})" in text
    assert text.count("SHA-256 of the document") == 2
    # A stamping outside a failed period, of another account, or without a document.
    shop.arrange("UPDATE orders SET placed_at = %s WHERE order_id = %s", at(50), order)
    seen.refused(f"{there}/mine", form, "the system did not count as failed")
    seen.refused(f"{there}/mine", form | {"about": show("stg", new_id())}, NOT_FOUND)
    seen.refused(f"{there}/mine", form | {"about": "anything"}, NOT_FOUND)
    shop.arrange("UPDATE orders SET placed_at = %s WHERE order_id = %s", at(90), order)
    assert "No outage record covers 3 Sep 2024 20:30 WIB" in seen.walker.get(
        f"/outages/of/{form['about']}"
    )
    plain = show("ord", shop.place(1))
    seen.refused(f"{there}/mine", form | {"about": plain}, "does not name a document")
    with seen.walker.as_another():
        seen.walker.signs_in("budi@example.id")
        form |= fields(seen.walker.get(there), f"{there}/mine") | {"about": show("ord", order)}
        seen.refused(f"{there}/mine", form, NOT_FOUND)


def test_staff_propose_on_the_page_and_two_confirm(seen: Seen) -> None:
    floor = Floor(seen.walker, seen.url)
    floor.seat("operations")
    form = fields(seen.walker.get("/console/outages"), "/console/outages")
    wrong = seen.walker.sends("/console/outages", form | {"begin": typed(0), "end": "soon"})
    assert wrong.status_code == 422
    unmeasured = form | {"begin": typed(120), "end": typed(180)}
    seen.refused("/console/outages", unmeasured, "was not measured by a majority of watchers")
    there = seen.walker.goes("/console/outages", form | {"begin": typed(0), "end": typed(MINUTES)})
    assert "/console/levers/outage.confirm" in seen.walker.get(there)
    assert "Proposed" in seen.walker.get("/console/outages")
    floor.seat("regulator")
    assert floor.get("/console/outages").status_code in (403, 404)
