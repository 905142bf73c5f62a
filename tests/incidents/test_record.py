"""The record of an incident: lifecycle, times, refusals."""

from dataclasses import replace
from datetime import timedelta

import pytest

from meterai import incidents
from meterai.incidents import (
    Incident,
    IncidentHeld,
    IncidentOverlaps,
    IncidentState,
    IncidentUnknown,
)
from meterai.incidents.board import notices_of
from meterai.incidents.model import JOB_UPDATES_MAX, UPDATES_MAX, IncidentFull
from meterai.incidents.views import UPDATES_SHOWN_MAX, shown
from meterai.kit.components import Component, ComponentState, PublicAct
from meterai.kit.ids import new_id
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.refusal import Malformed
from meterai.plumbing.db.database import Tx
from tests.incidents.records import NOW, TOLD, WATCH, announced, loaded, opened, updated
from tests.support.shop import Shop

S = IncidentState


def reviewed(shop: Shop, of: Incident) -> Incident:
    async def act(tx: Tx) -> Incident:
        return await incidents.review(
            tx, of.id, "Server diganti.", "A server was replaced.", at=NOW, actor=WATCH
        )

    return shop.do(shop.container.database.run(act))


def test_incident_is_kept_as_it_was_opened(shop: Shop) -> None:
    made = opened(shop)
    assert loaded(shop, made) == made
    assert made.acts == [PublicAct.BUY]
    assert shown(made).components == {"buying": "major_outage"}


def test_incident_passes_all_states_to_its_review(shop: Shop) -> None:
    made = opened(shop)
    for state in (S.IDENTIFIED, S.MONITORING, S.INVESTIGATING, S.MONITORING, S.RESOLVED):
        assert updated(shop, made, state).state == state
    done = reviewed(shop, made)
    assert (done.state, done.is_open) == (S.REVIEWED, False)
    assert loaded(shop, made) == done
    shop.assert_books_hold()


def test_second_incident_over_a_component_is_refused_and_names_the_first(shop: Shop) -> None:
    made = opened(shop)
    with pytest.raises(IncidentOverlaps) as refused:
        opened(
            shop,
            components=dict.fromkeys((Component.SITE, Component.BUYING), ComponentState.DEGRADED),
        )
    assert refused.value.facts() == {"incident": made.shown, "component": "buying"}
    other = opened(shop, components={Component.SITE: ComponentState.DEGRADED})
    with pytest.raises(IncidentOverlaps):
        updated(shop, other, S.IDENTIFIED, components={Component.BUYING: ComponentState.DEGRADED})
    updated(shop, made, S.RESOLVED)
    assert opened(shop).id != made.id


def test_held_incident_is_not_resolved(shop: Shop) -> None:
    made = opened(shop)

    async def hold(tx: Tx, by: str = "rcv_1") -> None:
        await incidents.hold(tx, made.id, by=by)

    async def release(tx: Tx) -> None:
        await incidents.release(tx, made.id)

    run = shop.container.database.run
    shop.do(run(hold))
    shop.do(run(hold))
    with pytest.raises(IncidentHeld):
        shop.do(run(lambda tx: hold(tx, "rcv_2")))
    with pytest.raises(IncidentHeld):
        updated(shop, made, S.RESOLVED)
    assert updated(shop, made, S.MONITORING).held_by == "rcv_1"
    shop.do(run(release))
    assert updated(shop, made, S.RESOLVED).resolved_at
    shop.assert_books_hold()
    with pytest.raises(NotAllowedNow):
        shop.do(run(hold))


def test_times_do_not_go_back_with_the_clock(shop: Shop) -> None:
    made = opened(shop)
    later = updated(shop, made, S.IDENTIFIED, at=NOW - timedelta(hours=3))
    assert later.updates[-1].at == NOW
    assert updated(shop, made, S.RESOLVED, at=NOW - timedelta(hours=4)).resolved_at == NOW
    shop.assert_books_hold()
    with pytest.raises(Malformed):
        opened(shop, started_at=NOW + timedelta(minutes=1))


