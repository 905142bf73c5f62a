"""Commands by which members and invited people change organizations; each command is one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from meterai.accounts import invitations, members, store
from meterai.accounts.addresses import contact
from meterai.accounts.model import (
    INVITATIONS_PER_DAY_MAX,
    MEMBERS_MAX,
    MEMBERSHIP_KIND,
    ORGANIZATIONS_PER_PERSON_MAX,
    Credential,
    Invitation,
    InvitationSpent,
    Member,
    Organization,
    OrganizationState,
    PlaceOf,
    Role,
)
from meterai.accounts.service import AccountService
from meterai.accounts.settings import AccountSettings
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import read
from meterai.kit.refusal import NotFound, SignInRequired
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx

INVITATION_PATH = "/invitations"
_INVITATIONS_SHOWN_MAX = (
    INVITATIONS_PER_DAY_MAX * 8
)  # all that can be open at once, since an invitation lives for a week, and a day more


class OrganizationService:
    """Makes organizations, changes their members, sends invitations and accepts them."""

    def __init__(
        self,
        database: Database,
        key: bytes,
        settings: Settings,
        clock: Clock,
        service: AccountService,
    ) -> None:
        self._database = database
        self._key = key
        self._is_open_at_once = not settings.of(AccountSettings).organizations_need_approval
        self._clock = clock
        self._accounts = service

    async def make(
        self, account: UUID, person: UUID, name: str, npwp: str, nib: str
    ) -> Organization:
        """Make an organization that the person owns; a repeat returns the same organization.

        Refuses `Malformed`, and what `make_organization` refuses.
        """
        begins = OrganizationState.OPEN if self._is_open_at_once else OrganizationState.WAITING
        made = members.new_organization(account, name, (npwp, nib), begins, self._clock.now())

        async def make(tx: Tx) -> Organization:
            language = (await contact(tx, person)).language
            await members.make_organization(tx, made, person, language)
            found = await store.organization(tx, account)
            assert found is not None
            return found

        return await self._database.run(make)

    async def of(self, account: UUID) -> Organization:
        """Return the organization of an account.  Refuses `NotFound` for the account of a person."""
        found = await self._database.once(store.organization, account)
        if found is None:
            raise NotFound("the account is not an organization")
        return found

    async def places(self, person: UUID) -> list[PlaceOf]:
        """Return the organizations in which a person has a role."""
        most = ORGANIZATIONS_PER_PERSON_MAX
        return await self._database.once(store.places_of, person, most)

    async def members(self, account: UUID) -> list[Member]:
        """Return the members of an organization with their addresses, the earliest first."""
        async with self._database.reading() as tx:
            found = await store.members(tx, account, MEMBERS_MAX)
            return [replace(one, email=(await contact(tx, one.person)).email) for one in found]

    async def invitations(self, account: UUID) -> Sequence[Invitation]:
        """Return the open invitations of an organization, the newest first."""
        at, most = self._clock.now(), _INVITATIONS_SHOWN_MAX
        return await self._database.once(store.invitations, account, at, most)

    async def invite(
        self,
        account: UUID,
        email: str,
        role: Role,
        limit: int | None,
        language: str,
        *,
        actor: Actor,
    ) -> Invitation:
        """Invite an address.  Refuses `Malformed`, and what `invitations.invite` refuses."""
        at = self._clock.now()
        made = invitations.new_invitation(self._key, account, email, role, limit, at)
        await self._database.run(
            partial(invitations.invite, made=made, language=language, actor=actor)
        )
        return made

    async def withdraw(self, account: UUID, invitation: UUID, *, actor: Actor) -> None:
        """Withdraw an invitation in a new transaction, by `invitations.withdraw`."""
        await self._database.run(
            partial(invitations.withdraw, account=account, invitation=invitation, actor=actor)
        )

    def link(self, account: UUID, invitation: UUID) -> str:
        """Return the path of the page where an invitation is accepted, for the link in the mail of the invitation."""
        text = Credential.for_invitation(self._key, account, invitation).text()
        return f"{INVITATION_PATH}?invitation={text}"

    async def opened(self, shown: str, person: UUID) -> tuple[Invitation, Organization]:
        """Return the invitation to which a link belongs, and its organization; `shown` is the text in the link. Refuses what
        `open_invitation` refuses.
        """
        credential, at = _credential(shown), self._clock.now()
        async with self._database.reading() as tx:
            return await invitations.open_invitation(tx, credential, person, at)

    async def accept(self, shown: str, person: UUID) -> Invitation:
        """Accept an invitation in a new transaction, by `invitations.accept`."""
        at, credential = self._clock.now(), _credential(shown)
        return await self._database.run(
            partial(invitations.accept, shown=credential, person=person, at=at)
        )

    async def change(
        self, account: UUID, membership: UUID, role: Role, limit: int | None, *, actor: Actor
    ) -> None:
        """Call `change_role` in a new transaction. Then drop the member's sessions from the cache of this process, so that the
        next request reads the new role from the database.
        """
        change = partial(
            members.change_role,
            account=account,
            membership=membership,
            role=role,
            limit=limit,
            actor=actor,
        )
        self._accounts.forget_person((await self._database.run(change)).person)

    async def end(self, account: UUID, membership: UUID, *, actor: Actor) -> None:
        """Call `end_role` in a new transaction. Then drop the member's sessions from the cache of this process, so that the
        next request checks the role in the database.
        """
        end = partial(members.end_role, account=account, membership=membership, actor=actor)
        self._accounts.forget_person((await self._database.run(end)).person)

    async def leave(self, account: UUID, person: UUID) -> None:
        """End the role of a person in an organization, at the person's own request. Refuses `NotFound`, `LastOwner`."""
        actor = members.member_actor(person)

        async def leave(tx: Tx) -> None:
            found = await store.member_of_person(tx, account, person)
            if found is None:
                raise NotFound("no role there")
            await members.end_role(tx, account, read(MEMBERSHIP_KIND, found.id), actor=actor)

        await self._database.run(leave)
        self._accounts.forget_person(person)


def _credential(shown: str) -> Credential:
    """Parse the credential in a link.  Refuses `InvitationSpent`, since a malformed link was often cut by a mail program."""
    try:
        return Credential.read(shown)
    except SignInRequired:
        raise InvitationSpent("the link was not made by us, or is incomplete") from None
