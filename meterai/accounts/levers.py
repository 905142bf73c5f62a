"""Levers (staff actions with a forecast) on accounts: roles of staff, organizations, end of sessions and API keys."""

from functools import partial

import msgspec

from meterai.accounts import sign_up, store
from meterai.accounts.addresses import account_named, contact
from meterai.accounts.keys import end_api_key
from meterai.accounts.members import decide_on_organization
from meterai.accounts.model import (
    ACCOUNT_KIND,
    KEY_KIND,
    ORGANIZATION,
    OrganizationEvent,
    Permission,
    Role,
    StaffRole,
)
from meterai.accounts.sessions import end_sessions
from meterai.accounts.staff import (
    check_may_be_ended,
    check_may_be_given,
    end_staff_role,
    give_staff_role,
)
from meterai.commands import Effect, Forecast, Lever, Pull, offered_on
from meterai.kit.ids import read
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import Subject, SubjectKind, account_subject
from meterai.plumbing.db.database import ReadTx, Tx


class StaffRoleArguments(msgspec.Struct, frozen=True):
    """Arguments to give or end a role of staff: the account, by address or as `acc_...`, and the role."""

    account: str
    role: StaffRole


class AccountArguments(msgspec.Struct, frozen=True):
    """Argument of a lever on one account: the account, by address or as `acc_...`."""

    account: str


class KeyArguments(msgspec.Struct, frozen=True):
    """Arguments to end an API key: the account, by address or as `acc_...`, and the key as `key_...`."""

    account: str
    key: str


_account = offered_on(SubjectKind.ACCOUNT, "account")


async def _giving(tx: ReadTx, arguments: StaffRoleArguments, _: Pull) -> Forecast:
    account = await account_named(tx, arguments.account)
    held = await check_may_be_given(tx, account, arguments.role)
    return await _role_forecast(tx, "staff_role_given", arguments, changes_sign_in=not held)


async def _give(tx: Tx, arguments: StaffRoleArguments, pull: Pull) -> None:
    account = await account_named(tx, arguments.account)
    await give_staff_role(tx, account, arguments.role, actor=pull.actor)


async def _ending(tx: ReadTx, arguments: StaffRoleArguments, _: Pull) -> Forecast:
    account = await account_named(tx, arguments.account)
    kept = await check_may_be_ended(tx, account, arguments.role)
    return await _role_forecast(tx, "staff_role_ended", arguments, changes_sign_in=not kept)


async def _end(tx: Tx, arguments: StaffRoleArguments, pull: Pull) -> None:
    account = await account_named(tx, arguments.account)
    await end_staff_role(tx, account, arguments.role, actor=pull.actor)


async def _role_forecast(
    tx: ReadTx, word: str, arguments: StaffRoleArguments, *, changes_sign_in: bool
) -> Forecast:
    """Return the effects of giving or ending a role of staff.

    The number of sessions that end is left out, since it changes if the person signs in before the approval.
    """
    account = await account_named(tx, arguments.account)
    about = account_subject(account)
    facts = {"email": (await contact(tx, account)).email, "role": arguments.role}
    effects = [Effect(word, facts, about)]
    if changes_sign_in:
        effects.append(Effect("staff_sessions_end", {"email": facts["email"]}, about))
    return Forecast(effects, rows=1)


async def _ending_sessions(tx: ReadTx, arguments: AccountArguments, pull: Pull) -> Forecast:
    account = await account_named(tx, arguments.account)
    count = await store.count_sessions(tx, account, pull.at)
    about = account_subject(account)
    facts = {"email": (await contact(tx, account)).email, "count": count}
    return Forecast([Effect("sessions_end", facts, about)], rows=count)


async def _end_sessions(tx: Tx, arguments: AccountArguments, pull: Pull) -> None:
    account = await account_named(tx, arguments.account)
    await end_sessions(tx, account, actor=pull.actor, at=pull.at)


async def _ending_key(tx: ReadTx, arguments: KeyArguments, _: Pull) -> Forecast:
    account = await account_named(tx, arguments.account)
    key = await store.api_key_view(tx, account, read(KEY_KIND, arguments.key))
    if key is None:
        raise NotFound("no such key of this account")
    about = account_subject(account)
    facts = {"email": (await contact(tx, account)).email, "api_key": key.id, "name": key.name}
    if key.ended_at is not None:
        return Forecast([Effect("key_ended_before", facts, about)], rows=0)
    return Forecast([Effect("key_ends", facts, about)], rows=1)


async def _end_key(tx: Tx, arguments: KeyArguments, pull: Pull) -> None:
    account = await account_named(tx, arguments.account)
    key = read(KEY_KIND, arguments.key)
    await end_api_key(tx, account, key, actor=pull.actor, at=pull.at)


GIVE_STAFF_ROLE = Lever(
    name="staff give",
    permission=Permission.CONSOLE_STAFF,
    arguments=StaffRoleArguments,
    forecast=_giving,
    carry_out=_give,
    is_always_approved=True,
    offered=_account,
)
END_STAFF_ROLE = Lever(
    name="staff end",
    permission=Permission.CONSOLE_STAFF,
    arguments=StaffRoleArguments,
    forecast=_ending,
    carry_out=_end,
    is_always_approved=True,
    offered=_account,
)
END_SESSIONS = Lever(
    name="sessions end",
    permission=Permission.CONSOLE_SESSIONS,
    arguments=AccountArguments,
    forecast=_ending_sessions,
    carry_out=_end_sessions,
    offered=_account,
)
END_KEY = Lever(
    name="accounts end-key",
    permission=Permission.CONSOLE_SESSIONS,
    arguments=KeyArguments,
    forecast=_ending_key,
    carry_out=_end_key,
)


class OrganizationArguments(msgspec.Struct, frozen=True):
    """Argument to approve or decline an organization: its account as `acc_...`."""

    organization: str


async def _deciding(
    tx: ReadTx, told: OrganizationArguments, _pull: Pull, *, event: OrganizationEvent
) -> Forecast:
    account = read(ACCOUNT_KIND, told.organization)
    found = await store.organization(tx, account)
    if found is None:
        raise NotFound("no such organization")
    ORGANIZATION.after(found.state, event)
    members = await store.count_members(tx, account, *Role)
    facts = {"name": found.name, "members": members}
    about = Subject(SubjectKind.ACCOUNT, told.organization, account)
    return Forecast([Effect(f"organization_{event}", facts, about)], rows=1)


async def _decide(
    tx: Tx, told: OrganizationArguments, pull: Pull, *, event: OrganizationEvent
) -> None:
    account = read(ACCOUNT_KIND, told.organization)
    await decide_on_organization(tx, account, event, actor=pull.actor)


def _lever(name: str, event: OrganizationEvent) -> Lever:
    return Lever(
        name=name,
        permission=Permission.CONSOLE_ORGANIZATIONS,
        arguments=OrganizationArguments,
        forecast=partial(_deciding, event=event),
        carry_out=partial(_decide, event=event),
        offered=offered_on(SubjectKind.ACCOUNT, "organization"),
        happened="account_organization",
    )


APPROVE = _lever("organizations approve", OrganizationEvent.APPROVED)
DECLINE = _lever("organizations decline", OrganizationEvent.DECLINED)
LEVERS = (
    GIVE_STAFF_ROLE,
    END_STAFF_ROLE,
    END_SESSIONS,
    END_KEY,
    APPROVE,
    DECLINE,
    *sign_up.LEVERS,
)
