"""How a page is made: the rooms that have pages, the reader, the templates."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from litestar import Request, Response
from litestar.response import Redirect
from markupsafe import Markup

from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Malformed, Refusal, SignInRequired
from meterai.kit.text import groups
from meterai.pages.assets import Asset, address, assets_of
from meterai.pages.kept import COOKIE as KEPT
from meterai.pages.kept import KeptForm, set_kept
from meterai.pages.model import (
    SHUT,
    LinkPlace,
    Notice,
    PageLink,
    RoomPages,
    ShownTo,
    comes_back_to,
    fresh_key,
    is_at_desk,
)
from meterai.pages.policy import content_security_policy
from meterai.plumbing.config import Settings
from meterai.plumbing.http.callers import Authenticator, Caller, service
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.methods import allowed
from meterai.plumbing.http.requests import cookie_name
from meterai.plumbing.messages import (
    catalogue,
    format_datetime,
    format_day,
    format_size,
    localize,
    translate,
)

PageRequest = Request[Any, Any, Any]
Page = Response[Any]
FLOOR = "meterai.pages"


def rupiah(value: int) -> str:
    """An amount as people write it: Rp10.000."""
    return str(Rupiah(value))


def aloud(number: str) -> Markup:
    """A number in groups that are seen and not copied: no space is between them."""
    each = (Markup("<span>{}</span>").format(one) for one in groups(number))
    return Markup('<span class="mono aloud">{}</span>').format(Markup().join(each))


def may(caller: Caller | None, permission: str) -> bool:
    """True where a page offers what needs this permission: to a stranger, and to whoever has it, of its own account or as staff."""
    return (
        not permission
        or caller is None
        or permission in caller.permissions | caller.staff_permissions
    )


class Site:
    """The pages of an application: their templates, their files, and the links that all show.

    A template is found by the name of its room (`verification/check.html`), one of all rooms by its
    own (`base.html`).
    """

    def __init__(self, *rooms: RoomPages) -> None:
        self.assets: Mapping[str, Asset] = assets_of(FLOOR, *(room.package for room in rooms))
        self.sign_in = _only(room.sign_in for room in rooms)
        self.prove = _only(room.prove for room in rooms)
        self.language = _only(room.language for room in rooms)
        self.acting = _only(room.acting for room in rooms)
        self._foot = _only(room.foot for room in rooms)
        self.listed = {path: key for room in rooms for path, key in room.listed.items()}
        links = (link for room in rooms for link in room.links)
        self._links = sorted(links, key=lambda link: link.rank)
        self.environment = self._environment(rooms)
        self._notices: Mapping[str, Sequence[Notice]] = {}
        self._to_renew: list[Callable[[], object]] = []

    def show(self, notices: Mapping[str, Sequence[Notice]]) -> None:
        """Have every page begin with these notices from now on, by language; those made before are made anew."""
        self._notices = notices
        for renew in self._to_renew:
            renew()

    def on_show(self, renew: Callable[[], object]) -> None:
        """Call this when other notices are shown: a page that was kept says what is no longer so."""
        self._to_renew.append(renew)

    def _environment(self, rooms: Sequence[RoomPages]) -> Environment:
        """The templates, with what each of them may use."""
        of_rooms = {room.name: PackageLoader(room.package) for room in rooms}
        made = Environment(
            loader=ChoiceLoader([PackageLoader(FLOOR), PrefixLoader(of_rooms)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,  # all are kept
        )
        made.globals.update(
            asset=partial(address, self.assets), form_key=fresh_key, identifier=show
        )
        made.filters.update(rupiah=rupiah, file_size=format_size, aloud=aloud)
        for room in rooms:
            made.filters.update(room.filters)
        return made

    def load_all(self) -> None:
        """Read every template now: no first visitor waits for it, and no full or lost disk is felt."""
        for name in self.environment.list_templates(extensions=["html"]):
            self.environment.get_template(name)

    def links(self, place: LinkPlace, *, caller: Caller | None) -> list[PageLink]:
        """The links of a place for this reader, in their order."""
        shown = _shown_to(caller)
        return [
            link
            for link in self._links
            if link.place == place and link.shown_to in shown and may(caller, link.needs)
        ]

    def links_for_all(self, place: LinkPlace) -> list[PageLink]:
        """The links of a place on a page that does not know who reads it."""
        return [
            link
            for link in self._links
            if link.place == place and link.shown_to == ShownTo.EVERYBODY and not link.needs
        ]

    def render(self, template: str, language: str, settings: Settings, /, **facts: object) -> str:
        """The text of a template in a language, of what every page is given and these facts."""
        return self.environment.get_template(template).render(
            language=language,
            other_language="en" if language == "id" else "id",
            t=lambda key, /, **named: translate(key, language, **named),
            format_datetime=partial(format_datetime, language=language),
            format_day=partial(format_day, language=language),
            time=partial(_time, language=language),
            settings={
                **settings.flat(),
                "is_specimen": not settings.process.is_production,
                "url": settings.process.url,
            },
            foot=self._foot,
            notices=self._notices.get(language, ()),
            about=lambda path: translate(self.listed.get(path, "page.about"), language),
            **{
                "errors": (),
                "kept": None,
                "style": "",
                "who": None,
                "is_at_desk": False,
                **facts,
            },
        )


def _only(paths: Iterable[str | None]) -> str | None:
    """The path of this kind that one of the rooms registers, or None."""
    found = [path for path in paths if path is not None]
    assert len(found) <= 1, f"one room has it: {found}"
    return found[0] if found else None


def _time(at: datetime, language: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(), format_datetime(at, language)
    )


async def visitor(request: PageRequest) -> Caller | None:
    """The caller of a public page, or None where nobody is signed in or that could not be found
    out.
    """
    authenticator: Authenticator = request.app.state.authenticator
    if not authenticator.has_session(request):
        return None
    try:
        caller = await authenticator.caller(request)
    except Refusal:
        return None
    request.scope["caller"] = caller  # type: ignore[typeddict-unknown-key]
    return caller


async def known_visitor(request: PageRequest) -> Caller | None:
    """The caller of a public page, or None where nobody is signed in.

    Refuses what keeps that from being found out: whoever is signed in must not be taken for a stranger.
    """
    authenticator: Authenticator = request.app.state.authenticator
    if not authenticator.has_session(request):
        return None
    try:
        caller = await authenticator.caller(request)
    except SignInRequired:
        return None
    request.scope["caller"] = caller  # type: ignore[typeddict-unknown-key]
    return caller


def known_caller(request: PageRequest) -> Caller | None:
    """The caller, where the guard or `visitor` found one for this request; else None."""
    caller = request.scope.get("caller")
    return caller if isinstance(caller, Caller) else None


@dataclass(frozen=True, slots=True)
class FieldError:
    """Something to mend in a form: the field it belongs to and what to do."""

    field: str
    text: str


def sentence(refusal: Refusal, language: str) -> str:
    """A refusal in words; our forms have their own words for the field that is wrong."""
    facts = localize(refusal.facts(), language)
    field = f"page.field.{facts.get('field')}"
    own = [f"{field}.wrong"]
    if isinstance(refusal, Malformed):
        own.insert(0, f"{field}.{refusal.expected.key}")
    for key in own if refusal.code in ("malformed", "field_wrong") else ():
        if key in catalogue():
            return translate(key, language, **facts)
    return translate(f"refusal.{refusal.code}", language, **facts)


def rendered(request: PageRequest, template: str, facts: Mapping[str, object]) -> str:
    """The text of a template for this reader."""
    site, caller = service(request, Site), known_caller(request)
    return site.render(
        template,
        language_of(request),
        service(request, Settings),
        **{
            "links": partial(site.links, caller=caller),
            "may": partial(may, caller),
            "choose_language": site.language,
            "choose_acting": site.acting,
            "who": caller,  # `caller` is a word of Jinja's own within macros
            "path": request.scope["path"],
            "is_at_desk": is_at_desk(request.scope["path"]) and SHUT not in request.scope,
            "here": nearest_page(request),
            **facts,
        },
    )


def _shown_to(caller: Caller | None) -> Collection[ShownTo]:
    if caller is None:
        return (ShownTo.EVERYBODY, ShownTo.STRANGERS)
    staff = (ShownTo.STAFF,) if caller.staff_permissions else ()
    return (ShownTo.EVERYBODY, ShownTo.SIGNED_IN, *staff)


def nearest_page(request: PageRequest) -> str:
    """Where this page is found again: it, or what is nearest above a form that cannot be looked at."""
    scope = request.scope
    query = scope["query_string"].decode("latin-1")
    if request.method == "GET":
        return comes_back_to("GET", scope["path"], query)
    return page_above(request)


def page_above(request: PageRequest) -> str:
    """The page that has the form which is sent to this address; "/" where there is none."""
    there = comes_back_to("POST", request.scope["path"], "")
    while there != "/" and not can_be_seen(request, there):
        there = there.rpartition("/")[0] or "/"
    return there


def can_be_seen(request: PageRequest, path: str) -> bool:
    """True if the sender has a page at this path; behind a closed gate there is none."""
    return SHUT not in request.scope and "GET" in allowed(request.app, path)


def page(
    request: PageRequest, template: str, /, *, status: int = 200, **facts: object
) -> Response[str]:
    """A whole page; what was typed into a form of it that could not be taken is told, once."""
    keeps = "no-store" if known_caller(request) else "no-cache"
    kept = kept_form(request)
    answer = Response(
        rendered(request, template, {"kept": kept, **facts}),
        status_code=status,
        media_type="text/html",
        headers={"Cache-Control": f"private, {keeps}", "Vary": "Cookie, Accept-Language"},
    )
    if kept is not None:
        set_kept(answer, service(request, Settings).process, "")
    return answer


def page_with_style(request: PageRequest, template: str, sheet: str) -> Response[str]:
    """A page that has a sheet of ours in itself, so that it is seen before another answer has come."""
    content = service(request, Site).assets[sheet].content
    answer = page(request, template, style=content.decode())
    answer.headers["Content-Security-Policy"] = content_security_policy(content)
    return answer


def kept_form(request: PageRequest) -> KeptForm | None:
    """The form that whoever asks for this page sent to it, and which could not be taken."""
    caller = known_caller(request)
    if caller is None or caller.by != "session" or request.method != "GET":
        return None
    text = request.cookies.get(cookie_name(KEPT, service(request, Settings).process), "")
    found = KeptForm.read(text)
    is_here = found is not None and found.is_for(
        request.scope["path"], str(caller.person or caller.account)
    )
    return found if is_here else None


def kept_text(request: PageRequest, field: str, otherwise: str = "") -> str:
    """What was typed into a field of the form of this page before, else `otherwise`."""
    kept = kept_form(request)
    return kept.fields.get(field, otherwise) if kept else otherwise


def see_other(path: str) -> Page:
    """303 See Other: the answer to a form, so that reloading the page sends nothing twice."""
    return Redirect(path, status_code=303)


def field_errors(refusal: Refusal | None, language: str, field_name: str) -> Sequence[FieldError]:
    """The errors that a form shows for a refusal; none where nothing was refused."""
    if refusal is None:
        return ()
    about = refusal.facts().get("field") if refusal.code == "field_wrong" else None
    return (FieldError(str(about or field_name), sentence(refusal, language)),)
