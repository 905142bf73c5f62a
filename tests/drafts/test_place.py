"""Placing stamps on the page: the sealed stamp is where it was placed, by every way of placing."""

import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from meterai.drafts import DraftService, Uploads
from meterai.drafts.visitors import COOKIE
from meterai.kit.ids import show
from meterai.kit.serial import SerialMaker
from meterai.room import Container
from meterai.sealing import Issuer, Placement, Stamp, development_issuer, seal
from tests.support.browser import WAIT_MS, WITH_SCRIPTS
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, Reply
from tests.support.pdf import pdf

PHONE = ViewportSize(width=360, height=740)
POINTS_OFF_MAX = 0.5
DETAIL = 4  # pixels a point, of the pages that are compared
MM = 72 / 25.4
SHAPES: dict[str, dict[str, object]] = {
    "plain": {},
    "rotated": {"Rotate": 90},
    "upside_down": {"Rotate": 180},
    "rotated_cropped": {"Rotate": 270, "CropBox": [40, 60, 500, 800]},
    "cropped": {"CropBox": [40, 60, 500, 800]},
    "a5": {"MediaBox": [0, 0, 419.53, 595.28]},
    "f4_landscape": {"MediaBox": [0, 0, 935.43, 609.45]},
    "moved": {"MediaBox": [-100, -200, 495, 642]},
}
Box = tuple[float, float, float, float]  # left, top, right, bottom; points from the top left


def shaped(entries: dict[str, object], lines: int = 0) -> bytes:
    """One page of this shape, with `lines` lines of words."""
    with pikepdf.open(io.BytesIO(pdf())) as document:
        text = b"BT /F1 11 Tf 12 TL 0 842 Td " + lines * (b"(%s) ' " % (b"kata " * 30)) + b"ET"
        document.pages[0].contents_add(document.make_stream(text))
        for name, value in entries.items():
            document.pages[0].obj[f"/{name}"] = (
                pikepdf.Array(value) if isinstance(value, list) else value
            )
        out = io.BytesIO()
        document.save(out)
    return out.getvalue()


@dataclass
class Draft:
    """Files of a visitor, with the token that finds them."""

    token: str
    files: list[UUID]
    inside: Inside

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.token}"}

    def address(self, number: int = 0) -> str:
        return f"/stamp/place?file={show('fil', self.files[number])}"

    def placed(self, number: int = 0) -> list[Placement]:
        """Stored placements of a file."""
        rows = self.inside.rows(
            "SELECT placements FROM draft_files WHERE file_id = %s", self.files[number]
        )
        return [Placement(**one) for one in rows[0]["placements"]]

    def get(self, path: str) -> Reply:
        return Client(self.inside.instance.url).get(path, headers=self.cookie)

    def sends(self, number: int = 0, **fields: object) -> Reply:
        """Send the form as a browser without scripts does."""
        shown = self.get(self.address(number)).body.decode()
        values = dict(re.findall(r'<input [^>]*name="([\w-]+)" value="([^"]*)"', shown))
        values |= {name.replace("_", "-", 1): str(value) for name, value in fields.items()}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return Client(self.inside.instance.url).post(
            "/stamp/place", urlencode(values).encode(), headers=self.cookie | kind
        )


@pytest.fixture(scope="module")
def inside(instance: Instance) -> Iterator[Inside]:
    yield Inside(instance)
    instance.assert_audit_holds()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return development_issuer(tmp_path_factory.mktemp("issuer") / "p256", at=datetime.now(UTC))


def drafted(inside: Inside, *documents: bytes) -> Draft:
    """A draft with these files."""

    async def make(container: Container) -> Draft:
        draft, token = container.of(DraftService).fresh(None, "127.0.0.1")
        begins, files = token, []
        for number, one in enumerate(documents, start=1):
            # Each file has bytes of its own, since a repeated file is placed and ordered once.
            content = one + b"\n" * number
            added = await container.of(Uploads).add_whole(
                draft, f"surat-{number}.pdf", content, token=begins
            )
            begins = ""
            assert added.is_usable, added.refusal
            files.append(added.id)
        return Draft(token, files, inside)

    # In a thread of its own: the browser's loop runs in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(inside.ask, make).result()


