"""Last step of a draft: its documents, their price, sign-in, and the order.

A visitor who is not signed in signs in on this page. Count and price are shown above the code field, so that one button
may both sign in and order. This saves a step. It is safe, because an order alone costs nothing: the buyer decides on
the next page whether to pay.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

import structlog
from litestar import get, post
from litestar.di import NamedDependency

from meterai import stamping, stamps
from meterai.accounts import AccountService, NotPermitted, Permission, SigningIn
from meterai.drafts import (
    ELSEWHERE,
    Draft,
    DraftFile,
    DraftNotPlaced,
    DraftService,
    account_asking,
    adopt_by_mark,
    adopt_draft,
    done_here,
    known_content,
    open_draft,
    own_draft,
    own_files,
    sign_in_mark,
    to_order,
    written,
)
from meterai.kit.ids import read, show
from meterai.kit.money import STAMP_DUTY
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal
from meterai.orders import OrderService
from meterai.pages import (
    FieldError,
    Form,
    Page,
    PageRequest,
    kept_text,
    known_caller,
    page,
    read_form,
    read_own_form,
    see_other,
    sentence,
)
from meterai.payments import CREDIT, PaymentMethod
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.callers import Caller, caller_of
from meterai.plumbing.http.forms import PARTS_MAX
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.problems import retry_after
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.plumbing.messages import translate
from meterai.portal.seller import BuyerOrigin, buyer_origin
from meterai.stamping import (
    DocumentFacts,
    StampedBefore,
    StampingService,
    Upload,
    facts_in_texts,
)
from meterai.waiting_room import Guarded, GuardedAct, NotLetIn, into_line

REVIEW, CHOOSE, PLACE = "/stamp/pay", "/stamp", "/stamp/place"
SIGN_IN = f"{REVIEW}/sign-in"
_log = structlog.get_logger()
_CarryOut = Callable[[Draft, list[DraftFile], Form], Awaitable[str]]
DRAFT = "dft"  # prefix of the draft's id in the form
FROM_BALANCE = "balance"
CREDIT_SECONDS = 7 * 86_400.0  # time that an order waits for credit


class DraftChanged(Refusal):
    """The draft differs from the one that the page showed, because it was changed in another window."""

    code = "draft_changed"
    status = 409


def _error(refusal: Refusal, language: str) -> FieldError:
    if isinstance(refusal, IdempotencyKeyReused):
        return FieldError("documents", translate("page.review.ordered_before", language))
    field = {
        "not_enough_stamps": "pay",
        "member_limit_reached": "pay",
        "stamped_before": "again",
    }.get(refusal.code, "documents")
    return FieldError(field, sentence(refusal, language))


def _matches_page(form: Form, wanted: list[DraftFile]) -> bool:
    """True if the page with this form showed exactly these documents with these stamps."""
    return form.text("seen") == written(wanted)


def _missing(files: list[DraftFile]) -> str | None:
    """Return the path of the unfinished step that must come before the order; None if the draft can be ordered."""
    wanted = to_order(files)
    if not wanted:
        return CHOOSE
    return next((f"{PLACE}?file={show('fil', f.id)}" for f in wanted if not f.is_placed), None)


@dataclass(frozen=True, slots=True)
class _LastLook:
    """The review page of a draft during one request: builds the page, and carries out the form that was submitted on it."""

    request: PageRequest
    drafts: DraftService
    database: Database
    signing_in: SigningIn
    orders: OrderService

    async def page(
        self,
        draft: Draft,
        files: list[DraftFile],
        refusal: Refusal | None = None,
        form: Form | None = None,
    ) -> Page:
        """Return the page. After a failed attempt it shows the fields of the submitted `form`, and the `refusal`."""
        request, account = self.request, await account_asking(self.request)
        wanted = to_order(files)
        before = refusal.found if isinstance(refusal, StampedBefore) else ()
        issuing = await self.database.once(stamps.issuing)
        available = await self.database.once(stamps.available, account) if account else 0
        needed = sum(len(f.placements) for f in wanted)
        came = await buyer_origin(request, self.orders, account)
        ways, is_collector = await self._ways(needed, came)
        part = self.signing_in.facts(request, form, refusal if account is None else None)
        errors = [_error(refusal, language_of(request))] if refusal and account else part["errors"]
        pay = form.text("pay") if form else kept_text(request, "pay")
        sent_before = {one.sha256_original for one in before}
        again = [one for one in wanted if one.sha256 in sent_before]
        shown = page(
            request,
            "portal/review.html",
            status=refusal.status if refusal else 200,
            **{**part, "errors": errors},
            draft=show(DRAFT, draft.id),
            seen=written(wanted),
            files=wanted,
            left_out=len(files) - len(wanted),
            documents_max=self.drafts.files_max,
            needed=needed,
            unit=self.orders.unit_of(came.sold),
            came=came,
            available=available,
            is_issuing=issuing.is_open,
            ways=ways,
            is_collector=is_collector,
            document_types=stamping.DOCUMENT_TYPES,
            identity_kinds=stamping.IDENTITY_KINDS,
            typed=form.texts if form else {},
            pay=pay or (FROM_BALANCE if available >= needed else ways[0].name if ways else ""),
            before=before,
            again=",".join(sorted(one.hex() for one in sent_before)),
            again_counts={
                "documents": len(sent_before),
                "stamps": sum(len(one.placements) for one in again),
            },
            is_refused=refusal is not None and account is not None,
            is_unknown=refusal is not None and refusal.may_be_done,
            draft_is_apart=draft.owner is None,
            here=REVIEW,
        )
        shown.headers.update(retry_after(refusal) if refusal else {})
        if part["sent"] is not None:
            shown.headers["Cache-Control"] = "private, no-store"  # the page shows the mail address
        return shown

    async def _ways(self, needed: int, came: BuyerOrigin) -> tuple[list[PaymentMethod], bool]:
        """Return the payment methods for `needed` stamps, and whether the caller is a collector."""
        ways = list(await self.orders.ways(needed, came.sold))
        # Queried only for organizations: no person is a collector.
        is_collector = is_acting(self.request) and await self.database.once(
            stamping.are_facts_demanded, caller_of(self.request).account
        )
        if is_collector and came.sold is None:
            most = needed * STAMP_DUTY
            ways.append(PaymentMethod(CREDIT, amount_max=most, lapses_seconds=CREDIT_SECONDS))
        return ways, is_collector

    async def answered(self, draft: Draft, form: Form, carry_out: _CarryOut) -> Page:
        """Carry out the form by `carry_out` and redirect to the result, or show the page with the refusal."""
        files = await self.drafts.files(draft)
        try:
            return see_other(await carry_out(draft, files, form))
        except NotLetIn as wrong:
            return into_line(self.request, wrong, REVIEW)
        except IdempotencyKeyReused as wrong:
            # An earlier order with this key has other documents, so the draft gets a new key.
            await self.drafts.renew_key(draft)
            refusal: Refusal = wrong
        except Refusal as wrong:
            refusal = wrong
        # If the form was sent twice, the other request may have ordered the draft meanwhile; then its files are gone.
        done = await _earlier_result(self.drafts, draft.owner, form) if draft.owner else None
        files = await self.drafts.files(draft)
        elsewhere = done or _missing(files)
        if elsewhere:
            return see_other(elsewhere)
        return await self.page(draft, files, refusal, form)

    async def ordered_at_once(
        self, account: UUID, adopted: Draft | None, form: Form, carry_out: _CarryOut
    ) -> Page:
        """Order the documents that the page showed above the button, for a visitor who has just signed in.

        If the account already has stamps, nothing is ordered, and the page is shown again so that the visitor chooses how to
        pay.
        """
        draft = adopted or await own_draft(self.request, self.drafts)
        if draft is None or show(DRAFT, draft.id) != form.text("draft"):
            # The account had files of another device, which are now in one draft with those of this device.
            done = await _earlier_result(self.drafts, account, form)
            if draft is None or done:
                return see_other(done or REVIEW)
        has_stamps = await self.database.once(stamps.available, account) > 0
        if has_stamps and _matches_page(form, to_order(await self.drafts.files(draft))):
            return see_other(REVIEW)  # an account with stamps must choose how to pay
        return await self.answered(draft, form, carry_out)


@get(
    REVIEW,
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.CHECKOUT,
        "guarded": Guarded(GuardedAct.BUY, is_entrance=False),
    },
    include_in_schema=False,
)
async def show_review(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    database: NamedDependency[Database],
    signing_in: NamedDependency[SigningIn],
    orders: NamedDependency[OrderService],
) -> Page:
    """Show the documents with their stamps, the price, the payment methods, and the sign-in part.

    A sign-in link that is mailed from this page leads back to it with the parameter `mark`. If the link is opened in the same
    browser, the account that signed in adopts the documents.
    """
    account, mark = await account_asking(request), request.query_params.get("mark")
    if account is not None and mark is not None:
        await adopt_by_mark(request, drafts, account, mark)
        is_here = await own_draft(request, drafts) or await done_here(request, drafts)
        return see_other(REVIEW if is_here else f"{CHOOSE}?{ELSEWHERE}")
    draft, files = await own_files(request, drafts)
    if draft is None:
        # The response to the order may have been lost: another visit leads to the result of the order.
        return see_other(_result_path(await done_here(request, drafts)) or CHOOSE)
    elsewhere = _missing(files)
    if elsewhere:
        return see_other(elsewhere)
    return await _LastLook(request, drafts, database, signing_in, orders).page(draft, files)


def _agreed(form: Form) -> frozenset[bytes]:
    """Return the SHA-256 of the documents that are stamped already and that the buyer agreed to stamp once more."""
    try:
        return frozenset(bytes.fromhex(one) for one in form.text("again").split(",")[:PARTS_MAX])
    except ValueError:
        return frozenset()


def is_acting(request: PageRequest) -> bool:
    """True if the caller acts for an organization."""
    caller = known_caller(request)
    return caller is not None and caller.member is not None


def _upload(file: DraftFile, facts: DocumentFacts) -> Upload:
    content, is_repaired = known_content(file), file.state == "repaired"
    return Upload(file.name, content, file.placements, is_repaired=is_repaired, facts=facts)


async def _stamp_or_order(
    request: PageRequest,
    services: tuple[DraftService, StampingService, OrderService],
    caller: Caller,
    draft: Draft,
    files: list[DraftFile],
    form: Form,
) -> str:
    """Stamp the documents from the balance, or order stamps for them; return the path of the result."""
    drafts, stampings, orders = services
    account, member = caller.account, caller.member
    wanted, key = to_order(files), draft.order_key
    if not _matches_page(form, wanted):
        raise DraftChanged("the draft changed after the page was shown")
    if any(not one.is_placed for one in wanted):
        raise DraftNotPlaced("a document has no stamp")
    is_prepaid, sold = form.text("pay") == FROM_BALANCE, None
    needs = Permission.STAMP_AFFIX if is_prepaid else Permission.ORDER_CREATE
    if needs not in caller.permissions:
        raise NotPermitted(needs)
    if is_prepaid:
        await stampings.check_rights(account, key, sum(len(one.placements) for one in wanted))
    else:
        sold = await orders.sold_by(account, key, form.text("seller"))
        await orders.check_price(account, key, form.text("unit"), sold)
        await orders.check_turn(request, account, key)
    facts = [facts_in_texts(form.texts, f"facts-{place}-") for place in range(len(wanted))]
    uploads = [_upload(*pair) for pair in zip(wanted, facts, strict=True)]
    if is_prepaid:
        made = await stampings.stamp_all(account, key, uploads, _agreed(form), member)
        await _finished(drafts, draft, None, wanted)
        return f"/stampings/{made[0].id}" if len(made) == 1 else "/history"
    method = form.text("pay") or None
    order = await stampings.order(
        account, key, uploads, _agreed(form), member, method=method, sold=sold
    )
    await _finished(drafts, draft, read("ord", order.id), wanted)
    return f"/orders/{order.id}"


async def _finished(
    drafts: DraftService, draft: Draft, order: UUID | None, wanted: list[DraftFile]
) -> None:
    """Record that the draft was ordered or stamped. A failure is harmless: if the form is sent again, its idempotency key finds
    the same result.
    """
    try:
        await drafts.finish(draft, order, wanted)
    except Refusal as refusal:
        _log.warning("draft_not_finished", draft=show(DRAFT, draft.id), code=refusal.code)


async def _earlier_result(drafts: DraftService, account: UUID, form: Form) -> str | None:
    """Return the path of the order or stamping if the draft that the form names was ordered or stamped before, else None."""
    try:
        done = await drafts.ordered(account, read(DRAFT, form.text("draft")))
    except NotFound:
        return None
    return _result_path(done)


def _result_path(done: Draft | None) -> str | None:
    """Return the path of the result of `done`, a draft that was ordered or stamped; None if `done` is None."""
    if done is None:
        return None
    return f"/orders/{show('ord', done.order)}" if done.order else "/history"


@post(
    REVIEW,
    opt={
        "permission": Permission.STAMP_AFFIX,
        "priority": Priority.CHECKOUT,
        "keeps": ("pay",),
    },
    include_in_schema=False,
)
async def order_draft(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    stamping: NamedDependency[StampingService],
    orders: NamedDependency[OrderService],
    database: NamedDependency[Database],
    signing_in: NamedDependency[SigningIn],
    account: NamedDependency[UUID],
) -> Page:
    """Order the stamps of a draft, or stamp its documents from the balance."""
    form = await read_own_form(request)
    draft = await own_draft(request, drafts)
    if draft is None or show(DRAFT, draft.id) != form.text("draft"):
        return see_other(await _earlier_result(drafts, account, form) or CHOOSE)
    if draft.owner is None:
        return see_other(REVIEW)  # that page asks whether to adopt the files of this browser
    carry_out = partial(_stamp_or_order, request, (drafts, stamping, orders), caller_of(request))
    this = _LastLook(request, drafts, database, signing_in, orders)
    return await this.answered(draft, form, carry_out)


@post(
    SIGN_IN,
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def sign_in_to_pay(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    stamping: NamedDependency[StampingService],
    orders: NamedDependency[OrderService],
    database: NamedDependency[Database],
    accounts: NamedDependency[AccountService],
    signing_in: NamedDependency[SigningIn],
) -> Page:
    """Carry out the sign-in part of the page: send a code, or sign in by passkey, or sign in by code and order at once."""
    form = await read_form(request)
    account = await account_asking(request)
    if account is not None:  # signed in meanwhile: in another window, or by the same button before
        return see_other(await _earlier_result(drafts, account, form) or REVIEW)
    this = _LastLook(request, drafts, database, signing_in, orders)
    is_proof = "credential" in form.texts or "code" in form.texts
    # An earlier press of the button may have moved the files into the account, or ordered them. Then
    # the same code is accepted once more, and the files are found in the account.
    draft = await (open_draft if is_proof else own_draft)(request, drafts)
    try:
        if "credential" in form.texts:
            signed_in = await signing_in.prove_by_passkey(request, form)
        elif "code" in form.texts:
            signed_in = await signing_in.prove(request, form)
        elif draft is None:
            return see_other(CHOOSE)
        else:
            there = f"{REVIEW}?{urlencode({'mark': sign_in_mark(request, drafts)})}"
            sent = await signing_in.ask(request, form, there)
            return signing_in.keep(see_other(REVIEW), sent)
    except Refusal as refusal:
        if draft is None:
            return see_other(CHOOSE)
        return await this.page(draft, await drafts.files(draft), refusal, form)
    caller = await accounts.caller_of(signed_in)
    adopted = None
    if draft is not None and show(DRAFT, draft.id) == form.text("draft"):
        # A sign-in on the page of these files assigns them to the account.
        adopted = await adopt_draft(request, drafts, caller.account)
    if "credential" in form.texts:
        return await signing_in.admit(request, see_other(REVIEW), signed_in)
    request.scope["caller"] = caller  # type: ignore[typeddict-unknown-key]
    carry_out = partial(_stamp_or_order, request, (drafts, stamping, orders), caller)
    answer = await this.ordered_at_once(caller.account, adopted, form, carry_out)
    return await signing_in.admit(request, answer, signed_in)


routes = [show_review, order_draft, sign_in_to_pay]
