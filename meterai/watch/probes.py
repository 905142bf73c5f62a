"""Probes by which a watcher uses the platform as a visitor: their steps, and the component that each step measures.

Each probe is repeated by its schedule (`schedules`).  Money does not accumulate: only a small stock of paid orders is kept, and
their stamps are put on documents or refunded.  While the platform does not see payments, only a few orders are paid.
"""

import asyncio
import hashlib
import json
import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, TypeAlias

import aiohttp
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from meterai import sealing
from meterai.kit.clock import Clock
from meterai.kit.components import Component
from meterai.kit.ids import new_id, show
from meterai.watch.adapters import NotOurFault, mailbox_of, new_code, pay
from meterai.watch.client import SKEW_SECONDS_MAX, UNREADABLE, ProbeResponse, Stranger, TryFailed
from meterai.watch.rule import LIMITS, ProbeOutcome
from meterai.watch.settings import ConfigurationOfWatchWrong, LocatedConfiguration, Payer
from meterai.watch.store import Store

# Paid and unused orders: the number kept, so that stampings and refunds continue for a minute or more while nothing can be
# bought; the number up to which no order is refunded; and the maximum, which is reached if refunds fail.
STOCK, STOCK_MIN, STOCK_MAX = 8, 3, 60
FILL_SECONDS = 3.0  # between two purchases while the stock is filled
UNSEEN_MAX = 6  # payments not seen yet; as many as the good tries that end an outage
LOOK_SECONDS = 0.4  # between two queries of an order
CERTIFICATE_SECONDS = 300.0
LINE_FRESH_SECONDS = 30.0  # the platform signs the state of a line every two seconds
FIGURES_SECONDS = 10.0
STAMPS_OF_ORDER = 2  # one is put on a document, one is refunded
_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_CHALLENGE = re.compile(r"challenge=([\w]+)")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Result of one try of one component."""

    component: Component
    outcome: ProbeOutcome
    seconds: float
    fault: str = ""


class ProbeEnded(Exception):
    """Raised to end a probe early: finished tries count, and the try under way is not recorded."""


Probe: TypeAlias = Callable[[], Awaitable[None]]


def document(words: str) -> bytes:
    """Return a PDF of one page with these words."""
    text = f"BT /F1 14 Tf 72 770 Td ({words}) Tj ET".encode()
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 %s >> >> >>" % font,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    ]
    found, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, start=1):
        offsets.append(len(found))
        found += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % one for one in offsets)
    size, begin = len(objects) + 1, len(found)
    found += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return bytes(found) + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        begin,
    )


@dataclass(frozen=True, slots=True)
class PublishedIssuer:
    """Certificates and public keys of the issuer, for checks without the platform."""

    roots: Sequence[x509.Certificate]
    seals: Sequence[x509.Certificate]
    claim_keys: Mapping[str, Ed25519PublicKey]

    @classmethod
    def of(cls, watched: LocatedConfiguration) -> "PublishedIssuer | None":
        """Read the folder `certificates` of the configuration; None if the configuration names no such folder.

        Self-signed certificates are roots; all others belong to sealing keys.  Refuses `ConfigurationOfWatchWrong`.
        """
        if not watched.of.certificates:
            return None
        folder = watched.path(watched.of.certificates)
        try:
            files = sorted(folder.glob("*.pem"))
            found = [
                one for file in files for one in x509.load_pem_x509_certificates(file.read_bytes())
            ]
            keys = sealing.claim.load_public_keys(sorted(folder.glob("*.pub")))
        except (OSError, ValueError, sealing.ClaimKeyUnusable) as error:
            raise ConfigurationOfWatchWrong(folder, str(error)) from None
        roots = [one for one in found if one.issuer == one.subject]
        if not roots:
            raise ConfigurationOfWatchWrong(folder, "the probe has no root certificate")
        return cls(roots, [one for one in found if one not in roots], keys)

    def check(self, content: bytes, at: datetime) -> None:
        """Check the seal of a stamped file without the platform.  Raises `TryFailed`."""
        report = sealing.verify(content, self.roots, at=at, claim_keys=self.claim_keys or None)
        if report.verdict is not sealing.Verdict.GENUINE:
            raise TryFailed(f"offline_{report.verdict}")


class Probes:
    """The probes of one watcher."""

    def __init__(
        self,
        watched: LocatedConfiguration,
        stranger: Stranger,
        store: Store,
        clock: Clock,
        record: Callable[[ProbeResult], None],
        doubt: Callable[[Component], None],
    ) -> None:
        self._watched, self._stranger, self._store = watched, stranger, store
        self._clock, self._record, self._doubt = clock, record, doubt
        self._payer, self._mails = watched.of.payer, mailbox_of(stranger, watched)
        self._issuer = PublishedIssuer.of(watched)
        self._certificate = (-CERTIFICATE_SECONDS, "")
        self._busy: set[str] = set()  # orders whose payment a try awaits
        self._returning: set[str] = set()  # orders that a try is refunding
        self._withdrawing: set[asyncio.Task[None]] = set()
        self._executed_seconds = 0.0
        self._turns = 0
        self._stamped: Mapping[str, str] = (
            store.fact("stamped", dict[str, str]) or {}
        )  # the last stamped file
        self._served: tuple[int, float] = (-1, 0.0)

    def schedules(self) -> Mapping[Probe, Sequence[Component]]:
        """Return each probe that the configuration allows, and the components that it measures."""
        found: dict[Probe, Sequence[Component]] = {
            self.site: [Component.SITE],
            self.checking: [Component.CHECKING],
            self.line: [Component.LINE],
        }
        if self._mails:
            found[self.sign_in] = [Component.SIGN_IN]
        if self._stranger.has_key:
            found[self.purchase] = [Component.BUYING, Component.PAYMENT]
        if self._stranger.has_key and self._payer:
            found[self.stamping] = [Component.STAMPING]
            found[self.refund] = [Component.REFUNDS]
        return found

    @property
    def is_filling(self) -> bool:
        """True if the stock of paid orders is smaller than `STOCK`, so that purchases may follow faster."""
        has = len(self._store.bought("stock")) + len(self._store.bought("paid"))
        return self._payer is not None and has + len(self._returning) < STOCK

    @asynccontextmanager
    async def _trying(self, component: Component) -> AsyncIterator[list[str]]:
        """Measure one try of a component and record its result.

        An exception in the block is a failure, and ends the probe.  The block gets a list; if it appends a fault, a successful
        try counts as slow.
        """
        limits, begun = LIMITS[component], monotonic()
        late = asyncio.get_running_loop().call_later(limits.doubted, self._doubt, component)
        slow: list[str] = []
        fault = ""
        try:
            async with asyncio.timeout(limits.failed):
                yield slow
        except TryFailed as error:
            fault = error.fault
        except TimeoutError:
            fault = "timeout"
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
            fault = UNREADABLE
        finally:
            late.cancel()
        seconds = monotonic() - begun
        if fault:
            self._record(ProbeResult(component, ProbeOutcome.FAILED, seconds, fault))
            raise ProbeEnded
        if seconds > limits.slow:
            slow.append("slow")
        outcome = ProbeOutcome.SLOW if slow else ProbeOutcome.GOOD
        self._record(ProbeResult(component, outcome, seconds, slow[0] if slow else ""))

    # -- without an account ------------------------------------------------------------------

    async def site(self) -> None:
        """Get the home page and the page for choosing documents; check the platform's clock and its certificate."""
        async with self._trying(Component.SITE) as slow:
            (await self._stranger.ask("GET", "/")).must_be(200)
            chosen = (await self._stranger.ask("GET", "/stamp")).must_be(200, 302, 303)
            if chosen.status != 200 and "/lines/" not in chosen.headers.get("location", ""):
                raise TryFailed("another_page")
            if abs(self._stranger.skew_seconds) > SKEW_SECONDS_MAX:
                slow.append("clock")
            if fault := await self._of_certificate():
                slow.append(fault)

    async def _of_certificate(self) -> str:
        looked_at, fault = self._certificate
        if monotonic() - looked_at >= CERTIFICATE_SECONDS:
            fault = await self._stranger.certificate_fault()
            self._certificate = monotonic(), fault
        return fault

    async def checking(self) -> None:
        """Have the platform check a stamped file and its serial; before the first stamping, a file without a stamp."""
        known = self._stamped
        content = b64decode(known["file"]) if known else document("not stamped")
        async with self._trying(Component.CHECKING) as slow:
            asked = await self._check(content)
            if asked.fault == "wait_in_line":
                slow.append("line")
                return
            verdict = asked.must_be(200).field("verdict")
            if verdict != ("genuine" if known else "not_sealed"):
                raise TryFailed(f"verdict_{verdict}")
            if known:
                path = f"/v1/stamps/{known['serial']}"
                stamp = (await self._stranger.ask("GET", path)).must_be(200)
                if stamp.field("sha256_original") != known["original"]:
                    raise TryFailed("serial_of_another_file")

    async def _check(self, content: bytes) -> ProbeResponse:
        kind = {"Content-Type": "application/pdf"}
        return await self._stranger.ask("POST", "/v1/verifications", data=content, headers=kind)

    async def line(self) -> None:
        """Check the waiting line that guards buying: its state is recent, and it moves while somebody waits."""
        begun = monotonic()
        async with self._trying(Component.LINE):
            answer = await self._stranger.ask("GET", "/lines/buying/now-serving.json")
            if answer.status == 404:  # an installation without lines
                raise ProbeEnded
            found = _payload(answer.must_be(200))
            age = self._clock.now() - datetime.fromisoformat(str(found["at"]))
            # A wrong clock of the platform is not a fault of the line: `site` checks it.
            if age.total_seconds() + self._stranger.skew_seconds > LINE_FRESH_SECONDS:
                raise TryFailed("line_not_renewed")
            serving, since = self._served
            waits = found["is_engaged"] and int(found["last"]) > int(found["serving"])
            if serving != found["serving"] or not waits or found["is_paused"]:
                self._served = int(found["serving"]), begun
            elif begun - since > max(
                LINE_FRESH_SECONDS, 5 / max(float(found["per_second"]["fast"]), 0.01)
            ):
                raise TryFailed("line_stands")
            if waits and self._stranger.has_key:
                await self._place()

    async def _place(self) -> str:
        """Take or renew the account's place in the waiting line for buying, and return its ticket."""
        asked = await self._stranger.ask("POST", "/v1/lines/buying/places", with_key=True)
        return str(asked.must_be(200).field("ticket"))

    async def figures(self) -> Any:
        """Get the platform's own figures and incidents as JSON; None if it does not give them."""
        try:
            async with asyncio.timeout(FIGURES_SECONDS):
                answer = await self._stranger.ask("GET", "/v1/status")
                return answer.json if answer.status == 200 else None
        except (TryFailed, TimeoutError):
            return None

    # -- signing in --------------------------------------------------------------------------

    async def sign_in(self) -> None:
        """Request a code by mail, open a session with it, and end the session."""
        box = self._watched.of.mailbox
        assert box is not None
        assert self._mails is not None
        self._turns = (self._turns + 1) % box.addresses
        address = box.address.replace("{n}", str(self._turns))
        known = set(await self._mails.codes(address))
        cookies = ""
        async with self._trying(Component.SIGN_IN):
            form = {"email": address, "next": "/"}
            asked = await self._form("/sign-in", form, "")
            if asked.status == 429:  # this address has got its hourly maximum of codes
                raise ProbeEnded
            asked.must_be(303)
            challenge = _CHALLENGE.search(asked.headers.get("location", ""))
            if challenge is None:
                raise TryFailed("another_page")
            code = await new_code(self._mails, address, known)
            proof = {"challenge": challenge[1], "code": code, "next": "/"}
            opened = await self._form("/sign-in/code", proof, asked.headers["cookies"])
            cookies = opened.must_be(303).headers["cookies"]
        home = await self._stranger.ask("GET", "/", headers={"Cookie": cookies})
        if token := _FORM_TOKEN.search(home.body.decode(errors="replace")):
            await self._form("/sign-out", {"form_token": token[1]}, cookies)

    async def _form(self, path: str, fields: Mapping[str, str], cookies: str) -> ProbeResponse:
        headers = {
            "Cookie": cookies,
            "Origin": self._stranger.base,
            "Sec-Fetch-Site": "same-origin",
        }
        return await self._stranger.ask("POST", path, data=dict(fields), headers=headers)

    # -- buying ------------------------------------------------------------------------------

    async def purchase(self) -> None:
        """Place an order, get its QR, pay it, and wait until the payment is seen.  Without a payer, withdraw the order."""
        qr = order = ""
        async with self._trying(Component.BUYING) as slow:
            answer = await self._order(slow)
            if answer is not None:
                order = str(answer.field("id"))
                qr = await self._qr(order, answer)
        if not order:
            return
        unseen = [one for one, _ in self._store.bought("paid")]
        is_enough = len(unseen) >= UNSEEN_MAX or len(self._store.bought("stock")) >= STOCK_MAX
        if self._payer is None or is_enough:
            await self._withdraw(order)
            order = next((one for one in unseen if one not in self._busy), "")
        elif not await self._pay(self._payer, order, qr):
            return
        if order:
            await self._seen(order)

    async def _pay(self, payer: Payer, order: str, qr: str) -> bool:
        try:
            await pay(self._stranger, payer, self._watched, qr)
        except NotOurFault as error:
            _log.warning("payer_failed", why=str(error))
            await self._withdraw(order)
            return False
        self._store.put(order, "paid", self._clock.now())
        return True

    async def _order(self, slow: list[str]) -> ProbeResponse | None:
        """Place an order; None if the account has to wait in a waiting line that moves, which makes the try slow."""
        asked = await self._place_order({})
        if asked.fault == "wait_in_line":
            line = (await self._stranger.ask("GET", "/v1/lines/buying")).must_be(200)
            if line.field("is_paused"):
                raise TryFailed("line_paused")
            ticket = await self._place()
            turn = await self._stranger.ask(
                "POST", "/v1/lines/buying/turns", with_key=True, json={"ticket": ticket}
            )
            slow.append("line")
            if turn.status != 200:  # its number is not called yet
                return None
            asked = await self._place_order({"Waiting-Turn": str(turn.field("turn"))})
        return asked.must_be(200, 201)

    async def _place_order(self, more: Mapping[str, str]) -> ProbeResponse:
        headers = {"Idempotency-Key": show("wtc", new_id()), **more}
        wanted = {"quantity": STAMPS_OF_ORDER, "reference": f"watch {self._watched.of.name}"}
        return await self._stranger.ask(
            "POST", "/v1/orders", with_key=True, json=wanted, headers=headers
        )

    async def _qr(self, order: str, answer: ProbeResponse) -> str:
        """Wait for the QR of an order, which the bank may give a moment later; withdraw the order if it gets none."""
        try:
            while not (qr := answer.field("payment", "qr_content")):
                await asyncio.sleep(LOOK_SECONDS)
                answer = await self._look("/v1/orders/", order)
        except (TryFailed, asyncio.CancelledError):
            task = asyncio.get_running_loop().create_task(self._withdraw(order))
            self._withdrawing.add(task)
            task.add_done_callback(self._withdrawing.discard)
            raise
        return str(qr)

    async def _withdraw(self, order: str) -> None:
        with suppress(TryFailed):  # otherwise the order expires
            await self._stranger.ask("POST", f"/v1/orders/{order}/withdraw", with_key=True)

    async def _look(self, path: str, name: str) -> ProbeResponse:
        return (await self._stranger.ask("GET", path + name, with_key=True)).must_be(200)

    async def _state_after(self, path: str, name: str, passing: Sequence[str]) -> Any:
        """Query the object at `path` repeatedly until its state is not among `passing`, and return that state."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            state = (await self._look(path, name)).field("state")
            if state not in passing:
                return state

    async def _seen(self, order: str) -> None:
        """Wait until the platform has seen the payment of an order and executed the order."""
        begun = monotonic()
        self._busy.add(order)
        try:
            async with self._trying(Component.PAYMENT):
                state = await self._state_after("/v1/orders/", order, ("placed", "paid"))
                if state != "executed":  # the order expired, or its money is being returned
                    self._store.done_with(order)
                    raise TryFailed("not_executed")
        finally:
            self._busy.discard(order)
        self._executed_seconds = monotonic() - begun
        self._store.put(order, "stock", self._clock.now())

    # -- stamps ---------------------------------------------------------------------

    async def stamping(self) -> None:
        """Stamp a document from the balance, download it, and check it offline if certificates are configured."""
        if not self._store.bought("stock"):
            return
        name = show("wtc", new_id())
        original, begun = document(name), monotonic()
        form = aiohttp.FormData()
        form.add_field("document", original, filename="watch.pdf", content_type="application/pdf")
        form.add_field("placement", json.dumps({"page": 1, "x": 60, "y": 60, "width": 80}))
        async with self._trying(Component.STAMPING):
            key = {"Idempotency-Key": name}
            asked = await self._stranger.ask(
                "POST", "/v1/stampings", with_key=True, data=form, headers=key
            )
            if asked.fault == "not_enough_stamps":
                raise ProbeEnded
            stamped = await self._delivered(asked.must_be(200, 201))
            serial = str(stamped.field("serials")[0])
            content = await self._document(str(stamped.field("id")), original)
            if self._issuer is not None:
                await asyncio.to_thread(self._issuer.check, content, self._clock.now())
        self._store.add_stamped(self._clock.now(), self._executed_seconds + monotonic() - begun)
        self._stamped = {
            "serial": serial,
            "original": hashlib.sha256(original).hexdigest(),
            "file": b64encode(content).decode(),
        }
        self._store.keep("stamped", self._stamped)

    async def _delivered(self, answer: ProbeResponse) -> ProbeResponse:
        while (state := answer.field("state")) != "delivered":
            if state not in ("waiting", "reserved"):
                raise TryFailed("stamping_failed")
            await asyncio.sleep(LOOK_SECONDS)
            answer = await self._look("/v1/stampings/", str(answer.field("id")))
        return answer

    async def _document(self, stamping: str, original: bytes) -> bytes:
        found = await self._look("/v1/stampings/", f"{stamping}/document")
        if not found.body.startswith(original) or len(found.body) <= len(original):
            raise TryFailed("original_changed")
        return found.body

    async def refund(self) -> None:
        """Request a refund of unused stamps, and wait until its money is sent; an open refund is continued first."""
        stock = [one for one, _ in self._store.bought("stock") if one not in self._returning]
        asked = [one for one in self._store.bought("asked") if one[0] not in self._returning]
        if not asked and len(stock) + len(self._returning) <= STOCK_MIN:
            return
        order, refund = asked[0] if asked else (stock.pop(0), "")
        mine = {order}
        try:
            async with self._trying(Component.REFUNDS):
                while True:
                    self._returning |= mine
                    if refund := refund or await self._ask_back(order):
                        break
                    if not stock:
                        raise ProbeEnded
                    mine.add(order := stock.pop(0))
                await self._state_after("/v1/refunds/", refund, ("requested", "sent", "refused"))
            self._store.done_with(order)
        finally:
            self._returning -= mine
        if len(stock) > 2 * STOCK:  # no refund has succeeded for a time
            with suppress(TryFailed):
                await self._ask_back(stock[-1])

    async def _ask_back(self, order: str) -> str:
        """Request a refund of an order and return its id; empty if all stamps of the order were used."""
        headers = {"Idempotency-Key": f"back-{order}"}
        asked = await self._stranger.ask(
            "POST", "/v1/refunds", with_key=True, json={"order_id": order}, headers=headers
        )
        if asked.fault == "nothing_to_refund":
            self._store.done_with(order)
            return ""
        refund = str(asked.must_be(200, 201).field("id"))
        self._store.put(order, "asked", self._clock.now(), refund)
        return refund


def _payload(answer: ProbeResponse) -> Any:
    """Return the content of a signed JSON document, without checking its signature.  Raises `TryFailed`."""
    text = str(answer.field("payload"))
    try:
        return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (RecursionError, ValueError):
        raise TryFailed(UNREADABLE) from None
