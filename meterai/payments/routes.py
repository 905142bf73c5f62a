"""What the provider calls: SNAP BI service 52, QR MPM notify.  SNAP bodies, never problem+json."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException

from meterai.accounts import Permission
from meterai.kit.refusal import Refusal
from meterai.payments.model import NotificationForged
from meterai.payments.service import PaymentService
from meterai.plumbing.http import on_fault, on_http_exception, on_refusal

NOTIFY_PATH = "/snap/v1.0/qr/qr-mpm-notify"
NOTIFICATION_BYTES_MAX = 64 * 1024
_PHRASES = {
    408: "Request Timeout",
    413: "Request Entity Too Large",
    500: "General Error",
    503: "Service Unavailable",
}


def _answer(status: int, case: str, message: str) -> Response[dict[str, str]]:
    return Response(
        {"responseCode": f"{status}52{case}", "responseMessage": message}, status_code=status
    )


def _in_its_words(told: Response[Any]) -> Response[dict[str, str]]:
    """What others get as problem+json, as the provider reads it; anything not 2xx is sent again."""
    status = told.status_code or 500
    answer = _answer(status, "00", _PHRASES.get(status, "Bad Request"))
    answer.headers.update(told.headers)
    return answer


@post(
    NOTIFY_PATH,
    exception_handlers={
        Refusal: lambda request, refusal: _in_its_words(on_refusal(request, refusal)),
        HTTPException: lambda request, error: _in_its_words(on_http_exception(request, error)),
        Exception: lambda request, fault: _in_its_words(on_fault(request, fault)),
    },
    opt={"permission": Permission.PROVIDER},
    summary="QR MPM notification of the payment provider (SNAP BI 52)",
    tags=["provider"],
    request_max_body_size=NOTIFICATION_BYTES_MAX,
    status_code=200,
)
async def notify(
    request: Request[Any, Any, Any], payments: NamedDependency[PaymentService]
) -> Response[dict[str, str]]:
    """Keep what the provider says, and only then say that we have it."""
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        is_new_or_same = await payments.take_notification(request.scope["path"], headers, body)
    except NotificationForged as refusal:
        return _answer(401, "00", f"Unauthorized. [{refusal}]")
    if not is_new_or_same:
        return _answer(409, "00", "Conflict")
    return _answer(200, "00", "Successful")


routes = [notify]
