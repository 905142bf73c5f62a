"""Pages to choose the account that a session acts for, and to make an organization."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency

from meterai.accounts.model import ACCOUNT_KIND, SESSION_KIND, Permission
from meterai.accounts.organizations import OrganizationService
from meterai.accounts.service import AccountService
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import (
    FORM_KEY,
    Form,
    Page,
    PageRequest,
    field_errors,
    form_key,
    fresh_key,
    page,
    read_form_of_a_person,
    see_other,
)
from meterai.plumbing.http.language import language_of

ACTING, NEW = "/account/acting", "/account/organizations/new"


@get(
    ACTING,
    opt={"permission": Permission.PERSON, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_acting(
    request: PageRequest,
    organizations: NamedDependency[OrganizationService],
    account: NamedDependency[UUID],
) -> Page:
    """Show the accounts that the session may act for: the person's own account, and the organizations in which the person has a
    role.

    The page is also shown when the role in the current organization has ended.
    """
    places = await organizations.places(account)
    return page(request, "accounts/acting.html", places=places)


@post(
    ACTING,
    opt={"permission": Permission.PERSON, "priority": Priority.CHECKOUT, "keeps": ()},
    include_in_schema=False,
)
async def choose_acting(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Set the account that the session acts for: an organization of the person, or the person's own account."""
    form = await read_form_of_a_person(request)
    assert actor.id is not None, "a session has a known person"
    chosen = read(ACCOUNT_KIND, form.text("account"))
    await accounts.act_for(account, read(SESSION_KIND, actor.id), chosen)
    return see_other("/account")


def _new_page(
    request: PageRequest, key: str, form: Form | None = None, refusal: Refusal | None = None
) -> Page:
    typed = form or Form({})
    return page(
        request,
        "accounts/organization.html",
        status=refusal.status if refusal else 200,
        key=key,
        typed={name: typed.text(name) for name in ("organization", "npwp", "nib")},
        errors=field_errors(refusal, language_of(request), _field(refusal)),
    )


def _field(refusal: Refusal | None) -> str:
    """Return the name of the form field that a refusal is about."""
    return str(refusal.facts().get("field", "organization")) if refusal else ""


@get(
    NEW,
    opt={"permission": Permission.PERSON, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_new(request: PageRequest) -> Page:
    """Show the form for a new organization: name, NPWP and NIB."""
    return _new_page(request, fresh_key())


@post(
    NEW,
    opt={"permission": Permission.PERSON, "priority": Priority.CHECKOUT, "keeps": ()},
    include_in_schema=False,
)
async def make_organization(
    request: PageRequest,
    organizations: NamedDependency[OrganizationService],
    account: NamedDependency[UUID],
) -> Page:
    """Make an organization. The next page warns of each number (NPWP, NIB) in an unknown format, and says whether staff must
    approve the organization first.
    """
    form = await read_form_of_a_person(request)
    key = form_key(form.text("key"))
    name, npwp, nib = (form.text(one) for one in ("organization", "npwp", "nib"))
    try:
        made = await organizations.make(read(FORM_KEY, key), account, name, npwp, nib)
    except Refusal as refusal:
        return _new_page(request, key, form, refusal)
    return page(request, "accounts/organization_made.html", made=made)


routes = [show_acting, choose_acting, show_new, make_organization]
