"""Routes of the API for stampings and for the balance of stamps."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from meterai import stamps
from meterai.accounts import Permission
from meterai.documents import UploadMissing
from meterai.kit.ids import read
from meterai.kit.labels import METADATA_ENTRIES_MAX, REFERENCE_LENGTH_MAX, Labels, labels
from meterai.kit.numbers import counted
from meterai.kit.paging import PAGE_MAX, ListPage
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed
from meterai.orders import OrderService, OrderView
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.described import FILE, Described, Schema
from meterai.plumbing.http.forms import UNNAMED, FormPart, read_multipart
from meterai.plumbing.http.queries import Before, Limit, Reference, Since, moment
from meterai.plumbing.http.requests import idempotency_key, read_json, saved_as
from meterai.sealing import STAMPS_MAX
from meterai.stamping.facts import NO_FACTS, DocumentFacts, read_facts
from meterai.stamping.model import (
    StampingFilter,
    StampingState,
    StampingView,
    Upload,
    read_placements,
)
from meterai.stamping.service import StampingService
from meterai.stamping.settings import StampingSettings

BODY_BYTES_MAX = 24 * 1024 * 1024  # the largest document, with form fields and boundaries
ORDER_BODY_BYTES_MAX = 100 * 1024 * 1024  # all documents of an order; the largest body in the API
_FORM: Schema = {
    "type": "object",
    "required": ["document", "placement"],
    "properties": {
        "document": FILE
        | {
            "description": "the PDF; a damaged one is repaired first, and the answer says "
            "`repaired`; one that needs a password to open is refused with `document_encrypted`"
        },
        "placement": {
            "type": "string",
            "description": "JSON: one placement or a list of them, in points from the lower left "
            "corner of the page as it is displayed; page 1 is the first, -1 the "
            'last: {"page": 1, "x": 400, "y": 60, "width": 70}; in a corner: '
            '{"corner": "bottom_right", "page": -1, "margin": 36}; or at a text, '
            "refused with `text_not_found` if the page does not contain it: "
            '{"text": "Yang menyatakan", "occurrence": 1, "dx": 0, "dy": -120}',
        },
        "reference": {
            "type": "string",
            "minLength": 1,
            "maxLength": REFERENCE_LENGTH_MAX,
            "description": "your own number for finding it again; no personal data",
        },
        "metadata": {
            "type": "string",
            "description": f"JSON: an object of at most {METADATA_ENTRIES_MAX} of your own texts "
            "by name; no personal data",
        },
        "facts": {
            "type": "string",
            "description": "JSON: the facts of the document, required for a collector and "
            'optional for others: {"type": "4a", "number": "INV-1", "date": '
            '"2026-11-30", "value": 7500000, "party": {"name": "PT Contoh", '
            '"identity": "NPWP", "number": "0123456789012345"}}; type is 4a, 4b, '
            "3 or 2, identity KTP, NPWP or other",
        },
    },
}
FORM_PARTS_MAX = 8  # five names are known, others are refused; bounds the time of reading


_SHA256 = re.compile("[0-9a-fA-F]{64}")


class StampCounts(msgspec.Struct, frozen=True):
    """Numbers of stamps of the account: free to use, held by stampings under way, and affixed to documents."""

    available: int
    held: int
    used: int


class BalanceView(msgspec.Struct, frozen=True):
    """Balance of the account."""

    stamps: StampCounts


@get(
    "/v1/balance",
    opt={"permission": Permission.BALANCE_READ, "priority": Priority.PAID},
    summary="Your stamps",
    tags=["stampings"],
)
async def show_balance(
    database: NamedDependency[Database], account: NamedDependency[UUID]
) -> BalanceView:
    """Show the numbers of stamps of the account: free, held and affixed."""
    async with database.reading() as tx:
        held = await stamps.balance(tx, account)
    return BalanceView(StampCounts(held.available, held.held, held.used))


async def read_upload(request: Request[Any, Any, Any]) -> Upload:
    """Read document, placements, labels and facts from a multipart form. Refuses `UploadMissing`, `Malformed`."""
    parts = {part.name: part for part in await read_multipart(request, parts_max=FORM_PARTS_MAX)}
    document, placement = parts.get("document"), parts.get("placement")
    if document is None or document.file_name is None:
        raise UploadMissing("the field document has no file")
    for unknown in sorted(parts.keys() - _FORM["properties"].keys()):
        raise Malformed(unknown, "known_name")
    if placement is None or placement.file_name is not None:
        raise Malformed("placement", "placements", placements_max=STAMPS_MAX)
    placements = read_placements(placement.content)
    return Upload(
        document.file_name,
        document.content,
        placements,
        labels=_labels(parts),
        facts=_facts(parts.get("facts")),
    )


def _facts(part: FormPart | None) -> DocumentFacts:
    """Read the facts of a document from a part of a form, in JSON. Refuses `Malformed`."""
    if part is None:
        return NO_FACTS
    if part.file_name is not None:
        raise Malformed("facts", "text")
    return read_facts(read_json(part.content, DocumentFacts))


def _labels(parts: Mapping[str, FormPart]) -> Labels:
    """Read the client's labels (reference and metadata) from the parts of a form. Refuses `Malformed`."""
    reference, metadata = parts.get("reference"), parts.get("metadata")
    for part in (reference, metadata):
        if part is not None and part.file_name is not None:
            raise Malformed(part.name, "text")
    return labels(
        None if reference is None else _text(reference),
        None if metadata is None else _texts(metadata.content),
    )


