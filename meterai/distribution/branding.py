"""Sales page of a distributor: its name in the URL (slug), its colour, its logo, and the seller's own terms.

Staff decide whether the distributor sells, under which name and with which fee (`levers`). The distributor decides the
content of the page.
"""

import hashlib
import re
from datetime import datetime
from math import floor
from uuid import UUID

import msgspec

from meterai import sealing, trail
from meterai.distribution import store
from meterai.distribution.model import DistributorFeeTooHigh, SellerNotOpen, Shop
from meterai.distribution.settings import DistributionSettings
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.orders import SoldBy
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.sealing import LOGO_BYTES_MAX, PhotoUnreadable

SLUG = re.compile(r"[a-z0-9](-?[a-z0-9]){2,39}")
COLOUR = re.compile(r"#[0-9a-f]{6}")
TERMS_LENGTH_MAX = 4_000  # characters
# Slugs that no sales page may have, without their hyphens: names of the operator and of the state, and the first parts
# of our paths.
RESERVED = frozenset(
    [
        "admin",
        "administrator",
        "bantuan",
        "bkn",
        "djp",
        "djponline",
        "emeterai",
        "kemenkeu",
        "meterai",
        "official",
        "pajak",
        "peruri",
        "resmi",
        "sscasn",
        "support",
        "www",
        "account",
        "api",
        "batches",
        "buy",
        "check",
        "claims",
        "collector",
        "complaints",
        "console",
        "deposit",
        "docs",
        "finance",
        "healthz",
        "help",
        "history",
        "invitations",
        "language",
        "lines",
        "logo",
        "midtrans",
        "openapi",
        "orders",
        "outages",
        "privacy",
        "readyz",
        "refunds",
        "regulator",
        "resellers",
        "sales",
        "shop",
        "signin",
        "signout",
        "snap",
        "stamp",
        "stampings",
        "static",
        "status",
        "terms",
    ]
)
NAMES_MAX = 5  # slugs of one distributor in total; old slugs are in print and stay reserved
CONTRAST_MIN = 4.5  # ratio of white text to the colour: WCAG 2.2, 1.4.3 (AA)
COLOUR_AT_FIRST = "#1f4e79"
_LOGOS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")  # first bytes of a PNG and a JPEG


class SlugTaken(Refusal):
    """Another distributor has, or had, this slug for its sales page."""

    code = "slug_taken"
    status = 409


class SlugReserved(Refusal):
    """A sales page with this slug could be mistaken for the operator, the state, or one of our pages."""

    code = "slug_reserved"
    status = 422


class SlugsSpent(Refusal):
    """The distributor has used the maximum number of slugs."""

    code = "slugs_spent"
    status = 409
    quota = ("shop_names", "names_max")

    def __init__(self, *, names_max: int) -> None:
        super().__init__(f"{names_max} names of a shop")
        self.names_max = names_max


class ContrastTooLow(Refusal):
    """White text on this colour has too low a contrast to be readable for everybody."""

    code = "contrast_too_low"
    status = 422

    def __init__(self, *, contrast: float) -> None:
        super().__init__(f"a contrast of {contrast:.2f} to 1, at least {CONTRAST_MIN} is needed")
        self.contrast = f"{floor(contrast * 10) / 10:.1f}"  # rounded down, since a rounded-up value could equal the bound
        self.contrast_min = str(CONTRAST_MIN)


class LogoUnreadable(Refusal):
    """The file is not a PNG or JPEG, cannot be drawn, or is too large."""

    code = "logo_unreadable"
    status = 422

    def __init__(self) -> None:
        super().__init__("the logo is not a readable PNG or JPEG")
        self.kilobytes_max = LOGO_BYTES_MAX // 1024


class ShopView(msgspec.Struct, frozen=True, kw_only=True):
    """A sales page: its address, its content, and the state of its distributor.  `fee` in whole rupiah for each stamp."""

    slug: str
    url: str
    colour: str
    terms: str
    has_logo: bool
    name: str
    fee: int
    state: str
    set_at: datetime


class ShopWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of a sales page: `slug` ends its address (`/s/SLUG`), `colour` (#rrggbb) is the background of white text."""

    slug: str
    colour: str = COLOUR_AT_FIRST
    terms: str = ""


def contrast_with_white(colour: str) -> float:
    """Return the contrast ratio of white to a colour (`#rrggbb`) by WCAG 2.2, from 1 to 21."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in (red, green, blue)
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def _checked(wish: ShopWish) -> ShopWish:
    """Check the content of a sales page, and return it in its stored form.

    Refuses `Malformed`, `SlugReserved`, `ContrastTooLow`.
    """
    slug, colour = wish.slug.strip().lower(), wish.colour.strip().lower()
    if not SLUG.fullmatch(slug) or len(slug) > 40:
        raise Malformed("slug", "slug")
    if slug.replace("-", "") in RESERVED:
        raise SlugReserved(f"{slug} is reserved and cannot name a shop")
    if not COLOUR.fullmatch(colour):
        raise Malformed("colour", "colour")
    terms = wish.terms.replace("\r\n", "\n").strip()
    if len(terms) > TERMS_LENGTH_MAX or not all(line.isprintable() for line in terms.split("\n")):
        raise Malformed("terms", "shown_text", length_max=TERMS_LENGTH_MAX)
    if (found := contrast_with_white(colour)) < CONTRAST_MIN:
        raise ContrastTooLow(contrast=found)
    return ShopWish(slug, colour, terms)


class ShopService:
    """Finds the sales pages of distributors, and sets their content and logo."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._own = settings.of(DistributionSettings)
        self._url = settings.process.url
        self._clock = clock
        self._pool = sealing.Pool(processes=1)
        self._slots = sealing.Slots(1)

    async def by_slug(self, slug: str) -> Shop:
        """Return the sales page that has, or had, this slug. Refuses `NotFound`."""
        found = None
        if SLUG.fullmatch(slug):
            found = await self._database.once(store.shop_named, slug)
        if found is None:
            raise NotFound("no shop of this name")
        return found

    async def seller(self, by: str | UUID) -> SoldBy:
        """Return the seller of a sales page, named by the page's slug or the seller's account, if the seller may sell.

        Refuses `NotFound`, `SellerNotOpen`, `DistributorFeeTooHigh`.
        """
        found = await (self.by_slug(by) if isinstance(by, str) else self.of(by))
        if found is None:
            raise NotFound("this account has no shop")
        if not found.is_open:
            raise SellerNotOpen(state=found.state)
        if found.fee > self._own.distribution_fee_rupiah_max:
            raise DistributorFeeTooHigh(
                fee=found.fee, fee_max=self._own.distribution_fee_rupiah_max
            )
        return SoldBy(found.slug, found.account, found.name, found.fee)

    async def of(self, account: UUID) -> Shop | None:
        """Return the sales page of a distributor; None if the account has no sales page."""
        return await self._database.once(store.shop_of, account)

    async def view(self, account: UUID) -> ShopView:
        """Return the sales page of a distributor in the form of the API. Refuses `NotFound`."""
        found = await self.of(account)
        if found is None:
            raise NotFound("this account has no shop")
        return ShopView(
            slug=found.slug,
            url=f"{self._url}/s/{found.slug}",
            colour=found.colour,
            terms=found.terms,
            has_logo=found.logo_hash is not None,
            name=found.name,
            fee=found.fee,
            state=found.state,
            set_at=found.set_at,
        )

    async def set(self, account: UUID, wish: ShopWish, *, actor: Actor) -> None:
        """Open a sales page, or change it.

        Refuses `Malformed`, `SlugReserved`, `ContrastTooLow`, `SlugTaken`, `SlugsSpent`, `SellerNotOpen`.
        """
        kept, at = _checked(wish), self._clock.now()

        async def change(tx: Tx) -> None:
            arguments = (account, kept.slug, kept.colour, kept.terms, at, NAMES_MAX)
            outcome = await store.set_shop(tx, *arguments)
            if outcome == "taken":
                raise SlugTaken("another shop has or had this name")
            if outcome == "spent":
                raise SlugsSpent(names_max=NAMES_MAX)
            await _record(tx, account, actor, "shop_changed", slug=kept.slug)

        await self._database.run(change)

    async def set_logo(
        self, account: UUID, picture: bytes | None, *, client: str, actor: Actor
    ) -> None:
        """Set the logo of a sales page, as a new image of the picture's pixels; None removes the logo.

        Refuses `LogoUnreadable`, `ExaminationBusy`, and `NotFound` if no sales page exists.
        """
        drawn = await self._draw_logo(picture, client) if picture is not None else None
        name = hashlib.sha256(drawn).hexdigest() if drawn else None
        at = self._clock.now()

        async def change(tx: Tx) -> None:
            if not await store.set_logo(tx, account, drawn, name, at):
                raise NotFound("this account has no shop")
            await _record(tx, account, actor, "shop_logo_changed", sha256=name or "")

        await self._database.run(change)

    async def _draw_logo(self, picture: bytes, client: str) -> bytes:
        if not 0 < len(picture) <= LOGO_BYTES_MAX or not picture.startswith(_LOGOS):
            raise LogoUnreadable
        try:
            return await self._pool.finish(sealing.drawing_logo(picture), client, self._slots)
        except PhotoUnreadable:
            raise LogoUnreadable from None

    async def logo(self, slug: str, name: str) -> bytes:
        """Return the logo of a sales page as WebP; `name` is the SHA-256 of the logo, in hex. Refuses `NotFound`."""
        shop = await self.by_slug(slug)
        found = await self._database.once(store.logo, shop.account, name)
        if found is None:
            raise NotFound("no such logo of this shop")
        return found


async def _record(tx: Tx, account: UUID, actor: Actor, action: str, /, **facts: object) -> None:
    subject = show("acc", account)
    await trail.record(tx, account, actor=actor, action=action, subject=subject, **facts)
