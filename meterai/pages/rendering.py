"""Rendering of pages from the templates of all rooms, for the reader of a request."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)
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
    fresh_key,
    is_at_desk,
    return_path,
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
    """Format an amount in rupiah, such as Rp10.000."""
    return str(Rupiah(value))


def aloud(number: str) -> Markup:
    """Format a number in visible groups of digits; copying it gives the number without spaces."""
    each = (Markup("<span>{}</span>").format(one) for one in groups(number))
    return Markup('<span class="mono aloud">{}</span>').format(Markup().join(each))


def may(caller: Caller | None, permission: str) -> bool:
    """True if a link that needs this permission is shown to the caller. It is shown to a caller who has the
    permission, as a user or as staff, and to every visitor who is not signed in.
    """
    return (
        not permission
        or caller is None
        or permission in caller.permissions | caller.staff_permissions
    )


def _bytecode() -> FileSystemBytecodeCache | None:
    """Return the compiled templates, kept beside the sources as Python keeps its modules; None if this process may not write there.
    They save a second of each start.
    """
    folder = Path(__file__).parent / "__pycache__"
    if not os.access(folder, os.W_OK):
        return None
    return FileSystemBytecodeCache(str(folder), "%s.jinja")


class Site:
    """Pages of an application: templates, static files, and links on every page.

    The name of a room's template begins with the name of the room (`verification/check.html`), the name of a
    common template does not (`base.html`).
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

    def start_over(self) -> None:
        """Forget the notices and the cached pages of an earlier start of the application."""
        self._notices, self._to_renew = {}, []

    def show(self, notices: Mapping[str, Sequence[Notice]]) -> None:
        """Set the notices at the head of every page, by language, and expire cached pages."""
        self._notices = notices
        for renew in self._to_renew:
            renew()

    def on_show(self, renew: Callable[[], object]) -> None:
        """Register a function that is called when the notices change, to expire cached pages."""
        self._to_renew.append(renew)

    def _environment(self, rooms: Sequence[RoomPages]) -> Environment:
        """Return the template environment with globals and filters."""
        of_rooms = {room.name: PackageLoader(room.package) for room in rooms}
        made = Environment(
            loader=ChoiceLoader([PackageLoader(FLOOR), PrefixLoader(of_rooms)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,  # all templates are kept
            bytecode_cache=_bytecode(),
        )
        made.globals.update(
            asset=partial(address, self.assets), form_key=fresh_key, identifier=show
        )
        made.filters.update(rupiah=rupiah, file_size=format_size, aloud=aloud)
        for room in rooms:
            made.filters.update(room.filters)
        return made

    def load_all(self) -> None:
        """Load all templates when the process starts, so that no visitor has to wait for that, and later faults of the
        disk do no harm.
        """
        for name in self.environment.list_templates(extensions=["html"]):
            self.environment.get_template(name)

    def links(self, place: LinkPlace, *, caller: Caller | None) -> list[PageLink]:
        """Return the links at this place of the page that are shown to this reader, in their order."""
        shown = _shown_to(caller)
        return [
            link
            for link in self._links
            if link.place == place and link.shown_to in shown and may(caller, link.needs)
        ]

    def links_for_all(self, place: LinkPlace) -> list[PageLink]:
        """Return the links at this place of the page that are shown to every reader, for a page that is cached for all."""
        return [
            link
            for link in self._links
            if link.place == place and link.shown_to == ShownTo.EVERYBODY and not link.needs
        ]

    def render(self, template: str, language: str, settings: Settings, /, **facts: object) -> str:
        """Render a template in a language, with the common variables and the given ones (`facts`)."""
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
    """Return the value in `paths`, a path or a template, that one of the rooms has set; None if no room has set one."""
    found = [path for path in paths if path is not None]
    assert len(found) <= 1, f"several rooms set {found}"
    return found[0] if found else None


def _time(at: datetime, language: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(), format_datetime(at, language)
    )


async def visitor(request: PageRequest) -> Caller | None:
    """Return the signed-in caller of a public page; None if nobody is signed in, or the caller cannot be determined."""
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
    """Return the signed-in caller of a public page; None if nobody is signed in.

    If the caller cannot be determined now, the request is refused as the authenticator would refuse it, so that a signed-in
    person is never treated as a stranger.
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
    """Return the caller that the guard of the route, or `visitor`, found for this request; None if nobody is signed in."""
    caller = request.scope.get("caller")
    return caller if isinstance(caller, Caller) else None


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error of a form: the name of the field, and the text that says what to do."""

    field: str
    text: str


def sentence(refusal: Refusal, language: str) -> str:
    """Return a refusal as a sentence; for a wrong field of a form, the field's own message is used if it exists."""
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
    """Render a template for the reader of a request, in the reader's language."""
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
            "who": caller,  # the name `caller` has another meaning within Jinja's macros
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
    """Return the path of the requested page, or for a sent form the path of the page that shows the form."""
    scope = request.scope
    query = scope["query_string"].decode("latin-1")
    if request.method == "GET":
        return return_path("GET", scope["path"], query)
    return page_above(request)


def page_above(request: PageRequest) -> str:
    """Return the path of the page that shows the form which is sent to this path; "/" if no such page exists."""
    there = return_path("POST", request.scope["path"], "")
    while there != "/" and not has_page(request, there):
        there = there.rpartition("/")[0] or "/"
    return there


def has_page(request: PageRequest, path: str) -> bool:
    """True if a page exists at this path that the sender of the request can open.

    False for a request to the console that comes from outside the networks of staff.
    """
    return SHUT not in request.scope and "GET" in allowed(request.app, path)


def page(
    request: PageRequest, template: str, /, *, status: int = 200, **facts: object
) -> Response[str]:
    """Return the answer with a rendered page. Fields of its form that were kept by `keep_form` are shown once and then
    deleted.
    """
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
    """Return a page that contains its style sheet, so that browsers display the page without a further request."""
    content = service(request, Site).assets[sheet].content
    answer = page(request, template, style=content.decode())
    answer.headers["Content-Security-Policy"] = content_security_policy(content)
    return answer


def kept_form(request: PageRequest) -> KeptForm | None:
    """Return the kept form of this page and this caller; None if no form is kept for them."""
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
    """Return the kept text of a field of this page's form, else `otherwise`."""
    kept = kept_form(request)
    return kept.fields.get(field, otherwise) if kept else otherwise


def see_other(path: str) -> Page:
    """Return a redirect with 303 See Other, the answer to a form, so that reloading the page does not send it again."""
    return Redirect(path, status_code=303)


def field_errors(refusal: Refusal | None, language: str, field_name: str) -> Sequence[FieldError]:
    """Return a refusal as errors of a form, by default at the field `field_name`; empty without a refusal."""
    if refusal is None:
        return ()
    about = refusal.facts().get("field") if refusal.code == "field_wrong" else None
    return (FieldError(str(about or field_name), sentence(refusal, language)),)
