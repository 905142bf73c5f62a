"""Facts of documents, and the list of a month made of them."""

import gzip
import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import pytest

from meterai.collectors.lists import FEED_KIND, NIL_KIND, MonthLists, as_csv, as_json, as_xlsx
from meterai.collectors.model import MonthNotNil, MonthRuns
from meterai.kit.refusal import Malformed
from meterai.plumbing.signed import read_signed
from meterai.regulator import signer_of
from meterai.stamping import (
    NO_FACTS,
    DocumentFacts,
    DocumentFactsMissing,
    DocumentParty,
    StampingService,
    Upload,
    read_facts,
    read_placements,
)
from tests.collectors.conftest import PRICE, Collecting
from tests.support.collecting import FACTS
from tests.support.pdf import pdf

PLACE = b'{"page": 1, "x": 60, "y": 60, "width": 70}'


@pytest.fixture
def stocked(collecting: Collecting) -> Collecting:
    """A collector that drew five stamps."""
    collecting.draw(5)
    collecting.work()
    return collecting


@cache
def document(name: str) -> bytes:
    """The document of this name. Its bytes depend on the second in which it is made."""
    return pdf(words=name)


def upload(name: str, facts: DocumentFacts = FACTS) -> Upload:
    return Upload(f"{name}.pdf", document(name), read_placements(PLACE), facts=facts)


def stamp(collecting: Collecting, name: str, facts: DocumentFacts = FACTS, key: str = "") -> Any:
    service = collecting.shop.container.of(StampingService)
    return collecting.shop.do(service.stamp(collecting.account, key or name, upload(name, facts)))


def lists(collecting: Collecting) -> MonthLists:
    return collecting.shop.container.of(MonthLists)


def numbered(number: str) -> DocumentFacts:
    return msgspec.structs.replace(FACTS, number=number)


def test_document_of_a_collector_without_its_facts_is_refused_by_field(stocked: Collecting) -> None:
    with pytest.raises(DocumentFactsMissing) as found:
        stamp(stocked, "a", NO_FACTS)
    assert found.value.field == "type"
    short = msgspec.structs.replace(FACTS, party=DocumentParty(name="PT Lawan"))
    with pytest.raises(DocumentFactsMissing) as found:
        stamp(stocked, "a", short)
    assert found.value.field == "party.number"
    assert not stocked.shop.rows("SELECT 1 FROM stampings")
    stocked.check()


def test_order_with_documents_of_a_collector_needs_their_facts(stocked: Collecting) -> None:
    service = stocked.shop.container.of(StampingService)

    def order(*uploads: Upload) -> Any:
        return stocked.shop.do(service.order(stocked.account, "o", uploads, method="credit"))

    with pytest.raises(DocumentFactsMissing):
        order(upload("a"), upload("b", NO_FACTS))
    order(upload("a"), upload("b", numbered("INV-2")))
    stocked.work()
    stocked.seal()
    found = stocked.shop.rows(
        "SELECT f.number FROM stamping_facts f JOIN stampings s USING (account_id, stamping_id)"
        " WHERE s.state = 'delivered' ORDER BY 1"
    )
    assert [row["number"] for row in found] == ["INV-1", "INV-2"]
    stocked.check()


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (DocumentFacts(type="5"), "type"),
        (DocumentFacts(value=-1), "value"),
        (DocumentFacts(date="30-11-2026"), "date"),
        (DocumentFacts(date="0001-01-01"), "date"),
        (DocumentFacts(date="2099-01-01"), "date"),
        (DocumentFacts(party=DocumentParty(identity="other", number="-")), "party.number"),
        (
            DocumentFacts(party=DocumentParty(identity="KTP", number="012345678901234")),
            "party.number",
        ),
        (DocumentFacts(party=DocumentParty(number="123")), "party.number"),
        (DocumentFacts(party=DocumentParty(identity="SIM", number="1")), "party.identity"),
        (DocumentFacts(number="x" * 201), "number"),
    ],
)
def test_impossible_facts_are_refused_by_field(told: DocumentFacts, field: str) -> None:
    with pytest.raises(Malformed) as found:
        read_facts(told)
    assert found.value.field == field


def test_list_of_month_contains_its_stampings(stocked: Collecting) -> None:
    made = [stamp(stocked, name, numbered(name)) for name in ("a", "b", "c")]
    month = stocked.this_month
    view = stocked.shop.do(lists(stocked).view(stocked.account, month, "id"))
    assert (view.stamped, view.stamps, view.duty) == (3, 3, 3 * PRICE)
    assert (view.month.drawn, view.month.due) == (5 * PRICE, 5 * PRICE)
    assert view.unstamped == []
    kept = json.loads(written(stocked, as_json))
    assert [(row["number"], row["stamping"]) for row in kept] == [
        (name, one.id) for name, one in zip("abc", made, strict=True)
    ]
    assert [row["serials"] for row in kept] == [list(one.serials) for one in made]
    table = written(stocked, as_csv).decode("utf-8-sig").splitlines()
    assert len(table) == 4
    assert table[1].startswith(
        "II;1;4a;a;2026-11-30;7500000;PT Lawan;NPWP;0123456789012345;1;10000;"
    )
    assert written(stocked, as_xlsx).startswith(b"PK")


def written(collecting: Collecting, write: Any) -> bytes:
    async def read() -> bytes:
        found = await lists(collecting).written(
            collecting.account, collecting.this_month, "id", write
        )
        return b"".join([piece async for piece in found])

    return collecting.shop.do(read())


def test_reported_unstamped_document_is_in_annex_three_once(stocked: Collecting) -> None:
    for _ in range(2):
        stocked.shop.do(
            stocked.service.tell_unstamped(
                stocked.account, FACTS, datetime.now(UTC), "sistem tidak menjawab"
            )
        )
    view = stocked.shop.do(lists(stocked).view(stocked.account, stocked.this_month, "id"))
    [one] = view.unstamped
    assert (one.annex, one.number, one.reason, one.duty) == (
        "III",
        "INV-1",
        "sistem tidak menjawab",
        PRICE,
    )
    stocked.check()


def test_only_empty_month_has_a_signed_nil_statement(stocked: Collecting) -> None:
    shop = stocked.shop
    with pytest.raises(MonthRuns):
        shop.do(lists(stocked).nil(stocked.account, stocked.this_month))
    stocked.was_drawn(2)
    with pytest.raises(MonthNotNil):
        shop.do(lists(stocked).nil(stocked.account, stocked.months_ago(2)))
    signed = shop.do(lists(stocked).nil(stocked.account, stocked.months_ago(1)))
    key = signer_of(shop.container.keyring).public_key()
    facts = read_signed(signed.encode(), NIL_KIND, key)
    assert (facts["month"], facts["documents"]) == (str(stocked.months_ago(1)), 0)


def test_feed_has_each_document_of_each_collector_and_is_signed(stocked: Collecting) -> None:
    stamp(stocked, "a")
    stocked.was_drawn(1)
    found = stocked.shop.do(lists(stocked).feed(stocked.months_ago(1)))
    key = signer_of(stocked.shop.container.keyring).public_key()
    facts: Any = read_signed(found.manifest.encode(), FEED_KIND, key)
    assert facts["sha256"] == hashlib.sha256(found.packed).hexdigest()
    [told] = facts["collectors"]
    assert (told["stamped"], told["duty"], told["drawn"]) == (1, PRICE, 5 * PRICE)
    [row] = [json.loads(line) for line in gzip.decompress(found.packed).splitlines()]
    assert (row["npwp"], row["number"], row["party_name"]) == (told["npwp"], "INV-1", "PT Lawan")
    assert "file" not in row
