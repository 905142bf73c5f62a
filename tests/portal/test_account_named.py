"""Page that names a bank account: every sentence is true, at each step and in each language."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar import Litestar

from meterai.accounts import AccountService
from meterai.apps.rooms import pages_of
from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.pages import FieldError, Site, rendered
from meterai.payments import OwedByClaim
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.portal.routes import routes
from meterai.refunds import AccountClaim, AccountClaimState, banks
from tests.support.pages import application, asked_by_somebody

HOSTILE = "<script>Budi</script>"
STEPS = ("form", "near", "named", "held", "nothing", "asking", "shut")


@pytest.fixture(scope="module")
def app() -> Litestar:
    return application(routes, Site(*pages_of()), AccountService)


def claim(state: AccountClaimState) -> AccountClaim:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    named = "014", "1234567890", HOSTILE, "BUDI SANTOSO"
    return AccountClaim(new_id(), new_id(), b"", None, at, state, *named, "", at)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("link", ["", "A" * 84])
@pytest.mark.parametrize("step", STEPS)
def test_every_step_shows_true_sentences(
    app: Litestar, language: str, link: str, step: str
) -> None:
    asked: Any = asked_by_somebody(app, language)
    state = (
        AccountClaimState(step) if step in ("near", "named", "held") else AccountClaimState.OTHER
    )
    facts = {
        "step": step,
        "said": "said",
        "owed": OwedByClaim([], Rupiah(3_000)),
        "claim": claim(state),
        "link": link,
        "because": "",
        "asked": not link,
        "path": "/claims" if link else "/refunds/account",
        "banks": banks(),
        "typed": {"bank_code": "014", "account_no": HOSTILE, "holder": HOSTILE},
        "key": "frm_1",
        "errors": [FieldError("holder", "wrong")] if step == "form" else [],
    }
    page = rendered(asked, "portal/account_named.html", facts)
    assert f"<h1>{translate(f'page.account_named.{step}.title', language)}</h1>" in page
    assert HOSTILE not in page
    assert not re.search(r"page\.account|\{\w+\}|\bundefined\b", page)
    # A page opened by the link contains the link and no session token; the owner's page contains the opposite.
    is_form = step in ("form", "near")
    assert page.count(f'name="claim" value="{link}"') == (1 if is_form and link else 0)
    assert page.count('name="form_token"') == (1 if is_form and not link else 0)
    # The name at the bank is never shown.
    assert "BUDI SANTOSO" not in page
    assert ("B*** S***" in page) == (step == "near")
    assert ("Rp3.000" in page) == is_form
