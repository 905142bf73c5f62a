"""Pages on which a buyer enters a bank account to which refunds can be sent: signed in, or by the link of a mail."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency

from meterai.accounts import Permission
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import read_typed, show
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import (
    Form,
    Page,
    PageRequest,
    field_errors,
    form_key,
    fresh_key,
    kept_text,
    known_visitor,
    page,
    read_form,
    read_own_form,
    see_other,
    sentence,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http.callers import account_of, caller_of
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import IdempotencyKeyReused, network_of
from meterai.refunds import (
    CLAIM_KIND,
    CLAIM_LINK_REFUSALS,
    CLAIM_PATH,
    AccountClaim,
    AccountClaimState,
    ClaimService,
    banks,
    refused_as,
    wanted_account,
)

OWN_PATH = "/refunds/account"
_FIELDS = ("bank_code", "account_no", "holder")
# Form field that the buyer must correct, by code of the refusal.
_MENDED = {
    "account_not_fitting": "account_no",
    "account_claim_over": "bank_code",
    "account_tries_spent": "bank_code",
    "account_tries_of_network_spent": "bank_code",
    "account_tries_of_all_spent": "bank_code",
    "account_waits_for_person": "bank_code",
    "account_unanswered": "bank_code",
    "idempotency_key_reused": "bank_code",
}
_OWN = {"permission": Permission.REFUND_ASK, "priority": Priority.PAID, "fresh_proof": True}
_BY_LINK = {"permission": Permission.PUBLIC, "priority": Priority.PAID}


@dataclass(frozen=True, slots=True)
class _Visit:
    """A visit to the page. `account` is the platform account that owns the money, `actor` the visitor, `network` the IP network
    of the visitor, and `link` the secret of the mailed link (empty if the visitor is signed in). `asked` is the id of the
    account claim, the bank account typed before; None if none was typed.
    """

    account: UUID
    actor: Actor
    network: str
    link: str = ""
    asked: UUID | None = None

    @property
    def path(self) -> str:
        """Path of the form, which is different for a buyer who follows a link and for a signed-in buyer."""
        return CLAIM_PATH if self.link else OWN_PATH

    @property
    def here(self) -> str:
        """URL of the current page, with the secret if the visit is by a link; a change of language leads back to it."""
        given = {"claim": self.link, "asked": show(CLAIM_KIND, self.asked) if self.asked else ""}
        query = urlencode({name: text for name, text in given.items() if text})
        return f"{self.path}?{query}" if query else self.path

    def of(self, claim: AccountClaim) -> str:
        """Return the URL of the page with the result for an account claim (a bank account as typed)."""
        return replace(self, asked=claim.id).here


async def _shown(
    request: PageRequest,
    claims: ClaimService,
    visit: _Visit,
    *,
    form: Form | None = None,
    refusal: Refusal | None = None,
) -> Page:
    """Return the page of the refunds that wait for a bank account: with the form, or with the result of checking the bank
    account that was typed.
    """
    claim = await claims.claim(visit.account, visit.asked) if visit.asked else None
    owed = await claims.owed(visit.account)
    typed = {name: form.text(name) if form else kept_text(request, name) for name in _FIELDS}
    step = "form" if owed.sum.value else "nothing"
    if claim is not None and refusal is None:
        step, refusal = _step(claim)
        typed |= {
            "bank_code": claim.bank_code,
            "account_no": claim.account_no,
            "holder": claim.typed,
        }
    elif owed.sum.value and (claim := await claims.held(visit.account)):
        step, refusal = claim.state, None
    language = language_of(request)
    because = await claims.why_wanted(visit.account, owed, language) if step == "form" else ""
    code = refusal.code if refusal else ""
    field = str(refusal.facts().get("field", _MENDED.get(code, "bank_code"))) if refusal else ""
    key = form.text("key") if form and not isinstance(refusal, IdempotencyKeyReused) else ""
    answer = page(
        request,
        "portal/account_named.html",
        status=refusal.status if refusal else 200,
        step=step,
        owed=owed,
        because=because,
        claim=claim,
        asked=visit.asked,  # a visitor who has only the link may be another person
        link=visit.link,
        path=visit.path,
        banks=banks(),
        typed=typed,
        key=key or fresh_key(),
        errors=field_errors(refusal, language, field),
        here=visit.here,
    )
    answer.headers["Cache-Control"] = "private, no-store"
    # The URL may contain the secret of a link, which no Referer may reveal.
    answer.headers["Referrer-Policy"] = "strict-origin"
    return answer


def _refused_page(request: PageRequest, refusal: Refusal) -> Page:
    """Return the page for a refused link; it reveals nothing about the owner of the money."""
    said = sentence(refusal, language_of(request))
    return page(
        request,
        "portal/account_named.html",
        status=refusal.status,
        step="shut",
        said=said,
        owed=None,
        link="",
        errors=(),
    )


def _step(claim: AccountClaim) -> tuple[str, Refusal | None]:
    """Return the step that the page shows for an account claim (a bank account as typed), and the refusal to show, if
    any.
    """
    match claim.state:
        case AccountClaimState.NAMED | AccountClaimState.HELD | AccountClaimState.NEAR:
            return claim.state, None
        case AccountClaimState.ASKED:
            return "asking", None
        case AccountClaimState.OVER:
            return "nothing", None
        case state:
            return "form", refused_as(claim, state)


def _network(request: PageRequest, settings: Settings) -> str:
    return network_of(request, settings.process.proxies)


def _asked(request: PageRequest) -> UUID | None:
    return read_typed(CLAIM_KIND, request.query_params.get("asked", ""))


async def _by_link(
    request: PageRequest, claims: ClaimService, settings: Settings, link: str, asked: UUID | None
) -> _Visit:
    """Return the visit of somebody who follows a link, signed in or not.  Refuses what `ClaimService.opened` refuses."""
    caller = await known_visitor(request)
    mine = (
        frozenset()
        if caller is None
        else frozenset({caller.account, caller.person or caller.account})
    )
    account = await claims.opened(link, signed_in=mine, asked=asked)
    actor = caller.actor if caller else Actor(ActorKind.ACCOUNT)
    return _Visit(account, actor, _network(request, settings), link, asked)


async def _name(request: PageRequest, claims: ClaimService, visit: _Visit, form: Form) -> Page:
    """Carry out the form: store the bank account that the buyer entered, or confirm one whose holder's name is only similar."""
    try:
        if confirms := read_typed(CLAIM_KIND, form.text("confirms")):
            claim = await claims.confirm(
                visit.account, confirms, actor=visit.actor, link=visit.link
            )
        else:
            wanted = wanted_account(*(form.text(name) for name in _FIELDS))
            key = form_key(form.text("key"))
            claim = await claims.name(
                visit.account,
                key,
                wanted,
                actor=visit.actor,
                network=visit.network,
                link=visit.link,
            )
    except Refusal as refusal:
        return await _shown(request, claims, visit, form=form, refusal=refusal)
    return see_other(visit.of(claim))