class Seat:
    """A visitor on the page."""

    def __init__(self, browser: Browser, draft: Draft, *, scripts: bool = True) -> None:
        self.draft = draft
        self.url = draft.inside.instance.url
        self.context = browser.new_context(
            viewport=PHONE, java_script_enabled=scripts, locale="id-ID", has_touch=True
        )
        self.context.set_default_timeout(WAIT_MS)
        self.context.add_cookies([{"name": COOKIE, "value": draft.token, "url": self.url}])
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.scripts = scripts

    def opens(self, number: int = 0) -> None:
        self.page.goto(self.url + self.draft.address(number))
        expect(self.picture).to_be_visible()
        self.page.wait_for_function(
            "() => [...document.images].every((one) => one.complete || one.loading === 'lazy')"
        )

    @property
    def picture(self) -> Locator:
        return self.page.locator(".paper > img" if self.scripts else ".paper > input")

    @property
    def stamp(self) -> Locator:
        return self.page.locator(".handle" if self.scripts else ".paper image").first

    def presses(self, name: str) -> None:
        with self.page.expect_navigation(wait_until="commit"):
            self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_load_state()

    def sees(self, width: float, height: float) -> Box:
        """Box of the displayed stamp on a page of this size."""
        sheet, stamp = self.picture.bounding_box(), self.stamp.bounding_box()
        assert sheet is not None
        assert stamp is not None
        across, down = width / sheet["width"], height / sheet["height"]
        left, top = (stamp["x"] - sheet["x"]) * across, (stamp["y"] - sheet["y"]) * down
        return left, top, left + stamp["width"] * across, top + stamp["height"] * down


def rendered(document: bytes) -> tuple[Image.Image, float, float]:
    """The first page as PDFium draws it, and its size in points."""
    opened = pypdfium2.PdfDocument(document)
    opened.init_forms()
    page = opened[0]
    width, height = page.get_size()
    picture: Image.Image = page.render(scale=DETAIL, may_draw_forms=True).to_pil()
    return picture.convert("L"), width, height


def sealed_at(document: bytes, placement: Placement, issuer: Issuer) -> Box:
    """Box of the stamp in the sealed file, measured by pixels alone."""
    stamp = Stamp(SerialMaker(7).make(), placement)
    delta = seal(
        document,
        [stamp],
        issuer,
        at=datetime.now(UTC),
        check_url="https://meterai.example/c/",
        specimen=True,
    )
    return changed_between(document, document + delta.data)


def changed_between(document: bytes, stamped: bytes) -> Box:
    """Box of the pixels that differ."""
    (before, _, _), (after, width, height) = rendered(document), rendered(stamped)
    away = ImageChops.difference(before, after)
    found = away.point([255 if level > 8 else 0 for level in range(256)]).getbbox()
    assert found is not None
    # The page is stretched over whole pixels.
    across, down = width / after.width, height / after.height
    left, top, right, bottom = found
    return left * across, top * down, right * across, bottom * down


def by_tap(seat: Seat) -> None:
    sheet = seat.picture.bounding_box()
    assert sheet is not None
    seat.picture.click(position={"x": sheet["width"] * 0.31, "y": sheet["height"] * 0.62})


def by_drag(seat: Seat) -> None:
    box = seat.stamp.bounding_box()
    assert box is not None
    seat.stamp.hover()
    seat.page.mouse.down()
    seat.page.mouse.move(box["x"] - 37, box["y"] - 61, steps=5)
    seat.page.mouse.up()


def by_keys(seat: Seat) -> None:
    seat.stamp.focus()
    for key in ("ArrowLeft", "Shift+ArrowLeft", "ArrowUp", "Shift+ArrowUp", "ArrowUp"):
        seat.page.keyboard.press(key)


def by_numbers(seat: Seat) -> None:
    seat.page.locator("main summary").click()
    for label, typed in (("Dari kiri", "33,4"), ("Dari atas", "51"), ("Lebar", "35,5")):
        seat.page.get_by_label(label).fill(typed)
    if not seat.scripts:
        seat.presses("Lihat letaknya")


def by_nothing(_: Seat) -> None:
    """Accept the suggested place without a change."""


WAYS = [
    (by_tap, True),
    (by_drag, True),
    (by_keys, True),
    (by_numbers, True),
    (by_nothing, True),
    (by_tap, False),
    (by_numbers, False),
]


@pytest.mark.sample(1)
@pytest.mark.parametrize("shape", SHAPES)
def test_placed_stamp_is_sealed_where_it_was_shown(chromium, inside, issuer, shape):
    document = shaped(SHAPES[shape])
    _, width, height = rendered(document)
    draft = drafted(inside, *[document] * len(WAYS))
    seats = {scripts: Seat(chromium, draft, scripts=scripts) for scripts in (True, False)}
    for number, (way, scripts) in enumerate(WAYS):
        seat = seats[scripts]
        seat.opens(number)
        first = seat.sees(width, height)
        if way is by_tap and not scripts:
            with seat.page.expect_navigation():
                way(seat)
        else:
            way(seat)
        seen = seat.sees(width, height)
        assert (seen != pytest.approx(first, abs=1)) == (way is not by_nothing)
        seat.presses("Pakai tempat ini")
        (placed,) = draft.placed(number)
        expected = (placed.x, height - placed.y - placed.height)
        assert seen[:2] == pytest.approx(expected, abs=POINTS_OFF_MAX), way.__name__
        sealed = sealed_at(document, placed, issuer)
        assert seen == pytest.approx(sealed, abs=POINTS_OFF_MAX), way.__name__
        assert not seat.complaints
    for one in seats.values():
        one.context.close()


