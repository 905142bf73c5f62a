"""Every form of a browser, and every text that makes a claim about money, is covered by
`tests/faults/test_truth.py`."""

from dataclasses import replace

from meterai.plumbing.messages import catalogue
from tests.portal.claims import OF_MONEY, sentences_of_money
from tests.support.browser_forms import Holding, cases
from tests.support.claims import (
    broken_in,
    claims,
    no_claims,
    sounding_like_claims,
)
from tests.tidy.sources import sentences
from tests.tidy.test_closed_world import handlers


def test_every_form_has_a_case() -> None:
    rooms = {
        path: handler.fn.__module__.split(".")[1]
        for path, handler in handlers()
        if "POST" in handler.http_methods and not handler.include_in_schema
    }
    routes = {case.route for case in cases()}
    assert not [f"tests/{rooms[path]}/forms.py: {path}" for path in rooms.keys() - routes]
    assert routes <= rooms.keys()


def test_every_text_that_sounds_like_a_claim_is_covered() -> None:
    held = claims().keys() | OF_MONEY.keys()
    unheld = sounding_like_claims() - no_claims().keys() - held
    said = [f"{path}: {key}" for path, key, _ in sentences() if key in unheld]
    assert not said, "tests/<room>/claims.py says what must be so, or that it is no claim"
    assert no_claims().keys() <= sounding_like_claims()
    assert not claims().keys() & no_claims().keys()


def test_every_sentence_about_money_of_an_order_is_covered() -> None:
    assert sentences_of_money() <= OF_MONEY.keys(), "tests/portal/claims.py says what must be so"
    assert OF_MONEY.keys() <= catalogue().keys()


def test_untrue_claim_is_found() -> None:
    before = Holding(3, 0, 0, frozenset(), frozenset(), 0, frozenset())
    after = replace(before, available=1, held=2)
    page = "<p>Belum ada yang dilakukan\n atau <b>ditagih</b>.</p>"
    assert broken_in(page, before, after) == ["page.busy.safe: nothing_done"]
    assert broken_in(page, before, before) == []
    assert broken_in("<p>Terima kasih</p>", before, after) == []