def _text(part: FormPart) -> str:
    try:
        return part.content.decode()
    except UnicodeError:
        raise Malformed(part.name, "text") from None


def _texts(content: bytes) -> dict[str, str]:
    try:
        found: dict[str, str] = read_json(content, dict[str, str])
    except Malformed as wrong:
        wrong.field = "metadata"  # the field of the form; the refusal names no entry of it
        raise
    return found


@post(
    "/v1/stampings",
    opt={
        "permission": Permission.STAMP_AFFIX,
        "priority": Priority.PAID,
        "described": Described(needs_key=True, body={"multipart/form-data": _FORM}),
    },
    summary="Stamp a document from the balance",
    tags=["stampings"],
    request_max_body_size=BODY_BYTES_MAX,
)
async def stamp_document(
    request: Request[Any, Any, Any],
    stamping: NamedDependency[StampingService],
    account: NamedDependency[UUID],
    member: NamedDependency[UUID | None],
) -> StampingView:
    """Stamp a PDF; needs an Idempotency-Key.

    Multipart fields: `document` (the PDF) and `placement`, JSON such as
    `{"page": 1, "x": 400, "y": 60, "width": 70}` in points from the lower left of the page as it
    is shown; page 1 is the first, -1 the last; a list for several stamps.  A damaged document is
    repaired first, and `repaired` in the answer is then true.
    """
    key = idempotency_key(request)
    upload = await read_upload(request)
    return await stamping.stamp(account, key, upload, member)


_ORDER_FORM: Schema = {
    "type": "object",
    "required": ["document", "placements"],
    "properties": {
        "document": {
            "type": "array",
            "items": FILE,
            "description": "the PDFs, each in a part of the form",
        },
        "placements": {
            "type": "string",
            "description": "JSON: a list with the `placement` of each document in their order, "
            "as for POST /v1/stampings; or one object that applies to each of them",
        },
        "facts": {
            "type": "string",
            "description": (
                "JSON: a list with the `facts` of each document in their order, as "
                "for POST /v1/stampings"
            ),
        },
        "payment_method": {
            "type": "string",
            "description": (
                "the name of a payment method of this installation; if absent, the default method"
            ),
        },
        "seller": {
            "type": "string",
            "description": (
                "the name of a distributor's sales page; the distributor's fee is "
                "charged in addition to ours"
            ),
        },
        "seller_fee": {
            "type": "string",
            "description": (
                "the rupiah of that fee that your buyer was shown; another fee is refused"
            ),
        },
        **{name: _FORM["properties"][name] for name in ("reference", "metadata")},
    },
}


