"""The pages of a document and of all that an account ordered and stamped."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from meterai.accounts import AccountService
from meterai.apps.rooms import pages_of
from meterai.kit.ids import read, show
from meterai.orders import OrderKind, OrderState, OrderView
from meterai.pages import Site, rendered
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.portal.order_told import state_within
from meterai.portal.routes import routes
from meterai.portal.routes.history import entries
from meterai.stamping import Stamping, StampingState
from meterai.stamping.model import shown
from tests.support.pages import application, asked_by_somebody
from tests.support.shown import HOSTILE, NOW, order, stamping


@pytest.fixture(scope="module")
def app() -> Litestar:
    return application(routes, Site(*pages_of()), AccountService)


@pytest.fixture(params=LANGUAGES)
def asked(app: Litestar, request: pytest.FixtureRequest) -> Any:
    """A request of somebody signed in, in each language."""
    return asked_by_somebody(app, request.param)


def stamping_page(asked: Any, one: Stamping, of: OrderView | None = None) -> str:
    facts = {"stamping": shown(one), "order": of, "state": state_within(of, one)}
    return rendered(asked, "portal/stamping.html", facts)


@pytest.mark.parametrize("of", [None, *OrderState])
@pytest.mark.parametrize("state", StampingState)
def test_a_stamping_in_any_state_is_told(
    asked: Any, state: StampingState, of: OrderState | None
) -> None:
    """A document waits for its payment only while that can come, and comes back as it was paid."""
    language = asked.cookies["language"]
    one = None if of is None else order(of, OrderKind.DOCUMENTS)
    text = stamping_page(asked, stamping(state), one)
    is_over = of not in (None, OrderState.PLACED, OrderState.PAID, OrderState.EXECUTED)
    waits = state == StampingState.WAITING
    told = StampingState.DROPPED if is_over and waits else state
    assert translate(f"state.stamping.{told}", language) in text
    assert not is_over or translate("page.stamping.waiting", language) not in text
    assert HOSTILE not in text
    assert not re.search(r"page\.|\{", text)
    in_account = translate("page.stamping.failed", language) in text
    assert in_account == (state == StampingState.FAILED and of is None)


def test_what_is_joined_on_the_device_is_named_whole(asked: Any) -> None:
    one = stamping(StampingState.DELIVERED, name="Surat.pdf")
    text = stamping_page(asked, one)
    assert f'data-delta="/stampings/{show("stg", one.id)}/delta"' in text
    assert 'data-name="Surat-bermeterai.pdf"' in text
    assert f'data-original="{"00" * 32}" data-stamped="{"00" * 32}"' in text
    # The delta fits the repaired file only, which nobody has on a device.
    assert "data-delta" not in stamping_page(asked, replace(one, is_repaired=True))


@pytest.mark.parametrize("is_repaired", [True, False])
def test_a_repaired_document_says_so(asked: Any, is_repaired: bool) -> None:
    one = replace(stamping(StampingState.DELIVERED), is_repaired=is_repaired)
    language = asked.cookies["language"]
    text = stamping_page(asked, one)
    assert (translate("page.stamping.repaired", language) in text) == is_repaired
    facts = {"entries": entries([], [one]), "is_first": True, "older": None}
    short = translate("page.stamping.repaired.short", language)
    assert (short in rendered(asked, "portal/history.html", facts)) == is_repaired


def test_history_is_newest_first_with_documents_under_their_order(asked: Any) -> None:
    placed = order(OrderState.EXECUTED, OrderKind.DOCUMENTS)
    later = replace(
        stamping(StampingState.DELIVERED, at=NOW + timedelta(hours=1)),
        id=UUID(int=read("ord", placed.id).int + 1),  # ids are ordered by time
    )
    found = entries([placed], [later])
    assert [entry.order for entry in found] == [None, placed]
    facts = {"entries": found, "is_first": True, "older": show("old", found[-1].id)}
    text = rendered(asked, "portal/history.html", facts)
    assert text.index("/stampings/") < text.index(f"/orders/{placed.id}")
    assert f'href="/history?before={facts["older"]}"' in text
