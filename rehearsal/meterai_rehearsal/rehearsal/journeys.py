"""Journeys: acts of visitors, step by step, over the public pages.

A step is the visitor's next goal; its name is in the file of the run. A journey contains an address only where a person
would type or choose it; otherwise it follows the links of the page. A new journey is a function here, its name in
`JourneyName`, and its line in `JOURNEYS`.
"""

import asyncio
import re
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from urllib.parse import quote

import msgspec

from meterai_rehearsal.clients import api, connection
from meterai_rehearsal.clients.connection import Answer
from meterai_rehearsal.clients.pages import Page
from meterai_rehearsal.clients.sites import Site
from meterai_rehearsal.clients.wire import ConnectionLost
from meterai_rehearsal.rehearsal.plan import JourneyName
from meterai_rehearsal.rehearsal.tally import CALLED, TAKEN, Place
from meterai_rehearsal.rehearsal.visitor import StepFailed, Visitor

STANDIN_SECONDS_MAX = 30.0
MAIL_LOOK_SECONDS = 0.25  # between two looks into the mailbox
ANOTHER_CODE_SECONDS = 2.0  # wait for a later mail before asking for another code
# As `order.js` without a waiting request: every two seconds, then less and less often. A waiting request is delayed by
# the server, and would count here as a slow answer.
WATCH_SECONDS, WATCH_SECONDS_MAX, WATCH_GROWTH = 2.0, 10.0, 1.25
STAMPED_KEPT_MAX = 50  # of each process, for visitors who check documents
ORDER = r"/orders/[^/]+"
DOCUMENT = r"/stampings/[^/]+/document"
PLACE, REVIEW, SIGN_IN = "/stamp/place", "/stamp/pay", "/sign-in"
# Forms for the address and for the code: the pages of signing in, and the last page before paying, which has both.
PROVE, PROVE_TO_PAY = (SIGN_IN, "/sign-in/code"), ("/stamp/pay/sign-in", "/stamp/pay/sign-in")
PICTURE = r"/stamp/files/[^/]+/pages/\d+\.webp"
GIVE_BACK = r"/orders/[^/]+/give-back"
QR = "qr-text"
LINES = "/lines/"
# As in `waiting.js`: the pause between looks is shorter near the turn, and random.
LINE_SECONDS_MIN, LINE_SECONDS_MAX, LINE_LOOKS, LINE_SLOWEST = 5.0, 180.0, 3, 0.001
_CODE = re.compile(r"\b(\d{6})\b")
_GOOD = re.compile(r'class="verdict good"')


class _Mail(msgspec.Struct, frozen=True):
    """A mail in the list of the stand-in."""

    subject: str


class _Signed(msgspec.Struct, frozen=True):
    """Signed document of a line: a JWS; the payload is base64 without padding."""

    payload: str


class _Flow(msgspec.Struct, frozen=True):
    """The part of a line's signed document with its speed: `fast` is the upper estimate of places called per
    second.
    """

    fast: float


class _Served(msgspec.Struct, frozen=True):
    """Content of the signed document of a line."""

    serving: int
    last: int
    is_engaged: bool
    is_paused: bool
    per_second: _Flow
    spaced: list[
        tuple[int, int, int]
    ] = []  # (first, last, places): places without their own numbers

    def places_to(self, number: int) -> float:
        """Return the number of places called before this number, counted like the page's script."""
        places = float(min(number, self.last) - self.serving)
        for first, last, count in self.spaced:
            among = min(last, number) - max(first - 1, self.serving)
            places += max(among, 0) * count / (last - first + 1)
        return max(places, 1.0)


Journey = Callable[[Visitor], Awaitable[None]]


async def _standin(visitor: Visitor, site: Site | None, request: bytes) -> Answer:
    """Send a request to a stand-in; it does not count as traffic of the installation."""
    assert site is not None, "the plan was checked before the run"
    try:
        return await connection.exchange(
            site, request, visitor.world.standin_traffic, STANDIN_SECONDS_MAX
        )
    except ConnectionLost:
        raise StepFailed("standin_silent") from None


