"""API keys over the API: to look at, and to end one that leaked.

There is no way to make one here: whoever stole a key must not be able to make its successor.
"""

from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts.model import KEY_KIND, ApiKeyView, Permission
from meterai.accounts.service import AccountService
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.plumbing.described import Described


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


routes = [list_api_keys, end_api_key]
