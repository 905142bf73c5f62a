"""Invitations to organizations: for one address, used once, valid for seven days."""

from uuid import UUID

import pytest

from meterai.accounts import Role
from meterai.accounts.model import (
    INVITATION_LIVES,
    AlreadyMember,
    Invitation,
    InvitationForAnother,
    InvitationSpent,
    TooManyInvitations,
)
from meterai.accounts.organizations import OrganizationService
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.ids import new_id, read
from meterai.kit.refusal import NotFound
from tests.accounts.conftest import Counter
from tests.support.shop import TESTER

BUDI = "budi@example.id"


class Office:
    """An organization that invites."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        given = counter.database, counter.key, make_settings(), counter.clock, counter.service
        self.service = OrganizationService(*given)
        self.owner = self.person("ani@example.id")
        made = self.service.make(new_id(), self.owner, "PT Contoh", "", "")
        self.account = counter.do(made).account

    def person(self, email: str) -> UUID:
        return self.counter.do(self.counter.service.create(email, actor=TESTER))

    def invites(self, email: str = BUDI, role: Role = Role.CLERK) -> Invitation:
        return self.counter.do(
            self.service.invite(self.account, email, role, 5, "id", actor=TESTER)
        )

    def link(self, made: Invitation) -> str:
        return self.service.link(self.account, made.id).partition("=")[2]

    def accepts(self, link: str, person: UUID) -> None:
        self.counter.do(self.service.accept(link, person))


@pytest.fixture
def office(counter: Counter) -> Office:
    return Office(counter)


def test_invitation_gives_its_role_and_limit_once(office: Office) -> None:
    budi, made = office.person(BUDI), office.invites(" BUDI@example.id ")
    link = office.link(made)
    office.accepts(link, budi)
    member = office.counter.do(office.service.members(office.account))[-1]
    assert (member.email, member.role, member.stamps_per_month) == (BUDI, Role.CLERK, 5)
    with pytest.raises(InvitationSpent):
        office.accepts(link, budi)
    with pytest.raises(AlreadyMember):
        office.invites()


def test_invitation_to_another_address_is_refused_without_the_address(office: Office) -> None:
    link, other = office.link(office.invites()), office.person("citra@example.id")
    for act in (office.service.opened(link, other), office.service.accept(link, other)):
        with pytest.raises(InvitationForAnother) as refused:
            office.counter.do(act)
        assert refused.value.facts() == {}


def test_invitation_expires_after_seven_days(office: Office) -> None:
    budi, link = office.person(BUDI), office.link(office.invites())
    office.counter.clock.at += INVITATION_LIVES
    with pytest.raises(InvitationSpent):
        office.accepts(link, budi)
    assert office.counter.do(office.service.invitations(office.account)) == []


def test_withdrawn_invitation_is_refused(office: Office) -> None:
    budi, made = office.person(BUDI), office.invites()
    withdraw = office.service.withdraw
    office.counter.do(withdraw(office.account, made.id, actor=TESTER))
    office.counter.do(withdraw(office.account, made.id, actor=TESTER))
    with pytest.raises(InvitationSpent):
        office.accepts(office.link(made), budi)
    with pytest.raises(NotFound):
        office.counter.do(withdraw(office.account, new_id(), actor=TESTER))


def test_invitations_of_an_organization_are_limited_per_day(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meterai.accounts.invitations.INVITATIONS_PER_DAY_MAX", 2)
    for number in range(2):
        office.invites(f"tamu{number}@example.id")
    with pytest.raises(TooManyInvitations):
        office.invites()
    office.counter.clock.wait(days=1, seconds=1)
    office.invites()


def test_invitations_to_one_address_are_limited_per_day_over_all_organizations(
    office: Office,
) -> None:
    for _ in range(5):
        office.invites("tamu@example.id")
    with pytest.raises(TooManyInvitations):
        office.invites("tamu@example.id")
    office.invites("lain@example.id")


def test_person_without_role_cannot_act_for_an_organization(office: Office) -> None:
    counter = office.counter
    signed_in = counter.sign_in("citra@example.id")
    caller = counter.opens(signed_in.session)
    assert caller.person is not None
    session = read("ses", str(caller.actor.id))
    for account in (office.account, office.owner, new_id()):
        with pytest.raises(NotFound):
            counter.do(counter.service.act_for(caller.person, session, account))
    with pytest.raises(NotFound):
        counter.do(counter.service.act_for(office.owner, session, office.account))
    assert counter.opens(signed_in.session).account == caller.person


def test_session_loses_its_permissions_when_the_role_ends(office: Office) -> None:
    counter = office.counter
    signed_in = counter.sign_in(BUDI)
    caller = counter.opens(signed_in.session)
    assert caller.person is not None
    office.accepts(office.link(office.invites()), caller.person)
    session = read("ses", str(caller.actor.id))
    counter.do(counter.service.act_for(caller.person, session, office.account))
    acts = counter.opens(signed_in.session)
    assert (acts.account, acts.person) == (office.account, caller.person)
    member = counter.do(office.service.members(office.account))[-1]
    counter.do(office.service.end(office.account, read("mem", member.id), actor=TESTER))
    over = counter.opens(signed_in.session)
    assert (over.account, over.is_acting_over, over.permissions) == (
        caller.person,
        True,
        frozenset(),
    )
