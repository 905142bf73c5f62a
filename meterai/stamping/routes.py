"""Stampings and the balance over the API."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai import stamps
from meterai.accounts import Permission
from meterai.documents import UploadMissing
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed
from meterai.plumbing.database import Database
from meterai.plumbing.described import FILE, Described, Schema
from meterai.plumbing.forms import read_multipart
from meterai.plumbing.http import idempotency_key, saved_as
from meterai.sealing import STAMPS_MAX
from meterai.stamping.model import StampingView, Upload, read_placements
from meterai.stamping.service import StampingService

BODY_BYTES_MAX = 24 * 1024 * 1024  # the largest document, its form fields and boundaries
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
            "of the page as it is seen; page 1 is the first, -1 the last: "
            '{"page": 1, "x": 400, "y": 60, "width": 70}',
        },
    },
}
FORM_PARTS_MAX = 8  # two are asked for, others are named and refused; every part costs time to read


class StampCounts(msgspec.Struct, frozen=True):
    """Stamps of the account: free to use, held by stampings under way, on documents."""

    available: int
    held: int
    used: int


class BalanceView(msgspec.Struct, frozen=True):
    """What the account holds."""

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
    """How many stamps the account can use."""
    async with database.reading() as tx:
        held = await stamps.balance(tx, account)
    return BalanceView(StampCounts(held.available, held.held, held.used))


async def read_upload(request: Request[Any, Any, Any]) -> Upload:
    """The document and its placements in a form.  Refuses `UploadMissing`, `Malformed`."""
    parts = {part.name: part for part in await read_multipart(request, parts_max=FORM_PARTS_MAX)}
    document, placement = parts.get("document"), parts.get("placement")
    if document is None or document.file_name is None:
        raise UploadMissing("no file in the field document")
    for unknown in sorted(parts.keys() - _FORM["properties"].keys()):
        raise Malformed(unknown, "known_name")
    if placement is None or placement.file_name is not None:
        raise Malformed("placement", "placements", placements_max=STAMPS_MAX)
    return Upload(document.file_name, document.content, read_placements(placement.content))


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
) -> StampingView:
    """Stamp a PDF; needs an Idempotency-Key.

    Multipart fields: `document` (the PDF) and `placement`, JSON such as
    `{"page": 1, "x": 400, "y": 60, "width": 70}` in points from the lower left of the page as it
    is seen; page 1 is the first, -1 the last; a list for several stamps.  A damaged document is
    repaired first, and the answer says `repaired`.
    """
    key = idempotency_key(request)
    upload = await read_upload(request)
    return await stamping.stamp(account, key, upload)


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
    """One stamping and its state."""
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
    """The original followed by its delta."""
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
    summary="Only what was added to the document",
    tags=["stampings"],
)
async def download_delta(
    stamping: NamedDependency[StampingService],
    account: NamedDependency[UUID],
    stamping_id: FromPath[str],
) -> Response[bytes]:
    """Append these bytes to your own original: the result is the stamped document."""
    identifier = read("stg", stamping_id)
    found, content = await stamping.delta(account, identifier)
    return saved_as(f"{found.document_name}.delta", content, "application/octet-stream")


routes = [show_balance, stamp_document, show_stamping, download_document, download_delta]
