"""Pages of an organization's members: inviting people, changing and ending their roles, accepting an invitation."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts.guard import is_fresh
from meterai.accounts.model import (
    INVITATION_KIND,
    MEMBERSHIP_KIND,
    Permission,
    Role,
    stamps_limit,
)
from meterai.accounts.organizations import INVITATION_PATH, OrganizationService
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.pages import (
    Form,
    Page,
    PageRequest,
    field_errors,
    kept_text,
    page,
    read_form_of_a_person,
    see_other,
)
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of

MEMBERS = "/account/members"
_KEPT = ("email", "role", "stamps_per_month")
_MANAGES = {
    "permission": Permission.MEMBERS_MANAGE,
    "priority": Priority.CHECKOUT,
    "fresh_proof": True,
    "keeps": _KEPT,
}


async def _members_page(
    request: PageRequest,
    organizations: OrganizationService,
    form: Form | None = None,
    refusal: Refusal | None = None,
) -> Page:
    caller = caller_of(request)
    try:
        organization = await organizations.of(caller.account)
    except NotFound:  # the person acts for itself
        return page(request, "accounts/members.html", organization=None)
    members = await organizations.members(caller.account)
    may_manage = Permission.MEMBERS_MANAGE in caller.permissions
    field = str(refusal.facts().get("field", "email")) if refusal else ""
    return page(
        request,
        "accounts/members.html",
        status=refusal.status if refusal else 200,
        organization=organization,
        members=members,
        invitations=await organizations.invitations(caller.account) if may_manage else (),
        may_manage=may_manage,
        is_fresh=is_fresh(caller),
        roles=list(Role),
        typed={name: form.text(name) if form else kept_text(request, name) for name in _KEPT},
        errors=field_errors(refusal, language_of(request), field),
    )


def _role(form: Form) -> Role:
    """Parse the role in a form.  Refuses `Malformed`."""
    try:
        return Role(form.text("role"))
    except ValueError:
        raise Malformed("role", "known_name") from None


@get(
    MEMBERS,
    opt={"permission": Permission.MEMBERS_READ, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_members(
    request: PageRequest, organizations: NamedDependency[OrganizationService]
) -> Page:
    """Show the members of the organization and its invitations."""
    return await _members_page(request, organizations)


@post(f"{MEMBERS}/invitations", opt=_MANAGES, include_in_schema=False)
async def invite(
    request: PageRequest,
    organizations: NamedDependency[OrganizationService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Invite a mail address to the organization."""
    form, language = await read_form_of_a_person(request), language_of(request)
    try:
        limit = stamps_limit(form.text("stamps_per_month"))
        email, role = form.text("email"), _role(form)
        await organizations.invite(account, email, role, limit, language, actor=actor)
    except Refusal as refusal:
        return await _members_page(request, organizations, form, refusal)
    return see_other(f"{MEMBERS}#invitations")


@post(
    f"{MEMBERS}/invitations/{{invitation_id:str}}/withdraw",
    opt={
        "permission": Permission.MEMBERS_MANAGE,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def withdraw_invitation(
    request: PageRequest,
    organizations: NamedDependency[OrganizationService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    invitation_id: FromPath[str],
) -> Page:
    """Withdraw an invitation."""
    await read_form_of_a_person(request)
    await organizations.withdraw(account, read(INVITATION_KIND, invitation_id), actor=actor)
    return see_other(f"{MEMBERS}#invitations")


@post(f"{MEMBERS}/{{membership_id:str}}/change", opt=_MANAGES, include_in_schema=False)
async def change_member(
    request: PageRequest,
    organizations: NamedDependency[OrganizationService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    membership_id: FromPath[str],
) -> Page:
    """Change the role or the monthly limit of a member."""
    form = await read_form_of_a_person(request)
    limit = stamps_limit(form.text("stamps_per_month"))
    membership = read(MEMBERSHIP_KIND, membership_id)
    await organizations.change(account, membership, _role(form), limit, actor=actor)
    return see_other(MEMBERS)


@post(f"{MEMBERS}/{{membership_id:str}}/end", opt=_MANAGES, include_in_schema=False)
async def end_member(
    request: PageRequest,
    organizations: NamedDependency[OrganizationService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    membership_id: FromPath[str],
) -> Page:
    """End the role of a member."""
    await read_form_of_a_person(request)
    await organizations.end(account, read(MEMBERSHIP_KIND, membership_id), actor=actor)
    return see_other(MEMBERS)


@post(
    f"{MEMBERS}/leave",
    opt={
        "permission": Permission.PERSON,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def leave(
    request: PageRequest,
    organizations: NamedDependency[OrganizationService],
    account: NamedDependency[UUID],
) -> Page:
    """End the role of the signed-in person in the organization that the session acts for."""
    await read_form_of_a_person(request)
    organization = caller_of(request).organization
    if organization is None:
        raise NotFound("the person acts for the own account")
    await organizations.leave(organization, account)
    return see_other("/account/acting")


@get(
    INVITATION_PATH,
    opt={"permission": Permission.PERSON, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_invitation(
    request: PageRequest,
    organizations: NamedDependency[OrganizationService],
    account: NamedDependency[UUID],
) -> Page:
    """Show a button to accept.  The link alone does not accept, because programs that scan mails follow links."""
    text = request.query_params.get("invitation", "")
    invitation, organization = await organizations.opened(text, account)
    shown = page(
        request,
        "accounts/invitation.html",
        invitation=invitation,
        organization=organization,
        text=text,
        here="/",
    )
    # The URL contains the secret, which no Referer may reveal.
    shown.headers["Referrer-Policy"] = "strict-origin"
    return shown


@post(
    INVITATION_PATH,
    opt={"permission": Permission.PERSON, "priority": Priority.CHECKOUT, "keeps": ()},
    include_in_schema=False,
)
async def accept_invitation(
    request: PageRequest,
    organizations: NamedDependency[OrganizationService],
    account: NamedDependency[UUID],
) -> Page:
    """Accept an invitation.  On the next page the person chooses the account that the session acts for."""
    form = await read_form_of_a_person(request)
    await organizations.accept(form.text("invitation"), account)
    return see_other("/account/acting")


routes = [
    show_members,
    invite,
    withdraw_invitation,
    change_member,
    end_member,
    leave,
    show_invitation,
    accept_invitation,
]