async def look(visitor: Visitor) -> None:
    """Open the front page."""
    async with visitor.step("front"):
        await visitor.get("/")


async def buy(visitor: Visitor) -> None:
    """Stamp a document: choose it, place the stamp, sign in, order, pay, wait, download."""
    async with visitor.step("front"):
        await visitor.get("/")
    async with visitor.step("form"):
        await visitor.get("/stamp")
    await _wait_in_line(visitor)
    # After a line, a called visitor signs in before entering: a turn belongs to an account.
    is_known = visitor.page.has_form(SIGN_IN)
    if is_known:
        await _prove_address(visitor, "/stamp/files")
        await _until_let_in(visitor)
    original = visitor.world.original(visitor.alone)
    await _place_stamp(visitor, original)
    if not is_known:
        await _prove_address(visitor, f"{REVIEW}|{ORDER}", PROVE_TO_PAY)
    if not re.fullmatch(
        ORDER, visitor.page.path
    ):  # the form with the code also placed the order, unless there is a line before buying
        await _order(visitor, REVIEW)
    await _pay(visitor)
    async with visitor.step("stamp"):
        main = await _watch_order(visitor, lambda page: page.has_link(DOCUMENT))
    async with visitor.step("download"):
        stamped = (await visitor.fetch(main.link(DOCUMENT))).body
    _check_stamped(visitor, original, stamped)


async def _place_stamp(visitor: Visitor, original: bytes) -> None:
    """Upload the document, look at its page, and take the suggested place."""
    async with visitor.step("upload"):
        page = await visitor.submit(visitor.page.form("/stamp/files"), ("surat.pdf", original))
        if page.path != PLACE and not page.has_link(PLACE):
            raise StepFailed(f"upload: refused_{page.status}")
    async with visitor.step("place"):
        if page.path != PLACE:  # the list of files showed a message
            page = await visitor.follow(PLACE)
        await visitor.fetch(page.picture(PICTURE))
        page = await visitor.submit(page.form(PLACE), pressed=("do", "use"))
        if page.path != REVIEW and not page.path.startswith(LINES):
            raise StepFailed(f"place: {page.status} at {page.path}")
    await _wait_in_line(visitor)


def _check_stamped(visitor: Visitor, original: bytes, stamped: bytes) -> None:
    world = visitor.world
    if len(stamped) <= len(original) or not stamped.startswith(original):
        world.tally.stamps_wrong += 1
        raise StepFailed("download: original_changed")
    world.tally.stamps += 1
    if len(world.stamped) < STAMPED_KEPT_MAX:
        world.stamped.append(stamped)


async def check(visitor: Visitor) -> None:
    """Check a stamped document as its recipient."""
    async with visitor.step("front"):
        await visitor.get("/")
    async with visitor.step("form"):
        await visitor.follow("/check")
    document = visitor.drawing.choice(visitor.world.stamped)
    async with visitor.step("check"):
        page = await visitor.submit(visitor.page.form("/check"), ("surat.pdf", document))
        if page.status != 200 or not _GOOD.search(page.text):
            raise StepFailed(f"not_genuine_{page.status}")


async def complain(visitor: Visitor) -> None:
    """Buy a stamp, and ask for the money back before its use."""
    await _sign_in(visitor, "/buy")
    await _order(visitor, "/buy", quantity="1")
    await _pay(visitor)
    async with visitor.step("executed"):
        await _watch_order(visitor, lambda page: page.has_form(GIVE_BACK))
    async with visitor.step("give_back"):
        # The script that refreshes the page shows the form, which the visitor sends.
        await visitor.get(visitor.page.path)
        page = await visitor.submit(visitor.page.form(GIVE_BACK))
        if page.status != 200 or page.has_form(GIVE_BACK):
            raise StepFailed(f"refused_{page.status}")


async def queue(visitor: Visitor) -> None:
    """Come to buy, wait in the line if there is one, enter, and buy nothing."""
    async with visitor.step("come"):
        await visitor.get("/buy")
    await _wait_in_line(visitor)


