"""Putting stamps on documents: the form."""

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from meterai import sealing, stamps
from meterai.accounts import Permission
from meterai.documents import UploadMissing
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.orders import OrderService
from meterai.pages import (
    FieldError,
    FieldWrong,
    Form,
    Page,
    PageRequest,
    form_key,
    fresh_key,
    page,
    read_own_form,
    see_other,
    sentence,
)
from meterai.plumbing.database import Database, DatabaseAway
from meterai.plumbing.forms import PARTS_MAX
from meterai.plumbing.http import (
    IdempotencyKeyReused,
    account_of,
    language_of,
)
from meterai.plumbing.messages import format_size, translate
from meterai.portal.model import PlacementChoice, choice_of
from meterai.stamping import StampedBefore, StampingService, Upload
from meterai.stamps import NotEnoughStamps
from meterai.waiting_room import Act, Guarded, WaitingRoom, WaitInLine

# Five full-sized documents, or the twenty of an order at 5 MiB each: more in one request would
# be lost whole when a phone's connection breaks.
FILES_BYTES_MAX = 100 * 1024 * 1024
UPLOAD_BYTES_MAX = FILES_BYTES_MAX + 64 * 1024  # with the fields of the form and boundaries
FROM_BALANCE = "balance"
_FIRST: Mapping[str, str] = {"place": "lower_right", "page": "last", "width": "80"}
_KEPT = ("place", "page", "page_number", "x", "y", "width", "pay")
_FIELD_OF_CODE = {
    "page_out_of_range": "page",
    "placement_outside_page": "place",
    "placement_malformed": "width",
    "not_enough_stamps": "pay",
    "stamped_before": "again",
    "order_too_large": "document",
}


class DocumentRefused(Exception):
    """One document of several was refused; the form says which."""

    def __init__(self, name: str, refusal: Refusal) -> None:
        super().__init__(name)
        self.name = name
        self.refusal = refusal


async def available(database: Database, account: UUID) -> int:
    """How many stamps the account can use."""
    async with database.reading() as tx:
        return (await stamps.balance(tx, account)).available


class FormTooLarge(Refusal):
    """The files of one form are larger than one request may be.  Sizes in bytes."""

    code = "form_too_large"
    status = 413

    def __init__(self, *, sum_bytes: int) -> None:
        super().__init__(f"at most {sum_bytes} bytes in one form")
        self.sum_bytes = sum_bytes


async def _form_page(
    request: PageRequest,
    database: Database,
    typed: Mapping[str, str],
    key: str,
    errors: Sequence[FieldError] = (),
    refusal: Refusal | None = None,
) -> Page:
    before = refusal.found if isinstance(refusal, StampedBefore) else ()
    return page(
        request,
        "portal/stamp.html",
        status=refusal.status if refusal else 200,
        typed={**dict.fromkeys(_KEPT, ""), **_FIRST, **typed},
        key=key,
        errors=errors,
        available=await available(database, account_of(request)),
        # Without a form that was read there is nothing to keep, and no file to choose once more.
        is_again=refusal is not None and not isinstance(refusal, FormTooLarge | UploadMissing),
        before=before,
        again=",".join(sorted({one.sha256_original.hex() for one in before})),
        # The connection to the database broke: what was asked may have happened all the same.
        is_unknown=isinstance(refusal, DatabaseAway),
        sum=format_size(FILES_BYTES_MAX, language_of(request)),
        sum_bytes=FILES_BYTES_MAX,
        width_min=int(sealing.WIDTH_MIN),
        width_max=int(sealing.WIDTH_MAX),
    )


@get(
    "/stamp",
    opt={
        "permission": Permission.STAMP_AFFIX,
        "priority": Priority.CHECKOUT,
        # Whoever stamps from the balance has paid, and waits for nothing.
        "guarded": Guarded(Act.BUY, is_entrance=False),
    },
    include_in_schema=False,
)
async def show_stamp_form(
    request: PageRequest,
    database: NamedDependency[Database],
    lines: NamedDependency[WaitingRoom],
    account: NamedDependency[UUID],
) -> Page:
    """Documents, the place of the stamp, and how it is paid.

    Who has no stamps and no turn goes into the line first, before any file is chosen.
    """
    line = await lines.waiting_line(request, Act.BUY)
    if line is not None and not await available(database, account):
        return see_other(WaitInLine(line.name).join_for("/stamp"))
    return await _form_page(request, database, {}, fresh_key())


