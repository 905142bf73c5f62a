"""What the provider calls: SNAP BI service 52, QR MPM notify.  SNAP bodies, never problem+json."""

from typing import Any

from litestar import Request, Response, post

from meterai.payments.model import NotificationForged
from meterai.payments.service import PaymentDesk
from meterai.plumbing.http import PROVIDER, desk

NOTIFY_PATH = "/snap/v1.0/qr/qr-mpm-notify"
NOTIFICATION_BYTES_MAX = 64 * 1024


def _answer(status: int, case: str, message: str) -> Response[dict[str, str]]:
    return Response(
        {"responseCode": f"{status}52{case}", "responseMessage": message}, status_code=status
    )


@post(
    NOTIFY_PATH,
    opt={"permission": PROVIDER},
    summary="QR MPM notification of the payment provider (SNAP BI 52)",
    tags=["provider"],
    request_max_body_size=NOTIFICATION_BYTES_MAX,
    status_code=200,
)
async def notify(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """Keep what the provider says, and only then say that we have it."""
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        is_new_or_same = await desk(request, PaymentDesk).take_notification(
            request.url.path, headers, body
        )
    except NotificationForged as refusal:
        return _answer(401, "00", f"Unauthorized. [{refusal}]")
    if not is_new_or_same:
        return _answer(409, "00", "Conflict")
    return _answer(200, "00", "Successful")


routes = [notify]
