"""Page to sign in again (fresh proof), as needed to make a passkey or an API key."""

from typing import Any

from litestar import get
from litestar.di import NamedDependency

from meterai.accounts.addresses import contact
from meterai.accounts.model import Permission
from meterai.accounts.pages.part import SigningIn
from meterai.accounts.staff import is_staff
from meterai.kit.priority import Priority
from meterai.pages import Page, PageRequest, local_path, page
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.callers import account_of

PROVE = "/sign-in/again"


@get(
    PROVE,
    opt={"permission": Permission.PERSON, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_again(
    request: PageRequest,
    database: NamedDependency[Database],
    signing_in: NamedDependency[SigningIn],
) -> Page:
    """Show the page to sign in again, by a code to the account's address or by a passkey. After the sign-in the browser returns
    to the page that required it.

    Staff are offered the passkey alone, because their accounts do not accept codes.
    """
    async with database.reading() as tx:
        email = (await contact(tx, account_of(request))).email
        is_of_staff = await is_staff(tx, account_of(request))
    there = local_path(request.query_params.get("next", ""))
    facts: dict[str, Any] = {**signing_in.facts(request), "email": email}
    return page(request, "accounts/again.html", next=there, is_of_staff=is_of_staff, **facts)


routes = [show_again]
