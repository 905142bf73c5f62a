"""Pages of API keys: a list with scopes, end and maker of each key; making, replacing and ending a key."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts.model import (
    KEY_KIND,
    KEY_OVERLAP_HOURS,
    KEY_PERMISSIONS,
    KEY_PRESETS,
    ApiKeyView,
    KeyTerms,
    Permission,
    Replacement,
    ScopeNotHeld,
)
from meterai.accounts.service import AccountService
from meterai.kit.actor import Actor
from meterai.kit.clock import WIB, SystemClock
from meterai.kit.ids import read
from meterai.kit.numbers import counted
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed, Refusal
from meterai.pages import (
    FORM_KEY,
    Form,
    Page,
    PageRequest,
    field_errors,
    form_key,
    kept_text,
    page,
    read_form_of_a_person,
    see_other,
)
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of

KEYS = "/account/keys"
CHOSEN = "chosen"  # option beside the presets: scopes are ticked individually
_FIELDS = {"until": "key-until", "scopes": "key-scopes", "overlap": "key-overlap"}


def _paired(keys: Sequence[ApiKeyView]) -> list[ApiKeyView]:
    """Return the same keys in an order in which each key is followed by the key that it replaces."""
    of = {key.id: key for key in keys}
    replaced = {key.replaces for key in keys}
    ordered: list[ApiKeyView] = []
    for key in keys:
        # The newest key of a chain comes first; the keys that it replaces follow it.
        following: ApiKeyView | None = key if key.id not in replaced else None
        while following is not None:
            ordered.append(following)
            following = of.get(following.replaces or "")
    return ordered


async def _keys_page(
    request: PageRequest,
    accounts: AccountService,
    typed: Mapping[str, str],
    refusal: Refusal | None = None,
) -> Page:
    caller = caller_of(request)
    field = "key-scopes" if isinstance(refusal, ScopeNotHeld) else "key-name"
    if isinstance(refusal, Malformed):
        field = _FIELDS.get(refusal.field, field)
    offered = {
        name: sorted(scopes & caller.permissions)
        for name, scopes in KEY_PRESETS.items()
        if scopes & caller.permissions
    }
    return page(
        request,
        "accounts/keys.html",
        status=refusal.status if refusal else 200,
        keys=_paired(await accounts.api_keys(caller.account)),
        makers=await accounts.key_makers(caller.account) if caller.acts_for else {},
        now=SystemClock().now(),
        may_manage=Permission.KEYS_MANAGE in caller.permissions,
        presets=offered,
        scopes=sorted(KEY_PERMISSIONS & caller.permissions),
        overlaps=KEY_OVERLAP_HOURS,
        typed=typed,
        errors=field_errors(refusal, language_of(request), field) if refusal else (),
    )


@get(
    KEYS,
    opt={"permission": Permission.KEYS_READ, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def show_keys(request: PageRequest, accounts: NamedDependency[AccountService]) -> Page:
    """Show the API keys of the account, and the form for a new key."""
    typed = {name: kept_text(request, name) for name in ("name", "preset", "until")}
    return await _keys_page(request, accounts, typed)


def _scopes(form: Form, held: frozenset[str]) -> frozenset[str]:
    """Return the scopes that a form selects; `held` are the permissions of the maker.  Refuses `Malformed`."""
    preset = form.text("preset") or "everything"
    if preset != CHOSEN:
        if preset not in KEY_PRESETS:
            raise Malformed("preset", "known_name")
        return KEY_PRESETS[preset] & held
    asked = frozenset(name.removeprefix("scope.") for name in form.texts if name[:6] == "scope.")
    if not asked:
        raise Malformed("scopes", "given")
    return asked


def _until(text: str) -> datetime | None:
    """Return the end of a typed day (WIB); None if the text is empty.  Refuses `Malformed`."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip()) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise Malformed("until", "later_day") from None
    return datetime.combine(day, time(), WIB)


@post(
    KEYS,
    opt={
        "permission": Permission.KEYS_MANAGE,
        "priority": Priority.CHECKOUT,
        "fresh_proof": True,
        "keeps": ("name", "preset", "until"),
    },
    include_in_schema=False,
)
async def make_key(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Make an API key and show its text once."""
    form, caller = await read_form_of_a_person(request), caller_of(request)
    name = form.text("name")
    key = read(FORM_KEY, form_key(form.text("key")))
    try:
        terms = KeyTerms(
            scopes=_scopes(form, caller.permissions),
            expires_at=_until(form.text("until")),
            made_by=caller.person,
            held=caller.permissions,
        )
        text = await accounts.create_api_key(account, name, actor=actor, key=key, terms=terms)
    except Refusal as refusal:
        return await _keys_page(request, accounts, form.texts, refusal)
    return page(request, "accounts/key.html", key=text, name=name)


@post(
    f"{KEYS}/{{key_id:str}}/replace",
    opt={
        "permission": Permission.KEYS_MANAGE,
        "priority": Priority.CHECKOUT,
        "fresh_proof": True,
        "keeps": (),
    },
    include_in_schema=False,
)
async def replace_key(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    key_id: FromPath[str],
) -> Page:
    """Make the successor of an API key and show the text of the new key once; the old key works until the overlap is over."""
    form, caller = await read_form_of_a_person(request), caller_of(request)
    hours = counted(form.text("overlap"), digits_max=3)
    wish = Replacement(
        read(KEY_KIND, key_id),
        -1 if hours is None else hours,
        read(FORM_KEY, form_key(form.text("key"))),
    )
    terms = KeyTerms(made_by=caller.person, held=caller.permissions)
    try:
        text = await accounts.replace_api_key(account, wish, actor=actor, terms=terms)
    except Refusal as refusal:
        return await _keys_page(request, accounts, {}, refusal)
    [name] = [one.name for one in await accounts.api_keys(account) if one.id == key_id]
    return page(request, "accounts/key.html", key=text, name=name)


@post(
    f"{KEYS}/{{key_id:str}}/end",
    opt={
        "permission": Permission.KEYS_MANAGE,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def end_key(
    request: PageRequest,
    accounts: NamedDependency[AccountService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    key_id: FromPath[str],
) -> Page:
    """End an API key."""
    await read_form_of_a_person(request)
    await accounts.end_api_key(account, read(KEY_KIND, key_id), actor=actor)
    return see_other(KEYS)


routes = [show_keys, make_key, replace_key, end_key]
