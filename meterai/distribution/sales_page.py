"""Pages of a distributor's sales page (`/s/NAME`): the public page, and its settings for the distributor.

The public page sets a cookie with the seller and leads to the ordinary pages for buying and stamping. The form of the
order contains seller and price; the order is refused if these are no longer valid.
"""

from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from meterai.accounts import Permission
from meterai.distribution.branding import (
    COLOUR_AT_FIRST,
    LogoUnreadable,
    ShopService,
    ShopView,
    ShopWish,
)
from meterai.distribution.model import Shop
from meterai.distribution.settings import DistributionSettings
from meterai.kit.actor import Actor
from meterai.kit.ids import show
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.orders import OrderSettings
from meterai.pages import (
    Page,
    PageRequest,
    Remembered,
    content_security_policy,
    field_errors,
    kept_text,
    page,
    read_form,
    read_form_of_a_person,
    see_other,
    visitor,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http.described import FILE, Described
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import cookie_name
from meterai.sealing import LOGO_BYTES_MAX

SELLER_COOKIE = "seller"
REMEMBERED_SECONDS = (
    86_400  # seconds from the visit of the page for which the browser remembers the seller
)
FORM = "/account/shop"
_BODY_BYTES_MAX = LOGO_BYTES_MAX + 64 * 1024  # with the other parts of the form
_LOGO_KEPT = "public, max-age=31536000, immutable"  # the name is the hash of the logo
_SHEET = (
    ".shopfront{{margin-bottom:1rem;padding:1.1rem;color:#fff;background:{colour};border-radius:.6rem}}"
    ".shopfront h1{{color:#fff}}.shopfront img{{max-height:5rem;width:auto;padding:.4rem;background:#fff;border-radius:.3rem}}"
)
_GOES_TO = {"stamp": "/stamp", "buy": "/buy", "review": "/stamp/pay"}
_BYTES = "application/octet-stream"


def _set_seller_cookie(settings: Settings, answer: Page, slug: str) -> Page:
    """Set the cookie that names the seller; remove the cookie if `slug` is empty."""
    process = settings.process
    answer.set_cookie(
        Cookie(
            cookie_name(SELLER_COOKIE, process),
            path="/",
            value=slug,
            max_age=REMEMBERED_SECONDS if slug else 0,
            secure=process.is_secure,
            httponly=True,
            samesite="lax",
        )
    )
    return answer


def _is_selling(shop: Shop, settings: Settings) -> bool:
    bound = settings.of(DistributionSettings).distribution_fee_rupiah_max
    return shop.is_open and shop.fee <= bound


@get(
    "/s/{slug:str}",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.NEW,
        "remembered": Remembered(1.0),
    },
    include_in_schema=False,
)
async def show_shop(
    request: PageRequest,
    shops: NamedDependency[ShopService],
    settings: NamedDependency[Settings],
    slug: FromPath[str],
) -> Page:
    """Show the sales page of a distributor: price, terms, and identity."""
    shop = await shops.by_slug(slug)
    if shop.slug != slug:
        return see_other(f"/s/{shop.slug}")
    await visitor(request)
    sale, sheet = settings.of(OrderSettings), _SHEET.format(colour=shop.colour)
    own_unit = sale.stamp_price + sale.service_fee
    answer = page(
        request,
        "distribution/shop.html",
        shop=shop,
        sheet=sheet,
        is_selling=_is_selling(shop, settings),
        own_unit=own_unit,
        unit=own_unit + shop.fee,
    )
    answer.headers["Content-Security-Policy"] = content_security_policy(sheet.encode())
    return answer