def test_tap_centres_stamp_with_and_without_script(chromium, inside):
    for scripts in (True, False):
        draft = drafted(inside, pdf())
        seat = Seat(chromium, draft, scripts=scripts)
        seat.opens()
        sheet = seat.picture.bounding_box()
        assert sheet is not None
        by_tap(seat)
        if scripts:
            seat.presses("Pakai tempat ini")
        else:
            seat.page.wait_for_url("**stamp=1")
        (placed,) = draft.placed()
        a_pixel = 595 / sheet["width"]
        assert placed.x + placed.width / 2 == pytest.approx(595 * 0.31, abs=a_pixel)
        assert placed.y + placed.height / 2 == pytest.approx(842 * 0.38, abs=a_pixel)
        seat.context.close()


def test_stamps_are_added_warned_about_and_removed(chromium, inside):
    draft = drafted(inside, pdf(pages=2))
    seat = Seat(chromium, draft)
    seat.opens()
    seat.presses("Tambah satu meterai")
    assert len(draft.placed()) == 2
    expect(seat.page.locator(".handle")).to_have_count(2)
    expect(seat.page.locator(".warnings p")).to_have_count(0)
    first, second = (seat.page.locator(".handle").nth(number).bounding_box() for number in (0, 1))
    assert first is not None
    assert second is not None
    seat.page.locator(".handle").nth(1).hover()
    seat.page.mouse.down()
    seat.page.mouse.move(first["x"] + second["width"] / 2, first["y"] + second["height"] / 2)
    seat.page.mouse.up()
    expect(seat.page.locator(".warnings p")).to_contain_text("bertumpuk")
    seat.presses("Pakai tempat ini")
    expect(seat.page.get_by_role("alert")).to_be_visible()  # and nothing was stored
    seat.opens()
    seat.page.locator("main summary").click()
    seat.presses("Hapus meterai 2")
    assert len(draft.placed()) == 1
    # The corner has no ink, while the words at the top have.
    seat.stamp.focus()
    for _ in range(30):
        seat.page.keyboard.press("Shift+ArrowDown")
        seat.page.keyboard.press("Shift+ArrowRight")
    expect(seat.page.locator(".where")).to_contain_text("185,2 mm dari kiri")
    expect(seat.page.locator(".warnings p")).to_have_count(0)
    seat.picture.click(position={"x": 60, "y": 40})
    expect(seat.page.locator(".warnings p")).to_contain_text("menutupi tulisan")
    seat.context.close()


def undrawn() -> bytes:
    """One undrawable page: its crop box is outside its media box."""
    return shaped({"CropBox": [1000, 1000, 1200, 1200]})


@pytest.mark.parametrize("scripts", WITH_SCRIPTS)
def test_unseen_place_is_used_only_after_warning(chromium, inside, scripts):
    draft = drafted(inside, undrawn())
    seat = Seat(chromium, draft, scripts=scripts)
    seat.page.goto(seat.url + draft.address())
    bar = seat.page.locator(".use")
    expect(seat.page.locator(".note")).to_contain_text("tidak dapat kami gambar")
    expect(bar).to_contain_text("Anda belum melihat letak meterai")
    expect(bar).to_contain_text(re.compile(r"Meterai 1: halaman 1, [\d,]+ mm dari kiri"))
    expect(seat.page.get_by_role("button", name="Pakai tempat ini")).to_have_count(0)
    seat.presses("Pakai tanpa melihat")
    assert urlsplit(seat.page.url).path == "/stamp/pay"
    seat.context.close()


# -- checks of the server, for any form


def with_slips(pages: int, *slips: int) -> bytes:
    """A letter of which these pages, from 1, are smaller than a stamp."""
    with pikepdf.open(io.BytesIO(pdf(pages=pages))) as document:
        for number in slips:
            document.pages[number - 1].obj["/MediaBox"] = pikepdf.Array([0, 0, 50, 50])
        out = io.BytesIO()
        document.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("pages", "slips", "page"), [(2, (2,), 1), (3, (3,), 2), (3, (1, 3), 2), (3, (1,), 3)]
)
def test_letter_with_slip_is_stamped_on_letter(inside, pages, slips, page):
    draft = drafted(inside, with_slips(pages, *slips))
    assert f'data-page="{page}"' in draft.get(draft.address()).body.decode()
    for slip in slips:
        assert draft.sends(do=f"page:{slip}").status == 422
    assert draft.sends(do="use").headers["location"] == "/stamp/pay"
    (placed,) = draft.placed()
    assert placed.page == page