@get(OWN_PATH, opt=_OWN, include_in_schema=False)
async def show_own(
    request: PageRequest,
    claims: NamedDependency[ClaimService],
    settings: NamedDependency[Settings],
) -> Page:
    """Show the buyer's refunds that wait for a bank account, and the form to enter one."""
    actor, network = caller_of(request).actor, _network(request, settings)
    visit = _Visit(account_of(request), actor, network, asked=_asked(request))
    return await _shown(request, claims, visit)


@post(OWN_PATH, opt={**_OWN, "keeps": (*_FIELDS, "key")}, include_in_schema=False)
async def name_own(
    request: PageRequest,
    claims: NamedDependency[ClaimService],
    settings: NamedDependency[Settings],
) -> Page:
    """Store the bank account that a signed-in buyer entered for the refunds that wait for one."""
    form = await read_own_form(request)
    visit = _Visit(account_of(request), caller_of(request).actor, _network(request, settings))
    return await _name(request, claims, visit, form)


@get(CLAIM_PATH, opt=_BY_LINK, include_in_schema=False)
async def show_by_link(
    request: PageRequest,
    claims: NamedDependency[ClaimService],
    settings: NamedDependency[Settings],
) -> Page:
    """Show the page of `show_own` for the link of a mail. The request changes nothing, because programs that scan
    mails follow links.
    """
    link = request.query_params.get("claim", "")
    try:
        visit = await _by_link(request, claims, settings, link, _asked(request))
    except CLAIM_LINK_REFUSALS as refusal:
        return _refused_page(request, refusal)
    return await _shown(request, claims, visit)


@post(CLAIM_PATH, opt=_BY_LINK, include_in_schema=False)
async def name_by_link(
    request: PageRequest,
    claims: NamedDependency[ClaimService],
    settings: NamedDependency[Settings],
) -> Page:
    """Store the bank account that a buyer with the link of a mail entered for the refunds that wait for one."""
    form = await read_form(request)
    confirms = read_typed(CLAIM_KIND, form.text("confirms"))
    try:
        visit = await _by_link(request, claims, settings, form.text("claim"), confirms)
    except CLAIM_LINK_REFUSALS as refusal:
        return _refused_page(request, refusal)
    return await _name(request, claims, visit, form)


routes = [show_own, name_own, show_by_link, name_by_link]
