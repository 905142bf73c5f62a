"""Checking over the API.  Anybody may, without a key."""

from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath

from meterai.plumbing.http import PUBLIC, desk, language_of
from meterai.sealing import CHECKED_BYTES_MAX
from meterai.verification.service import StampView, VerificationDesk, VerificationView


@post(
    "/v1/verifications",
    opt={"permission": PUBLIC},
    summary="Check a PDF",
    tags=["checking"],
    status_code=200,
    request_max_body_size=CHECKED_BYTES_MAX,
)
async def check_document(request: Request[Any, Any, Any]) -> VerificationView:
    """Check the PDF in the body (application/pdf).  It is not kept."""
    return await desk(request, VerificationDesk).check(await request.body(), language_of(request))


@get(
    "/v1/stamps/{serial:str}", opt={"permission": PUBLIC}, summary="Check a serial",
    tags=["checking"],
)  # fmt: skip
async def show_stamp(request: Request[Any, Any, Any], serial: FromPath[str]) -> StampView:
    """State of a stamp, when it was affixed, and the hash of the document it is on."""
    return await desk(request, VerificationDesk).stamp(serial)


routes = [check_document, show_stamp]
