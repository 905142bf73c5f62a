"""Levers of organizations: forecasts and effects."""

import pytest

from meterai.accounts.levers import APPROVE, DECLINE, OrganizationArguments
from meterai.accounts.model import ACCOUNT_KIND, OrganizationState, Permission
from meterai.apps.settings import settings_of as make_settings
from meterai.commands import Forecast, Lever, Pull
from meterai.kit.ids import new_id, show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.refusal import NotFound
from meterai.plumbing.db.database import Tx
from tests.accounts.conftest import Counter
from tests.accounts.test_members import organization, person, service_of
from tests.support.shop import TESTER


def forecast(counter: Counter, lever: Lever, told: OrganizationArguments, pull: Pull) -> Forecast:
    async def ask() -> Forecast:
        async with counter.database.reading() as tx:
            return await lever.forecast(tx, told, pull)

    return counter.do(ask())


@pytest.mark.parametrize(
    ("lever", "state"),
    [(APPROVE, OrganizationState.OPEN), (DECLINE, OrganizationState.DECLINED)],
    ids=lambda one: str(getattr(one, "name", one)),
)
def test_lever_decides_on_an_organization_that_waits(
    counter: Counter, lever: Lever, state: OrganizationState
) -> None:
    ani = person(counter, "ani")
    made = organization(counter, ani, organizations_need_approval=True)
    told = OrganizationArguments(show(ACCOUNT_KIND, made.account))
    pull = Pull(TESTER, counter.clock.now(), "known", make_settings())
    said = forecast(counter, lever, told, pull)
    assert (said.rows, said.rupiah, lever.permission) == (1, 0, Permission.CONSOLE_ORGANIZATIONS)
    assert [dict(one.facts) for one in said.effects] == [{"name": "PT Contoh", "members": 1}]
    assert said.digest(lever.name, told) == forecast(counter, lever, told, pull).digest(
        lever.name, told
    )

    async def carry_out(tx: Tx) -> None:
        await lever.carry_out(tx, told, pull)

    counter.do(counter.database.run(carry_out))
    assert counter.do(service_of(counter).of(made.account)).state == state
    jobs = counter.rows("SELECT 1 FROM jobs WHERE account_id = %s", made.account)
    assert jobs, "the owner is told"
    for again in (APPROVE, DECLINE):
        with pytest.raises(NotAllowedNow):
            forecast(counter, again, told, pull)


def test_lever_refuses_an_account_that_is_no_organization(counter: Counter) -> None:
    pull = Pull(TESTER, counter.clock.now(), "known", make_settings())
    for account in (person(counter, "ani"), new_id()):
        with pytest.raises(NotFound):
            forecast(counter, APPROVE, OrganizationArguments(show(ACCOUNT_KIND, account)), pull)
