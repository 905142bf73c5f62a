"""API routes of the organization, its members and API keys: reading, and ending a leaked key.

The API makes no keys: the thief of a key must not be able to make its successor.
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
    """The keys in use, newest first, then those that were ended."""

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
    """Every key by its name, when it was made, last used (to the minute) and ended."""
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
    """End a key, the one you ask with too; a few seconds later it opens nothing any more."""
    key = read(KEY_KIND, key_id)
    return await accounts.end_api_key(account, key, actor=actor)


class OrganizationView(msgspec.Struct, frozen=True):
    """The organization that an account is.  `unknown_formats` names those of its numbers that are in a format that
    is not known.
    """

    id: str
    name: str
    npwp: str
    nib: str
    unknown_formats: list[str]
    state: str
    made_at: datetime


class MemberView(msgspec.Struct, frozen=True):
    """A member, and the stamps it used this calendar month (WIB) where it has a limit."""

    id: str
    email: str
    role: str
    given_at: datetime
    stamps_per_month: int | None
    stamps_used: int


class MemberList(msgspec.Struct, frozen=True):
    """The members, the earliest first."""

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
    """The organization whose key or session this is; `not_found` where the account is a person's."""
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
    """Every member in force with its role and its limit of stamps; none where the account is a person's."""
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
