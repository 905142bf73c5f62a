"""Checking over the API.  Anybody may, without a key."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.kit.priority import Priority
from meterai.plumbing.bodies import unless_gone
from meterai.plumbing.config import Settings
from meterai.plumbing.described import FILE, Described
from meterai.plumbing.http import language_of, network_of
from meterai.sealing import CHECKED_BYTES_MAX
from meterai.verification.model import DocumentWrapped
from meterai.verification.service import VerificationService
from meterai.verification.service.views import (
    ClaimKeysView,
    ClaimView,
    StampView,
    VerificationView,
)
from meterai.waiting_room import Act, WaitingRoom

# The kind that every generator of clients sends; `application/pdf` is taken as well, and others.
_DOCUMENT = {"application/octet-stream": FILE | {"description": "the PDF itself, in no form"}}
_TURN = {"Waiting-Turn": "The turn of your place, while a line stands before checking."}
_CHANGES_NOTHING = "It is checked and nothing is kept of it."


@post(
    "/v1/verifications",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.CHECKING,
        "described": Described(
            repeats=_CHANGES_NOTHING, headers=_TURN, body=_DOCUMENT, refuses=(415,)
        ),
    },
    summary="Check a PDF",
    tags=["checking"],
    status_code=200,
    request_max_body_size=CHECKED_BYTES_MAX,
)
async def check_document(
    request: Request[Any, Any, Any],
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> VerificationView:
    """Check the PDF in the body (application/pdf).  It is not kept."""
    document = await _document(request, lines)
    client = network_of(request, settings.process.proxies)
    checking = verification.check(document, language_of(request), client)
    return await unless_gone(request.receive, checking)


@post(
    "/v1/verifications/sealed",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.CHECKING,
        "described": Described(
            repeats=_CHANGES_NOTHING,
            headers=_TURN,
            body=_DOCUMENT,
            file="application/pdf",
            refuses=(415,),
        ),
    },
    summary="Take the sealed revision out of a PDF",
    tags=["checking"],
    status_code=200,
    request_max_body_size=CHECKED_BYTES_MAX,
)
async def take_sealed(
    request: Request[Any, Any, Any],
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """The PDF in the body as it was stamped: its first `sealed.bytes`, without what was added since.

    It is checked and not kept.  Refused with `no_sealed_revision` unless the verdict is good.
    """
    document = await _document(request, lines)
    client = network_of(request, settings.process.proxies)
    sealed = await unless_gone(request.receive, verification.sealed(document, client))
    return Response(sealed, media_type="application/pdf")


async def _document(request: Request[Any, Any, Any], lines: WaitingRoom) -> bytes:
    """The body, which is the document.  Refuses `DocumentWrapped`, and whoever has to wait in a line."""
    media_type, _ = request.content_type
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if media_type == RequestEncodingType.MULTI_PART or encoding != "identity":
        raise DocumentWrapped(f"a body of {media_type}, encoded as {encoding}")
    await lines.check_turn(request, None, Act.CHECK)
    return await request.body()


@get(
    "/v1/stamps/{serial:str}", opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING}, summary="Check a serial",
    tags=["checking"],
)  # fmt: skip
async def show_stamp(
    request: Request[Any, Any, Any],
    verification: NamedDependency[VerificationService],
    serial: FromPath[str],
) -> StampView:
    """State of a stamp, when it was affixed, and the hash of the document it is on.

    A number proves no document: `document_checked` is false.  Check the file itself.
    """
    return await verification.stamp(serial, language_of(request))


@get(
    "/v1/claims/{serial:str}/{claim:str}",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    summary="Check a QR code",
    tags=["checking"],
)
async def show_claim(
    request: Request[Any, Any, Any],
    verification: NamedDependency[VerificationService],
    serial: FromPath[str],
    claim: FromPath[str],
) -> ClaimView:
    """What the QR code on a stamp says: the last two parts of its address.

    `holds` means that the issuer made the code for one document, not that the paper it was found
    on is that document: compare `sha256_original_begins` with the file, or check the file itself.
    """
    scanned = f"{serial}/{claim}"
    return await verification.claim(scanned, language_of(request))


@get(
    "/v1/claim-keys",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    summary="The keys of the QR codes",
    tags=["checking"],
)
async def list_claim_keys(
    verification: NamedDependency[VerificationService],
) -> ClaimKeysView:
    """The public keys that QR codes are signed with: with them anybody can check one offline."""
    return verification.claim_keys()


routes = [check_document, take_sealed, show_stamp, show_claim, list_claim_keys]