async def grab(visitor: Visitor) -> None:
    """Act as a program that grabs places: take a place in the line as a new browser, sign in when called, and buy nothing."""
    async with visitor.step("come"):
        await visitor.get("/stamp")
    await _wait_in_line(visitor)
    if visitor.page.has_form(SIGN_IN):
        await _prove_address(visitor, "/stamp/files")
        await _until_let_in(visitor)


async def _order(visitor: Visitor, there: str, quantity: str = "") -> None:
    """Send the form of an order, after waiting in the line before buying, if there is one."""
    await _wait_in_line(visitor)
    values = {"quantity": quantity} if quantity else {}
    async with visitor.step("order"):
        page = await visitor.submit(visitor.page.form(there), None, pressed=None, **values)
    if page.path.startswith(LINES):
        await _order(visitor, there, quantity)
    elif not re.fullmatch(ORDER, page.path):
        raise StepFailed(f"order: refused_{page.status}")


async def _wait_in_line(visitor: Visitor) -> None:
    """If the visitor was sent into a line, wait in it until the visitor's turn has come."""
    if not visitor.page.path.startswith(LINES):
        return
    name = visitor.page.path.removeprefix(LINES).partition("?")[0]
    asked_at, given_at = visitor.asked_at, visitor.world.now()
    async with visitor.step("queue", visitor.world.bounds.line_patience_seconds):
        number = visitor.page.data("number")
        if not number:
            raise StepFailed("no_place")
        # Places beyond the share of a network are not called in the order of arrival.
        if not visitor.page.data("spaced"):
            visitor.world.tally.place(Place(name, int(number), asked_at, given_at))
            visitor.comes_to(TAKEN)
        await _wait(visitor)
    visitor.comes_to(CALLED)


async def _until_let_in(visitor: Visitor) -> None:
    """If more people were called than can enter at this moment, wait again with the same number."""
    if visitor.page.path.startswith(LINES):
        async with visitor.step("let_in", visitor.world.bounds.line_patience_seconds):
            await _wait(visitor)


async def _wait(visitor: Visitor) -> None:
    number = int(visitor.page.data("number"))
    wait = LINE_SECONDS_MIN * (1 + visitor.drawing.random())
    while visitor.page.path.startswith(LINES):
        await asyncio.sleep(wait)
        wait = await _look_and_enter(visitor, number)


async def _look_and_enter(visitor: Visitor, number: int) -> float:
    """Look at the served number, and enter if it is the turn. Return the seconds until the next look."""
    page = await visitor.fetch(visitor.page.data("document"))
    try:
        text = msgspec.json.decode(page.body, type=_Signed).payload
        payload = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        line = msgspec.json.decode(payload, type=_Served)
    except (msgspec.MsgspecError, ValueError):
        raise StepFailed("document_unreadable") from None
    if not line.is_engaged or (number <= line.serving and not line.is_paused):
        await visitor.get(visitor.page.data("enter"))
        return LINE_SECONDS_MIN
    fast, places = line.per_second.fast, line.places_to(number)
    left = places / fast if fast > LINE_SLOWEST else LINE_SECONDS_MAX * LINE_LOOKS
    wait = min(max(left / LINE_LOOKS, LINE_SECONDS_MIN), LINE_SECONDS_MAX)
    return wait * (0.85 + 0.3 * visitor.drawing.random())


async def _sign_in(visitor: Visitor, there: str) -> None:
    """Sign in by a mailed code, from any page to `there`."""
    async with visitor.step("sign_in_form"):
        await visitor.get(there)
    await _wait_in_line(visitor)
    await _prove_address(visitor, there)


async def _prove_address(visitor: Visitor, there: str, prove: tuple[str, str] = PROVE) -> None:
    """Prove the mail address by a code, on a page that demands it, and continue to `there`, or to the page with
    the form that leads there.
    """
    ask, enter = prove
    address = f"p{visitor.alone.getrandbits(64):016x}@example.org"
    async with visitor.step("ask_for_code"):
        page = await visitor.submit(visitor.page.form(ask, "email"), email=address)
        page.form(enter, "code")
    codes = _Codes(visitor, address)
    async with visitor.step("mail"):
        code = await codes.next()
    async with visitor.step("sign_in"):
        while not _is_in(await visitor.submit(visitor.page.form(enter, "code"), code=code), there):
            code = await _another_code(visitor, codes, prove)