class OrderedDocuments(msgspec.Struct, frozen=True):
    """An order, and the stampings of its documents, sorted by the position of the document in the order."""

    order: OrderView
    stampings: list[StampingView]


def _uploads(documents: Sequence[FormPart], text: bytes, facts: FormPart | None) -> list[Upload]:
    """Return each document with its placements and facts, read from JSON in `text` and `facts`. Refuses `Malformed`."""
    decoded = read_json(text, dict[str, object] | list[object])
    each = decoded if isinstance(decoded, list) else [decoded] * len(documents)
    if len(each) != len(documents):
        raise Malformed("placements", "one_for_each", documents=len(documents))
    are = [NO_FACTS] * len(documents)
    if facts is not None:
        are = [read_facts(one) for one in read_json(facts.content, list[DocumentFacts])]
    if len(are) != len(documents):
        raise Malformed("facts", "one_for_each", documents=len(documents))
    return [
        Upload(
            one.file_name or UNNAMED,
            one.content,
            read_placements(msgspec.json.encode(wish)),
            facts=what,
        )
        for one, wish, what in zip(documents, each, are, strict=True)
    ]


def _rupiah(name: str, text: str) -> int:
    """Read an amount in rupiah from the field `name`. Refuses `Malformed`."""
    if (found := counted(text.strip())) is None:
        raise Malformed(name, "field_number")
    return found


@post(
    "/v1/orders/documents",
    opt={
        "permission": Permission.ORDER_CREATE,
        "also": Permission.STAMP_AFFIX,  # after the payment stamping starts without another request
        "priority": Priority.CHECKOUT,
        "described": Described(
            needs_key=True,
            body={"multipart/form-data": _ORDER_FORM},
            headers={"Waiting-Turn": "The turn of your place, while a line guards buying."},
        ),
    },
    summary="Order stamps with their documents",
    tags=["orders"],
    request_max_body_size=ORDER_BODY_BYTES_MAX,
)
async def order_documents(
    request: Request[Any, Any, Any],
    stamping: NamedDependency[StampingService],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    member: NamedDependency[UUID | None],
    settings: NamedDependency[Settings],
) -> OrderedDocuments:
    """Order the stamping of documents, with one payment for all; needs an Idempotency-Key.

    Each document is inspected at once, so that nobody pays for one that cannot be stamped. The documents are stamped
    when the order is paid; `GET /v1/stampings/{id}/document` then returns each of them.
    """
    key = idempotency_key(request)
    await orders.check_turn(request, account, key)
    most = settings.of(StampingSettings).stampings_per_order_max
    parts = await read_multipart(
        request, parts_max=most + len(_ORDER_FORM["properties"]), several_files=True
    )
    fields = {part.name: part for part in parts if part.name != "document"}
    for unknown in sorted({part.name for part in parts} - _ORDER_FORM["properties"].keys()):
        raise Malformed(unknown, "known_name")
    documents = [part for part in parts if part.file_name and part.name == "document"]
    if not documents:
        raise UploadMissing("the field document has no file")
    if (wishes := fields.get("placements")) is None or wishes.file_name is not None:
        raise Malformed("placements", "placements", placements_max=STAMPS_MAX)
    method = _text(fields["payment_method"]) if "payment_method" in fields else None
    uploads = _uploads(documents, wishes.content, fields.get("facts"))
    seller = _text(fields["seller"]) if "seller" in fields else None
    fee = _rupiah("seller_fee", _text(fields["seller_fee"])) if "seller_fee" in fields else None
    order = await stamping.order(
        account,
        key,
        uploads,
        member=member,
        method=method,
        written=_labels(fields),
        sold=await orders.sold_by(account, key, seller, fee),
    )
    return OrderedDocuments(order, await stamping.of_order(account, read("ord", order.id)))