@get(
    "/s/{slug:str}/{name:str}",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def show_logo(
    shops: NamedDependency[ShopService], slug: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """Return the logo of a sales page (WebP), by its hash."""
    stem, dot, ending = name.partition(".")
    if (dot, ending) != (".", "webp"):
        raise NotFound("no such file of a shop")
    return Response(
        await shops.logo(slug, stem),
        media_type="image/webp",
        headers={"Cache-Control": _LOGO_KEPT, "X-Content-Type-Options": "nosniff"},
    )


@post(
    "/s/{slug:str}",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def begin(
    request: PageRequest,
    shops: NamedDependency[ShopService],
    settings: NamedDependency[Settings],
    slug: FromPath[str],
) -> Page:
    """Set the cookie of this seller, and redirect to the page to buy or stamp."""
    form, shop = await read_form(request), await shops.by_slug(slug)
    if not _is_selling(shop, settings):
        return see_other(f"/s/{shop.slug}")
    there = see_other(_GOES_TO.get(form.text("to"), "/stamp"))
    return _set_seller_cookie(settings, there, shop.slug)


@post(
    "/s",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def leave(request: PageRequest, settings: NamedDependency[Settings]) -> Page:
    """Remove the cookie of a seller, and redirect to the page to buy or stamp."""
    form = await read_form(request)
    return _set_seller_cookie(settings, see_other(_GOES_TO.get(form.text("to"), "/buy")), "")


# -- for the owner -------------------------------------------------------------------------

_OWNER = {"permission": Permission.SHOP_CHANGE, "priority": Priority.CHECKOUT}


def _wish_of(shop: Shop | None) -> ShopWish:
    return ShopWish(shop.slug, shop.colour, shop.terms) if shop else ShopWish("")


def _form_page(
    request: PageRequest, shop: Shop | None, typed: ShopWish, refusal: Refusal | None = None
) -> Page:
    field = refusal.field if isinstance(refusal, Malformed) else ""
    field = {"contrast_too_low": "colour", "logo_unreadable": "logo"}.get(
        refusal.code if refusal else "", field or "slug"
    )
    return page(
        request,
        "distribution/shop_form.html",
        status=refusal.status if refusal else 200,
        shop=shop,
        typed=typed,
        errors=field_errors(refusal, language_of(request), field),
    )


@get(FORM, opt=_OWNER, include_in_schema=False)
async def show_shop_form(
    request: PageRequest, shops: NamedDependency[ShopService], account: NamedDependency[UUID]
) -> Page:
    """Show a distributor the form of its sales page."""
    shop = await shops.of(account)
    now = _wish_of(shop)
    typed = ShopWish(
        kept_text(request, "slug", now.slug),
        kept_text(request, "colour", now.colour),
        kept_text(request, "terms", now.terms),
    )
    return _form_page(request, shop, typed)


@post(FORM, opt={**_OWNER, "keeps": ("slug", "colour", "terms")}, include_in_schema=False)
async def set_shop_by_form(
    request: PageRequest,
    shops: NamedDependency[ShopService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Open a sales page, or change it."""
    form = await read_form_of_a_person(request)
    wish = ShopWish(form.text("slug"), form.text("colour") or COLOUR_AT_FIRST, form.text("terms"))
    try:
        await shops.set(account, wish, actor=actor)
    except Refusal as refusal:
        return _form_page(request, await shops.of(account), wish, refusal)
    return see_other(FORM)


@post(
    f"{FORM}/logo",
    opt={**_OWNER, "keeps": ()},
    include_in_schema=False,
    request_max_body_size=_BODY_BYTES_MAX,
)
async def set_logo_by_form(
    request: PageRequest,
    shops: NamedDependency[ShopService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Set the logo of a sales page, or remove it."""
    form = await read_form_of_a_person(request)
    picture = None if form.text("none") else next((one for _, one in form.files), b"")
    try:
        await shops.set_logo(account, picture, client=show("acc", account), actor=actor)
    except NotFound:
        raise
    except Refusal as refusal:
        shop = await shops.of(account)
        return _form_page(request, shop, _wish_of(shop), refusal)
    return see_other(FORM)


_SHOWS = {"permission": Permission.SALE_MAKE, "priority": Priority.PAID}
_OF_SHOPS = Described(refuses=(404,))


@get(
    "/v1/shop",
    opt={**_SHOWS, "described": _OF_SHOPS},
    summary="Your sales page",
    tags=["distribution"],
)
async def show_shop_view(
    shops: NamedDependency[ShopService], account: NamedDependency[UUID]
) -> ShopView:
    """Show your sales page: its address and its content."""
    return await shops.view(account)


@put(
    "/v1/shop",
    opt={**_OWNER, "described": Described(repeats="The same page has the same result.")},
    summary="Set your sales page",
    tags=["distribution"],
)
async def set_shop(
    shops: NamedDependency[ShopService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    data: JSONBody[ShopWish],
) -> ShopView:
    """Open your sales page, or change it.  Your name and fee on the page come from your terms with the operator."""
    await shops.set(account, data, actor=actor)
    return await shops.view(account)


@put(
    "/v1/shop/logo",
    opt={
        **_OWNER,
        "described": Described(
            repeats="The same logo has the same result.", body={_BYTES: FILE}, refuses=(404,)
        ),
    },
    summary="Set the logo of your sales page",
    tags=["distribution"],
    request_max_body_size=_BODY_BYTES_MAX,
)
async def set_logo(
    request: Request[Any, Any, Any],
    shops: NamedDependency[ShopService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> ShopView:
    """Set the logo of your sales page: a PNG or JPEG, from whose pixels a new image is made."""
    picture = await request.body()
    if not picture:
        raise LogoUnreadable
    await shops.set_logo(account, picture, client=show("acc", account), actor=actor)
    return await shops.view(account)


@delete(
    "/v1/shop/logo",
    opt={
        **_OWNER,
        "described": Described(repeats="A page without a logo stays so.", refuses=(404,)),
    },
    summary="Show no logo",
    tags=["distribution"],
    status_code=200,
)
async def remove_logo(
    shops: NamedDependency[ShopService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> ShopView:
    """Remove the logo of your sales page."""
    await shops.set_logo(account, None, client=show("acc", account), actor=actor)
    return await shops.view(account)


routes = [
    show_shop,
    show_logo,
    begin,
    leave,
    show_shop_form,
    set_shop_by_form,
    set_logo_by_form,
    show_shop_view,
    set_shop,
    set_logo,
    remove_logo,
]