@pytest.mark.parametrize("missing", ["title_id", "title_en", "text_id", "text_en"])
def test_text_in_one_language_is_refused(shop: Shop, missing: str) -> None:
    with pytest.raises(Malformed) as refused:
        opened(shop, told=replace(TOLD, **{missing: " \n"}))
    assert refused.value.field == missing


def test_note_becomes_an_update_once(shop: Shop) -> None:
    made = opened(shop, actor=WATCH)
    once = updated(shop, made, S.IDENTIFIED, actor=WATCH, source="jakarta:1")
    assert (
        updated(shop, made, S.MONITORING, actor=WATCH, source="jakarta:1").updates == once.updates
    )
    assert loaded(shop, made).is_watched
    assert not updated(shop, made, S.MONITORING).is_watched


def test_maintenance_is_announced_and_overlaps_nothing(shop: Shop) -> None:
    made = announced(shop)
    assert (made.state, made.is_felt) == (S.ANNOUNCED, False)
    with pytest.raises(IncidentOverlaps):
        announced(shop, timedelta(days=1, hours=1), timedelta(days=2))
    assert announced(shop, timedelta(days=1, hours=2), timedelta(days=2)).is_open
    # A fault of today does not count as the maintenance of tomorrow.
    fault = opened(shop, components={Component.CHECKING: ComponentState.DEGRADED})
    with pytest.raises(IncidentOverlaps):
        updated(shop, made, S.UNDER_WAY)
    updated(shop, fault, S.RESOLVED)
    assert updated(shop, made, S.UNDER_WAY).is_felt
    with pytest.raises(NotAllowedNow):
        updated(shop, made, S.CANCELLED)
    assert updated(shop, made, S.ENDED).resolved_at
    shop.assert_books_hold()


def test_maintenance_that_began_or_lasts_too_long_is_refused(shop: Shop) -> None:
    for begin, end in ((-1, 2), (2, 1), (1, 24 * 5), (24 * 400, 24 * 401)):
        with pytest.raises(Malformed):
            announced(shop, timedelta(hours=begin), timedelta(hours=end))


def test_maintenance_is_on_every_page_from_the_day_before(shop: Shop) -> None:
    made = announced(shop, timedelta(days=3), timedelta(days=3, hours=1))
    assert notices_of([made], NOW) == {"id": [], "en": []}
    [notice] = notices_of([made], NOW + timedelta(days=2))["en"]
    assert notice.path == f"/status/incidents/{made.shown}"
    assert notice.text.endswith(": Buying does not work")


def test_limits_of_updates_by_staff_and_tasks_are_separate_and_exempt_the_end(shop: Shop) -> None:
    made = opened(shop, actor=WATCH)
    for _ in range(JOB_UPDATES_MAX - 1):
        updated(shop, made, S.INVESTIGATING, actor=WATCH)
    with pytest.raises(IncidentFull):
        updated(shop, made, S.INVESTIGATING, actor=WATCH)
    for _ in range(UPDATES_MAX):
        updated(shop, made, S.INVESTIGATING)
    with pytest.raises(IncidentFull) as refused:
        updated(shop, made, S.INVESTIGATING)
    assert refused.value.facts() == {"updates_max": UPDATES_MAX}
    assert len(shown(loaded(shop, made)).updates) == UPDATES_SHOWN_MAX
    assert shown(loaded(shop, made)).updates[-1].number == JOB_UPDATES_MAX + UPDATES_MAX
    updated(shop, made, S.MONITORING, actor=WATCH)
    assert updated(shop, made, S.RESOLVED).resolved_at


def test_unknown_incident_is_refused(shop: Shop) -> None:
    async def act(tx: Tx) -> Incident:
        return await incidents.one(tx, new_id())

    with pytest.raises(IncidentUnknown):
        shop.do(shop.container.database.run(act))