class StampingList(msgspec.Struct, frozen=True):
    """Stampings, newest first.  `next` is the value of `before` for the next page; null on the last page."""

    stampings: list[StampingView]
    next: str | None


# The parameter `state` has another name here, because the framework uses that name. It is converted by this module, so
# that a refusal names the parameter.
InState = Annotated[
    str | None,
    QueryParameter(
        name="state",
        description="Only stampings in this state.",
        schema_extra={"enum": [str(one) for one in StampingState]},
    ),
]
Document = Annotated[
    str | None,
    QueryParameter(description="Only stampings of the original with this SHA-256, in hexadecimal."),
]


@get(
    "/v1/stampings",
    opt={"permission": Permission.STAMPING_READ, "priority": Priority.PAID},
    summary="Your stampings",
    tags=["stampings"],
)
async def list_stampings(
    stamping: NamedDependency[StampingService],
    account: NamedDependency[UUID],
    limit: Limit = PAGE_MAX,
    before: Before = None,
    in_state: InState = None,
    reference: Reference = None,
    document: Document = None,
    since: Since = None,
) -> StampingList:
    """List a page of your stampings, newest first; a stamping must match all given filters."""
    page = ListPage(limit, read("stg", before)) if before else ListPage(limit)
    wanted = StampingFilter(
        None if in_state is None else _read_state(in_state),
        reference,
        None if document is None else _sha256(document),
        None if since is None else moment("since", since),
    )
    found, is_more = await stamping.page(account, page, wanted)
    return StampingList(found, found[-1].id if is_more else None)


def _read_state(text: str) -> StampingState:
    try:
        return StampingState(text)
    except ValueError:
        raise Malformed("state", "known_name") from None


def _sha256(text: str) -> bytes:
    if _SHA256.fullmatch(text) is None:
        raise Malformed("document", "sha256")
    return bytes.fromhex(text)


@get(
    "/v1/stampings/{stamping_id:str}",
    opt={"permission": Permission.STAMPING_READ, "priority": Priority.PAID},
    summary="One stamping",
    tags=["stampings"],
)
async def show_stamping(
    stamping: NamedDependency[StampingService],
    account: NamedDependency[UUID],
    stamping_id: FromPath[str],
) -> StampingView:
    """Show one stamping and its state."""
    return await stamping.view(account, read("stg", stamping_id))


@get(
    "/v1/stampings/{stamping_id:str}/document",
    opt={
        "permission": Permission.DOCUMENT_READ,
        "priority": Priority.PAID,
        "described": Described(file="application/pdf"),
    },
    summary="The stamped document",
    tags=["stampings"],
)
async def download_document(
    stamping: NamedDependency[StampingService],
    account: NamedDependency[UUID],
    stamping_id: FromPath[str],
) -> Response[bytes]:
    """Download the stamped document: the original, followed by its delta."""
    identifier = read("stg", stamping_id)
    found, content = await stamping.document(account, identifier)
    return saved_as(found.document_name, content, "application/pdf")


@get(
    "/v1/stampings/{stamping_id:str}/delta",
    opt={
        "permission": Permission.DOCUMENT_READ,
        "priority": Priority.PAID,
        "described": Described(file="application/octet-stream"),
    },
    summary="Only the part added to the document",
    tags=["stampings"],
)
async def download_delta(
    stamping: NamedDependency[StampingService],
    account: NamedDependency[UUID],
    stamping_id: FromPath[str],
) -> Response[bytes]:
    """Download the delta.  Appended to your copy of the original, it makes the stamped document."""
    identifier = read("stg", stamping_id)
    found, content = await stamping.delta(account, identifier)
    return saved_as(f"{found.document_name}.delta", content, "application/octet-stream")


routes = [
    show_balance,
    stamp_document,
    order_documents,
    list_stampings,
    show_stamping,
    download_document,
    download_delta,
]
