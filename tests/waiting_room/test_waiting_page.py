"""The waiting page in a real browser, and places while processes are killed."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import randrange
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from meterai.waiting_room.estimate import look_again
from tests.support.browser import WAIT_MS
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, Reply, until

pytestmark = pytest.mark.sample(1, of="file")

SMALL = ViewportSize(width=360, height=740)
LINE = "/lines/buying"
AHEAD = 10  # places ahead; a slow line calls at most one before the page is loaded
# Longest interval of a page while the flow is unknown.
LOOKS_AGAIN_MS = 1000 * look_again(1, 0.0, 1.0) + WAIT_MS
LONG = 300_000  # milliseconds: longer than any interval of a page


@pytest.fixture(scope="module")
def rush(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance with a line before buying in which some visitors wait."""
    with Instance(tmp_path_factory.mktemp("rush"), METERAI_PROXIES="1") as instance:
        operator(instance, "stand", "buying", "always")
        slow(instance)
        until(
            "the line stands",
            lambda: Client(instance.url).get("/v1" + LINE).json["stands_in_the_way"],
        )
        for _ in range(40):
            assert takes_a_place(instance.url).status == 200
        yield instance
        instance.assert_audit_holds()


def operator(instance: Instance, *words: str) -> None:
    done = instance.command("line", *words)
    assert done.returncode == 0, done.stderr


def slow(instance: Instance) -> None:
    operator(instance, "rate", "buying", "--rate", "0.05")


def quick(instance: Instance) -> None:
    operator(instance, "rate", "buying", "--rate", "200")


def call_one(instance: Instance) -> None:
    """Call exactly one: between two commands of an operator a busy machine would call all."""
    with Inside(instance).connect() as owner:
        owner.execute("UPDATE waiting_room_lines SET serving = serving + 1 WHERE name = 'buying'")


def nobody_waits(instance: Instance) -> bool:
    line = Client(instance.url).get(f"/v1{LINE}").json
    return bool(line["serving"] == line["last"])


def from_elsewhere() -> dict[str, str]:
    """Return the header of a proxy with a network of its own."""
    return {"X-Forwarded-For": f"10.{randrange(256)}.{randrange(256)}.1"}


def takes_a_place(url: str) -> Reply:
    return Client(url).post(f"{LINE}/place", headers=from_elsewhere())


class Reader:
    """A visitor with a small phone."""

    def __init__(
        self, chromium: Browser, instance: Instance, *, scripts: bool, dark: bool = False,
        language: str = "id",
    ) -> None:  # fmt: skip
        self.context = chromium.new_context(
            viewport=SMALL,
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            locale=f"{language}-ID" if language == "id" else "en-GB",
            extra_http_headers=from_elsewhere(),
        )
        self.context.set_default_timeout(WAIT_MS)
        self.page: Page = self.context.new_page()
        self.url = instance.url
        self.complaints: list[str] = []
        self.looks: list[str] = []
        self.answers: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._count(self.looks, request.url))
        self.page.on("response", lambda response: self._count(self.answers, response.url))

    @staticmethod
    def _count(seen: list[str], url: str) -> None:
        if url.endswith("now-serving.json"):
            seen.append(url)

    def looks_again(self) -> None:
        """Advance the page's clock until one more request was answered, which sets its next interval."""
        before = len(self.answers)

        def is_answered() -> bool:
            self.page.clock.run_for(LONG)
            return len(self.answers) > before

        until("it looks again", is_answered)

    def shows(self, place: str, text: str) -> bool:
        """Return whether the place has the text after one more answer.

        An answer of before may still be on its way, so one look alone proves nothing.
        """
        self.looks_again()
        return (self.page.locator(place).text_content() or "").split() == text.split()

    def waits(self) -> None:
        """Open the page with some places ahead, also after a test that let everybody in."""
        for _ in range(AHEAD):
            assert takes_a_place(self.url).status == 200
        self.page.goto(f"{self.url}/buy")
        self.page.wait_for_url(f"**{LINE}?next=%2Fbuy")

    def has_a_clock_that_stands(self) -> None:
        """Stop the page's clock, so that it advances only on request of the test and not while the machine is busy."""
        self.page.clock.install()
        self.page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))

    @property
    def number(self) -> int:
        return int(self.page.locator("#place").get_attribute("data-number") or 0)

    @property
    def ahead(self) -> int:
        text = self.page.locator("[data-ahead]").text_content() or ""
        return int(re.sub(r"\D", "", text))


@pytest.fixture
def reader(chromium: Browser, rush: Instance, request: pytest.FixtureRequest) -> Iterator[Reader]:
    one = Reader(chromium, rush, **{"scripts": True, **getattr(request, "param", {})})
    yield one
    one.context.close()
    assert one.complaints == []


@pytest.fixture
def hurried(rush: Instance) -> Iterator[Instance]:
    """The instance with a fast line; afterwards it is slow again."""
    yield rush
    slow(rush)


each_look = pytest.mark.parametrize(
    "reader",
    [
        pytest.param(
            {"scripts": scripts, "dark": dark, "language": language},
            marks=[pytest.mark.variant] * (scripts == dark or (language == "en") != dark),
            id=f"{scripts}-{dark}-{language}",
        )
        for scripts in (True, False)
        for dark in (True, False)
        for language in ("id", "en")
    ],
    indirect=True,
)


