"""How a page is made: the reader, the templates, the forms."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache, partial
from typing import Any
from urllib.parse import urlsplit

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response
from litestar.response import Redirect
from markupsafe import Markup

from meterai.accounts import COOKIE, check_form
from meterai.kit.ids import new_id, show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Refusal
from meterai.kit.serial import Serial
from meterai.plumbing.config import Settings
from meterai.plumbing.forms import read_parts
from meterai.plumbing.http import Caller, cookie_name, language_of, service
from meterai.plumbing.messages import catalogue, format_datetime, localize, translate
from meterai.portal.assets import asset
from meterai.portal.model import FORM_KEY, FormForeign

PageRequest = Request[Any, Any, Any]
Page = Response[Any]
DRAWINGS_KEPT_MAX = 256  # of some 8 KB; a page that waits for a payment shows its own again
_QR_QUIET_ZONE = 4  # modules; ISO/IEC 18004 asks for no less


def rupiah(value: int) -> str:
    """An amount as people write it."""
    return str(Rupiah(value))


def grouped(serial: str) -> str:
    """A serial in groups of four."""
    return Serial(serial).grouped()


@cache
def environment() -> Environment:
    """The templates, with what each of them may use."""
    made = Environment(
        loader=PackageLoader("meterai.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset, form_key=fresh_key, identifier=show)
    made.filters.update(rupiah=rupiah, grouped=grouped)
    return made


def fresh_key() -> str:
    """A key for a form that is about to be shown."""
    return show(FORM_KEY, new_id())


def _time(at: datetime, language: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(), format_datetime(at, language)
    )


@lru_cache(DRAWINGS_KEPT_MAX)
def qr_drawing(content: str) -> Markup:
    """A QR code as a drawing within the page."""
    code = segno.make_qr(content, error="m")
    drawing = code.svg_inline(
        border=_QR_QUIET_ZONE, omitsize=True, svgclass=None, lineclass=None, light="#fff"
    )
    return Markup(drawing)  # noqa: S704 - segno writes numbers, nothing of the content


async def visitor(request: PageRequest) -> Caller | None:
    """Who looks at a public page, where somebody is signed in.

    A page that everybody may see is shown even where the question cannot be answered.
    """
    if cookie_name(COOKIE, service(request, Settings).process) not in request.cookies:
        return None
    try:
        caller: Caller = await request.app.state.authenticator.caller(request)
    except Refusal:
        return None
    request.scope["caller"] = caller  # type: ignore[typeddict-unknown-key]
    return caller


def known_caller(request: PageRequest) -> Caller | None:
    """The caller as far as the guard or `visitor` found one."""
    caller = request.scope.get("caller")
    return caller if isinstance(caller, Caller) else None


@dataclass(frozen=True, slots=True)
class FieldError:
    """Something to mend in a form: the field it belongs to and what to do."""

    field: str
    text: str


def sentence(refusal: Refusal, language: str, *, field_name: str | None = None) -> str:
    """A refusal in words; our forms have their own words for their own fields."""
    facts = localize(refusal.facts(), language)
    about = field_name or facts.get("field")
    own = f"page.field.{about}.wrong"
    if refusal.code in ("malformed", "field_wrong") and own in catalogue():
        return translate(own, language, **facts)
    return translate(f"refusal.{refusal.code}", language, **facts)


def reason(code: str, language: str) -> str:
    """Why a stamping failed, from the code that was kept; its facts were not."""
    text = translate(f"refusal.{code}", language)
    return text if "{" not in text else translate("page.stamping.refused", language, code=code)


def rendered(request: PageRequest, template: str, facts: Mapping[str, object]) -> str:
    """The text of a template for this reader."""
    language = language_of(request)
    settings = service(request, Settings)
    found = environment().get_template(template)
    return found.render(
        language=language,
        other_language="en" if language == "id" else "id",
        t=lambda key, **named: translate(key, language, **named),
        format_datetime=partial(format_datetime, language=language),
        time=partial(_time, language=language),
        reason=partial(reason, language=language),
        who=known_caller(request),  # `caller` is a word of Jinja's own within macros
        path=request.scope["path"],
        settings=settings.flat() | {"is_specimen": not settings.process.is_production},
        **{"errors": (), **facts},
    )


def page(
    request: PageRequest, template: str, *, status: int = 200, **facts: object
) -> Response[str]:
    """A whole page."""
    keeps = "no-store" if known_caller(request) else "no-cache"
    return Response(
        rendered(request, template, facts),
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={"Cache-Control": f"private, {keeps}", "Vary": "Cookie, Accept-Language"},
    )


def see_other(path: str) -> Page:
    """See Other: after a form, so that reloading sends nothing twice."""
    return Redirect(path, status_code=303)


# -- forms ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Form:
    """What came with a form: its texts, and its files with their names."""

    texts: dict[str, str]
    files: list[tuple[str, bytes]] = field(default_factory=list)

    def text(self, name: str) -> str:
        """One field, empty where it did not come."""
        return self.texts.get(name, "")


async def read_form(request: PageRequest) -> Form:
    """The form in the body."""
    form = Form({})
    for part in await read_parts(request):
        # A file field that was left empty comes with an empty name.
        if part.file_name:
            form.files.append((part.file_name, part.content))
        else:
            form.texts[part.name] = part.text
    return form


async def read_own_form(request: PageRequest) -> Form:
    """The form of a signed-in page.  Refuses `FormExpired`."""
    form = await read_form(request)
    caller = known_caller(request)
    assert caller is not None, "the route has the permission ACCOUNT"
    check_form(caller, form.text("form_token"))
    return form


def check_origin(request: PageRequest) -> None:
    """Refuse a public form that another site sent (`FormForeign`)."""
    origin = request.headers.get("origin")
    if origin is None:
        return
    try:
        sender = urlsplit(origin).netloc
    except ValueError:  # brackets that do not close
        raise FormForeign("the form came from nowhere") from None
    ours = (
        request.headers.get("host", ""),
        urlsplit(service(request, Settings).process.url).netloc,
    )
    if not any(hmac.compare_digest(sender.encode(), host.encode()) for host in ours if host):
        raise FormForeign("the form came from another origin")


def field_errors(refusal: Refusal, language: str, field_name: str) -> Sequence[FieldError]:
    """What a form shows of a refusal."""
    about = refusal.facts().get("field") if refusal.code == "field_wrong" else None
    return (
        FieldError(str(about or field_name), sentence(refusal, language, field_name=field_name)),
    )