def test_second_tab_overwrites_no_unseen_stamp(inside):
    draft = drafted(inside, pdf())
    assert draft.sends(do="use", version=0).status == 303
    (first,) = draft.placed()
    reply = draft.sends(do="use", version=0, x_1="20", y_1="30")
    assert reply.status == 409
    assert draft.placed() == [first]
    page = reply.body.decode()
    assert 'value="20"' in page
    assert "Yang tersimpan dari tab lain" in page
    assert 'name="version" value="1"' in page
    assert draft.sends(do="save", version=1, x_1="20", y_1="30").status == 303
    assert draft.placed()[0].x == pytest.approx(20 * MM)


def test_removed_file_leads_to_remaining_files(inside):
    draft = drafted(inside, pdf(), pdf())
    shown = draft.get(draft.address(0)).body.decode()
    values = dict(re.findall(r'<input [^>]*name="([\w-]+)" value="([^"]*)"', shown))
    form = {"Content-Type": "application/x-www-form-urlencoded"} | draft.cookie
    for number, left in ((0, 1), (1, 0)):
        out = f"/stamp/files/{show('fil', draft.files[number])}/take-out"
        client = Client(inside.instance.url)
        assert client.post(out, b"", headers=form).status == 303
        sent = client.post("/stamp/place", urlencode(values | {"do": "use"}).encode(), headers=form)
        for reply in (sent, draft.get(draft.address(0))):
            assert reply.status == 303
            there = draft.get(reply.headers["location"])
            if left:
                assert "surat-2.pdf" in there.body.decode()
                assert "tidak ada lagi di daftar" in there.body.decode()
            else:
                assert "/stamp" in (reply.headers["location"], there.headers.get("location"))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"x_1": "900"}, "x-1"),
        ({"x_1": "<script>"}, "x-1"),
        ({"y_1": ""}, "y-1"),
        ({"width_1": "2"}, "width-1"),
        ({"page_1": "2"}, "page-1"),
        ({"do": "page:7"}, "to_page"),
    ],
)
def test_invalid_value_is_reported_at_its_field_and_kept_as_typed(inside, fields, field):
    draft = drafted(inside, pdf())
    reply = draft.sends(**{"do": "use", **fields})
    assert reply.status == 422
    page = reply.body.decode()
    assert f'href="#{field}"' in page
    assert "<script>" not in page.replace('<script type="module"', "")
    assert draft.placed() == []


def test_stamp_without_room_is_refused_and_changes_nothing(inside):
    draft = drafted(inside, shaped({"MediaBox": [0, 0, 100, 120]}))
    assert draft.sends(do="save").status == 303
    reply = draft.sends(do="add")
    page = reply.body.decode()
    assert reply.status == 422
    assert "tidak muat satu meterai lagi" in page
    assert 'href="#add"' in page
    assert 'id="add"' in page
    assert len(draft.placed()) == 1


def test_picture_is_shown_to_its_visitor_alone(inside):
    draft, other = drafted(inside, pdf()), drafted(inside, pdf())
    path = f"/stamp/files/{show('fil', draft.files[0])}/pages/1.webp"
    found = draft.get(path)
    assert found.status == 200
    assert found.headers["content-type"] == "image/webp"
    assert found.headers["cache-control"] == "private, no-cache"
    assert len(found.body) < 60 * 1024
    kept = {"If-None-Match": found.headers["etag"]}
    again = Client(inside.instance.url).get(path, headers=draft.cookie | kept)
    assert (again.status, again.body) == (304, b"")
    for stranger in (other.cookie, {}):
        assert Client(inside.instance.url).get(path, headers=stranger | kept).status == 404
    small = Client(inside.instance.url).get(f"{path}?width=120", headers=draft.cookie | kept)
    assert small.status == 200
    assert len(draft.get(f"{path}?width=120").body) < len(found.body)
    assert other.get(path).status == 404
    assert Client(inside.instance.url).get(path).status == 404
    for name in ("2.webp", "0.webp", "1.png", "x.webp", "-1.webp", "1.webp.webp"):
        assert draft.get(path.replace("1.webp", name)).status in (404, 422), name


def test_form_of_another_site_is_refused(inside):
    draft = drafted(inside, pdf())
    reply = Client(inside.instance.url).post(
        "/stamp/place",
        f"file={show('fil', draft.files[0])}&do=use".encode(),
        headers=draft.cookie
        | {"Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert reply.status == 403
    assert draft.placed() == []
