"""The record of an incident: lifecycle, times, refusals."""

from datetime import timedelta

import pytest

from meterai import incidents
from meterai.incidents import (
    Incident,
    IncidentHeld,
    IncidentOverlaps,
    IncidentState,
)
from meterai.incidents.model import JOB_UPDATES_MAX, UPDATES_MAX, IncidentFull
from meterai.incidents.views import UPDATES_SHOWN_MAX, shown
from meterai.kit.components import Component, ComponentState, PublicAct
from meterai.kit.lifecycle import NotAllowedNow
from meterai.plumbing.db.database import Tx
from tests.incidents.records import NOW, WATCH, announced, loaded, opened, updated
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