async def placed(
    stamping: StampingService,
    account: UUID,
    file: tuple[str, bytes],
    choice: PlacementChoice,
    may: sealing.Permission | None,
) -> Upload:
    """A document with its placement in points, mended where it was broken.

    Refuses what `sealing` refuses.
    """
    name, content = file
    intake = await stamping.ingest(account, content, [choice.probe()], may)
    placement = choice.on(intake.inspection.sizes[0])
    return Upload(name, intake.document, (placement,), is_repaired=intake.is_repaired)


async def _uploads(stamping: StampingService, account: UUID, form: Form, key: str) -> list[Upload]:
    if not form.files:
        raise UploadMissing("no file was chosen")
    choice = choice_of(form.texts)
    may: sealing.Permission | None = None
    if form.text("pay") == FROM_BALANCE:
        may = partial(stamping.check_rights, account, key, len(form.files))
    found = []
    # One after the other: a page of ours must not take all processors for one visitor.
    for file in form.files:
        try:
            found.append(await placed(stamping, account, file, choice, may))
        except NotEnoughStamps:
            raise
        except Refusal as refusal:
            raise DocumentRefused(file[0], refusal) from None
    return found


def _agreed(form: Form) -> frozenset[bytes]:
    """The documents that shall be stamped although they were before; the page named them."""
    try:
        return frozenset(bytes.fromhex(one) for one in form.text("again").split(",")[:PARTS_MAX])
    except ValueError:
        return frozenset()


async def _carried_out(
    request: PageRequest,
    stamping: StampingService,
    orders: OrderService,
    account: UUID,
    form: Form,
) -> str:
    """Stamp the documents, or order it; the address to go on to, which says what became of it."""
    key, agreed = form_key(form.text("key")), _agreed(form)
    if form.text("pay") != FROM_BALANCE:
        await orders.check_turn(request, account, key)
    uploads = await _uploads(stamping, account, form, key)
    if form.text("pay") != FROM_BALANCE:
        order = await stamping.order(account, key, uploads, agreed)
        return f"/orders/{order.id}"
    made = await stamping.stamp_all(account, key, uploads, agreed)
    return f"/stampings/{made[0].id}" if len(made) == 1 else "/history"


def _field_error(refusal: Refusal, language: str, document: str | None) -> FieldError:
    if isinstance(refusal, IdempotencyKeyReused):
        return FieldError("document", translate("page.stamp.sent_before", language))
    if isinstance(refusal, FieldWrong):
        return FieldError(refusal.field, sentence(refusal, language))
    text = sentence(refusal, language)
    named = f"{document}: {text}" if document else text
    return FieldError(_FIELD_OF_CODE.get(refusal.code, "document"), named)


@post(
    "/stamp",
    opt={"permission": Permission.STAMP_AFFIX, "priority": Priority.CHECKOUT},
    include_in_schema=False,
    request_max_body_size=UPLOAD_BYTES_MAX,
)
async def stamp(
    request: PageRequest,
    stamping: NamedDependency[StampingService],
    orders: NamedDependency[OrderService],
    database: NamedDependency[Database],
    account: NamedDependency[UUID],
) -> Page:
    """Order the stamps of documents, or stamp them from the balance."""
    try:
        form = await read_own_form(request)
    except RequestEntityTooLarge:
        too_large = FormTooLarge(sum_bytes=FILES_BYTES_MAX)
        errors = [_field_error(too_large, language_of(request), None)]
        return await _form_page(request, database, {}, fresh_key(), errors, too_large)
    document = None
    try:
        return see_other(await _carried_out(request, stamping, orders, account, form))
    except WaitInLine as wrong:
        return see_other(wrong.join_for("/stamp"))
    except DocumentRefused as wrong:
        refusal, document = wrong.refusal, wrong.name
    except Refusal as wrong:
        refusal = wrong
    # A key that was used stays with what it was used for; anything else may be sent again.
    is_used = isinstance(refusal, IdempotencyKeyReused)
    key = fresh_key() if is_used else form_key(form.text("key"))
    typed = {name: form.text(name) for name in _KEPT}
    field_error = _field_error(refusal, language_of(request), document)
    return await _form_page(request, database, typed, key, [field_error], refusal)


routes = [show_stamp_form, stamp]
