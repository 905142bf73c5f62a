"""API routes of the organization, its members and API keys: reading, and ending a leaked key.

The API makes no keys, because the thief of a key must not be able to make another key.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts.model import ACCOUNT_KIND, KEY_KIND, ApiKeyView, Permission
from meterai.accounts.organizations import OrganizationService
from meterai.accounts.service import AccountService
from meterai.kit.actor import Actor
from meterai.kit.ids import read, show
from meterai.kit.priority import Priority
from meterai.plumbing.http.described import Described


class ApiKeyList(msgspec.Struct, frozen=True):
    """API keys: first the keys in use, newest first, then the keys that were ended."""

    api_keys: list[ApiKeyView]


@get(
    "/v1/api-keys",
    opt={"permission": Permission.KEYS_READ, "priority": Priority.CHECKOUT},
    summary="Your API keys",
    tags=["api keys"],
)
async def list_api_keys(
    accounts: NamedDependency[AccountService], account: NamedDependency[UUID]
) -> ApiKeyList:
    """List the API keys, each with its name and the times at which it was made, last used (to the minute) and ended."""
    return ApiKeyList(await accounts.api_keys(account))


@post(
    "/v1/api-keys/{key_id:str}/end",
    opt={
        "permission": Permission.KEYS_MANAGE,
        "priority": Priority.CHECKOUT,
        "described": Described(repeats="A key that was ended stays ended."),
    },
    summary="End an API key",
    tags=["api keys"],
    status_code=200,
)
async def end_api_key(
    accounts: NamedDependency[AccountService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    key_id: FromPath[str],
) -> ApiKeyView:
    """End an API key, which may be the key of this request.  A few seconds later every request with it is refused."""
    key = read(KEY_KIND, key_id)
    return await accounts.end_api_key(account, key, actor=actor)


class OrganizationView(msgspec.Struct, frozen=True):
    """The organization of an account.  `unknown_formats` names the numbers (NPWP, NIB) whose format is unknown."""

    id: str
    name: str
    npwp: str
    nib: str
    unknown_formats: list[str]
    state: str
    made_at: datetime


class MemberView(msgspec.Struct, frozen=True):
    """A member of an organization. `stamps_used` is the number of stamps used in this calendar month (WIB); it is counted only
    if the member has a limit.
    """

    id: str
    email: str
    role: str
    given_at: datetime
    stamps_per_month: int | None
    stamps_used: int


class MemberList(msgspec.Struct, frozen=True):
    """The members of an organization, the longest-standing first."""

    members: list[MemberView]


@get(
    "/v1/organization",
    opt={
        "permission": Permission.ACCOUNT_READ,
        "priority": Priority.CHECKOUT,
        "described": Described(refuses=(404,)),
    },
    summary="Your organization",
    tags=["organizations"],
)
async def show_organization(
    organizations: NamedDependency[OrganizationService], account: NamedDependency[UUID]
) -> OrganizationView:
    """Show the organization of the key or session; `not_found` if the account belongs to a person."""
    found = await organizations.of(account)
    return OrganizationView(
        show(ACCOUNT_KIND, found.account),
        found.name,
        found.npwp,
        found.nib,
        list(found.warns),
        found.state,
        found.made_at,
    )


@get(
    "/v1/members",
    opt={"permission": Permission.MEMBERS_READ, "priority": Priority.CHECKOUT},
    summary="The members of your organization",
    tags=["organizations"],
)
async def list_members(
    organizations: NamedDependency[OrganizationService], account: NamedDependency[UUID]
) -> MemberList:
    """List the members with their roles and monthly limits of stamps; empty if the account belongs to a person."""
    found = await organizations.members(account)
    return MemberList(
        [
            MemberView(
                one.id,
                one.email,
                one.role,
                one.given_at,
                one.stamps_per_month,
                one.stamps_used,
            )
            for one in found
        ]
    )


routes = [list_api_keys, end_api_key, show_organization, list_members]