def _is_in(page: Page, there: str) -> bool:
    """True if signing in led to the wanted page, or into the line before it."""
    is_there = page.has_form(there) or re.fullmatch(there, page.path) is not None
    return (is_there and page.status == 200) or page.path.startswith(LINES)


async def _another_code(visitor: Visitor, codes: "_Codes", prove: tuple[str, str]) -> str:
    """Return another code after a code was refused: a later code that arrived, else a newly requested code. A double click
    requests two codes, of which only one is valid; a valid code that was sent twice is used up.
    """
    ask, enter = prove
    visitor.page.form(enter, "code")
    with suppress(TimeoutError):
        async with asyncio.timeout(ANOTHER_CODE_SECONDS):
            return await codes.next()
    page = await visitor.submit(visitor.page.form(ask, "email"), email=codes.address)
    page.form(enter, "code")
    return await codes.next()


class _Codes:
    """Sign-in codes that the stand-in mail server received for a mail address; each is returned once, the
    newest first.
    """

    def __init__(self, visitor: Visitor, address: str) -> None:
        mail = visitor.world.mail
        assert mail is not None
        self.address = address
        self._visitor = visitor
        self._mail = mail
        self._asked = connection.request(mail, "GET", f"/standin/mails?to={quote(address)}", {})
        self._taken: set[str] = set()

    async def next(self) -> str:
        """Return the next code, once it has arrived."""
        while True:
            answer = await _standin(self._visitor, self._mail, self._asked)
            for one in msgspec.json.decode(answer.body, type=list[_Mail]):
                found = _CODE.search(one.subject)
                if found is not None and found[1] not in self._taken:
                    self._taken.add(found[1])
                    return found[1]
            await asyncio.sleep(MAIL_LOOK_SECONDS)


async def _pay(visitor: Visitor) -> None:
    """Wait for the QR and pay it at the bank."""
    async with visitor.step("qr"):
        if not _has_qr(visitor.page):
            await _watch_order(visitor, _has_qr)
            await visitor.get(visitor.page.path)
        qr = visitor.page.text_of(QR)
    async with visitor.step("pay"):
        bank = visitor.world.bank
        assert bank is not None
        answer = await _standin(visitor, bank, api.pay(bank, qr))
        if answer.status != 200:
            raise StepFailed(f"bank_{answer.status}")
        visitor.world.tally.orders_paid += 1


def _has_qr(page: Page) -> bool:
    return f'id="{QR}"' in page.text


async def _watch_order(visitor: Visitor, is_there: Callable[[Page], bool]) -> Page:
    """Request the main part of the page of an order as its script does, until `is_there` is true for it. Return it."""
    if is_there(visitor.page):
        return visitor.page
    state, version = visitor.page.data("state"), visitor.page.data("version")
    if not state:
        raise StepFailed("another_page")
    wait = WATCH_SECONDS
    while True:
        await asyncio.sleep(wait)
        found = await visitor.fetch(state, If_None_Match=version)
        if found.status == 200:
            if is_there(found):
                return found
            version, wait = found.headers.get("etag", ""), WATCH_SECONDS
        elif found.status == 304:
            wait = min(wait * WATCH_GROWTH, WATCH_SECONDS_MAX)
        else:
            raise StepFailed(f"status_{found.status}")


JOURNEYS: Mapping[JourneyName, Journey] = MappingProxyType(
    {
        JourneyName.LOOK: look,
        JourneyName.BUY: buy,
        JourneyName.CHECK: check,
        JourneyName.COMPLAIN: complain,
        JourneyName.QUEUE: queue,
        JourneyName.GRAB: grab,
    }
)
# Journeys that need the stand-ins of bank and mail.
PAYING = frozenset({JourneyName.BUY, JourneyName.COMPLAIN, JourneyName.GRAB})
CHECKING = frozenset({JourneyName.CHECK})  # journeys that need a stamped document