@each_look
def test_waiting_page_fits_a_small_phone(reader: Reader) -> None:
    reader.waits()
    page = reader.page
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    box = page.locator("main").bounding_box()
    assert box is not None
    assert box["width"] <= SMALL["width"]
    for one in page.locator("main *").all():
        place = one.bounding_box()
        is_hidden = "unseen" in (one.get_attribute("class") or "")
        assert place is None or is_hidden or place["x"] + place["width"] <= SMALL["width"] + 1
    button = page.locator("a.button").bounding_box()
    assert button is not None
    assert button["height"] >= 44  # a thumb
    assert page.locator("html").get_attribute("lang") in ("id", "en")


def _luminance(colour: str) -> float:
    parts = [int(one) / 255 for one in re.findall(r"\d+", colour)[:3]]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


GROUND = """one => { for (let e = one; e; e = e.parentElement) {
  const c = getComputedStyle(e).backgroundColor;
  if (c !== 'rgba(0, 0, 0, 0)') return [getComputedStyle(one).color, c]; }
  return [getComputedStyle(one).color, 'rgb(255, 255, 255)']; }"""


@pytest.mark.parametrize("reader", [{"dark": True}, {"dark": False}], indirect=True, ids=str)
def test_colours_of_the_waiting_page_have_contrast(reader: Reader) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    reader.waits()
    for one in reader.page.locator(
        "main h1, main h2, main p, main dt, main dd, main li, main a"
    ).all():
        ink, ground = (_luminance(colour) for colour in one.evaluate(GROUND))
        high, low = max(ink, ground), min(ink, ground)
        assert (high + 0.05) / (low + 0.05) >= 4.5, one.text_content()


@pytest.mark.soak  # as long as the page takes to refresh itself
@pytest.mark.parametrize("reader", [{"scripts": False}], indirect=True)
def test_waiting_page_without_scripts_enters_by_itself(reader: Reader, hurried: Instance) -> None:
    # After many calls and with few waiting, the page asks again within seconds.
    quick(hurried)
    until("all are called", lambda: nobody_waits(hurried))
    slow(hurried)
    reader.waits()
    quick(hurried)
    assert reader.looks == []
    reader.page.wait_for_url("**/sign-in?*", timeout=LOOKS_AGAIN_MS)


def test_waiting_page_with_scripts_counts_and_enters_by_itself(
    reader: Reader, hurried: Instance
) -> None:
    reader.has_a_clock_that_stands()
    slow(hurried)
    reader.waits()
    number, ahead = reader.number, reader.ahead
    assert ahead > 1
    with reader.page.expect_response("**/now-serving.json"):
        reader.page.clock.run_for(12_000)
    call_one(hurried)

    def moves() -> bool:
        # It asks twice, since a process learns the state a second later.
        reader.page.clock.run_for(LONG)
        return reader.ahead < ahead

    until("it moves", moves)
    assert reader.number == number
    quick(hurried)
    until("it was called", lambda: Client(hurried.url).get(f"/v1{LINE}").json["serving"] >= number)
    reader.page.clock.run_for(LONG)
    reader.page.clock.resume()  # it asks again if the answer is older than the known one
    reader.page.wait_for_url("**/sign-in?*", timeout=LOOKS_AGAIN_MS)


def test_offline_waiting_page_keeps_the_number_and_retries(reader: Reader) -> None:
    reader.has_a_clock_that_stands()
    reader.waits()
    number = reader.number
    reader.context.set_offline(True)
    with reader.page.expect_event("requestfailed"):
        reader.page.clock.run_for(12_000)
    assert reader.number == number
    assert reader.page.locator("h1").is_visible()
    reader.context.set_offline(False)
    reader.looks_again()
    assert reader.number == number


# -- last: it kills processes ------------------------------------------------------------------


def test_killed_processes_lose_no_place(rush: Instance) -> None:
    """Web and worker are killed: numbers stay, grow, and are served in order."""
    slow(rush)
    client = rush.customer()
    # An account comes in once, so each place belongs to another account.
    people = [rush.customer() for _ in range(5)]
    before = [takes_a_place(rush.url).json for _ in people]
    kept = client.post(f"/v1{LINE}/places").json
    rush.kill("web")
    rush.kill("worker")
    rush.wait_ready()
    until("it answers", lambda: client.get(f"/v1{LINE}").status == 200)
    assert client.post(f"/v1{LINE}/places").json["number"] == kept["number"]
    for place in before:
        cookie = {"Cookie": f"ticket-buying={place['ticket']}"}
        again = client.post(f"{LINE}/place", headers=cookie).json
        assert again["number"] == place["number"]
    later = takes_a_place(rush.url).json
    assert later["number"] > max(place["number"] for place in before)
    quick(rush)
    for one, place in [*zip(people, before, strict=True), (client, kept)]:

        def turn(one: Client = one, ticket: str = place["ticket"]) -> Any:
            reply = one.post(f"/v1{LINE}/turns", {"ticket": ticket})
            return reply.json if reply.status == 200 else None

        assert until("its turn comes", turn)["number"] == place["number"]
