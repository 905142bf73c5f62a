"""Sales page: names that belong permanently to one shop, colours with enough contrast, redrawn logos."""

import io
import secrets
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from meterai.distribution.branding import (
    CONTRAST_MIN,
    ContrastTooLow,
    LogoUnreadable,
    ShopService,
    ShopWish,
    SlugTaken,
)
from meterai.distribution.model import SellerNotOpen
from meterai.kit.ids import new_id
from meterai.kit.refusal import Malformed, NotFound
from meterai.sealing import LOGO_BYTES_MAX
from tests.distribution.conftest import Depot
from tests.support.shop import TESTER


@pytest.fixture
def shops(depot: Depot) -> ShopService:
    depot.top_up(100_000)
    return depot.shop.container.of(ShopService)


def put(depot: Depot, shops: ShopService, slug: str, **more: str) -> None:
    depot.shop.do(shops.set(depot.account, ShopWish(slug, **more), actor=TESTER))


def logo(depot: Depot, shops: ShopService, picture: bytes | None) -> None:
    depot.shop.do(shops.set_logo(depot.account, picture, client="acc", actor=TESTER))


def written(kind: str, size: tuple[int, int] = (300, 100), **more: object) -> bytes:
    out = io.BytesIO()
    mode = "RGBA" if kind == "PNG" else "RGB"
    Image.new(mode, size, (10, 20, 200, 128)[: len(mode)]).save(out, kind, **more)
    return out.getvalue()


def test_colour_with_low_contrast_to_white_is_refused(depot: Depot, shops: ShopService) -> None:
    put(depot, shops, "toko", colour="#767676")
    with pytest.raises(ContrastTooLow) as refused:
        put(depot, shops, "toko", colour="#777777")
    assert refused.value.facts()["contrast_min"] == str(CONTRAST_MIN)


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "ab",
        "a" * 41,
        "-toko",
        "toko-",
        "to--ko",
        "toko ku",
        "tokó",
        "toko/ku",
        "toko.css",
        "to\nko",
    ],
)
def test_invalid_slug_is_refused(depot: Depot, shops: ShopService, slug: str) -> None:
    with pytest.raises(Malformed):
        put(depot, shops, slug)


@pytest.mark.parametrize("terms", ["x" * 4_001, "a\x00b", "a\u202eb"])
def test_terms_are_plain_text_of_limited_length(
    depot: Depot, shops: ShopService, terms: str
) -> None:
    with pytest.raises(Malformed):
        put(depot, shops, "toko", terms=terms)


def test_name_belongs_to_one_shop_permanently_and_redirects_to_it(
    depot: Depot, shops: ShopService
) -> None:
    put(depot, shops, "toko-lama")
    put(depot, shops, "toko-baru")
    assert depot.shop.do(shops.by_slug("toko-lama")).slug == "toko-baru"
    other = Depot(depot.shop)
    other.approve()
    with pytest.raises(SlugTaken):
        put(other, shops, "toko-lama")
    depot.check()


def test_account_that_is_no_open_distributor_cannot_set_a_shop(
    depot: Depot, shops: ShopService
) -> None:
    with pytest.raises(SellerNotOpen):
        depot.shop.do(shops.set(new_id(), ShopWish("toko"), actor=TESTER))
    depot.close()
    with pytest.raises(SellerNotOpen):
        put(depot, shops, "toko")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_logo_is_redrawn_and_named_by_its_hash(depot: Depot, shops: ShopService, kind: str) -> None:
    put(depot, shops, "toko")
    logo(depot, shops, written(kind, (3_000, 1_000)))
    shop = depot.shop.do(shops.by_slug("toko"))
    assert shop.logo_hash
    drawn = depot.shop.do(shops.logo("toko", shop.logo_hash))
    with Image.open(io.BytesIO(drawn)) as opened:
        assert (opened.format, opened.size, opened.mode) == ("WEBP", (480, 160), "RGB")
    with pytest.raises(NotFound):
        depot.shop.do(shops.logo("toko", "0" * 64))
    logo(depot, shops, None)
    with pytest.raises(NotFound):
        depot.shop.do(shops.logo("toko", shop.logo_hash))


def test_only_pixels_of_logo_file_are_kept(depot: Depot, shops: ShopService) -> None:
    secret = secrets.token_hex(16)
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", f"<script>{secret}</script>")
    put(depot, shops, "toko")
    logo(depot, shops, written("PNG", pnginfo=told) + secret.encode())
    shop = depot.shop.do(shops.by_slug("toko"))
    assert secret.encode() not in depot.shop.do(shops.logo("toko", shop.logo_hash or ""))


def _bomb() -> bytes:
    """A PNG that declares 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


HOSTILE = {
    "nothing": b"",
    "an SVG with a script": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "a page": b"<html><script>alert(1)</script>",
    "a GIF": b"GIF89a" + bytes(100),
    "a WebP": written("WEBP"),
    "a PNG without its end": written("PNG")[:60],
    "a head and no picture": b"\x89PNG\r\n\x1a\n" + bytes(1_000),
    "a JPEG of noise": b"\xff\xd8\xff" + secrets.token_bytes(10_000),
    "a bomb": _bomb(),
    "too many pixels": written("PNG", (2_001, 2_000)),
    "too many bytes": b"\x89PNG\r\n\x1a\n" + bytes(LOGO_BYTES_MAX),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_logo_is_refused_and_the_current_one_stays(
    depot: Depot, shops: ShopService, what: str
) -> None:
    put(depot, shops, "toko")
    logo(depot, shops, written("PNG"))
    before = depot.shop.do(shops.by_slug("toko")).logo_hash
    with pytest.raises(LogoUnreadable):
        logo(depot, shops, HOSTILE[what])
    assert depot.shop.do(shops.by_slug("toko")).logo_hash == before
