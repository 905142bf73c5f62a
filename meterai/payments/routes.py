"""What providers call: the door of each rail, which answers as its provider reads answers."""

from typing import Any

from litestar import MediaType, Request, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.serialization import encode_json

from meterai.accounts import Permission
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.limiter import BusyAnswer
from meterai.payments.model import NotificationForged
from meterai.payments.rails import RailKind
from meterai.payments.service import PaymentService
from meterai.plumbing.described import Described
from meterai.plumbing.http import on_fault, on_http_exception, on_refusal

NOTIFICATION_BYTES_MAX = 64 * 1024


def notify_route(kind: RailKind) -> HTTPRouteHandler:
    """The route of one rail's notifications."""
    door = kind.door
    status, body_of_busy = door.busy
    busy = BusyAnswer(status, MediaType.JSON, encode_json(body_of_busy))

    def in_its_words(told: Response[Any]) -> Response[dict[str, Any]]:
        """What others get as problem+json."""
        status = told.status_code or 500
        answer = answered(status)
        answer.headers.update(told.headers)
        return answer

    def answered(status: int, reason: str = "") -> Response[dict[str, Any]]:
        return Response(dict(door.answer(status, reason)), status_code=status)

    @post(
        door.path,
        exception_handlers={
            Refusal: lambda request, refusal: in_its_words(on_refusal(request, refusal)),
            HTTPException: lambda request, error: in_its_words(on_http_exception(request, error)),
            Exception: lambda request, fault: in_its_words(on_fault(request, fault)),
        },
        opt={
            "permission": Permission.PROVIDER,
            "priority": Priority.MONEY,
            "single_headers": door.headers,
            "busy": busy,
            "described": Described(repeats="What a provider tells again is taken once."),
        },
        summary=door.summary,
        operation_id=f"notify_{kind.name}",
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
        path = request.scope["path"]
        try:
            is_new_or_same = await payments.take_notification(kind.name, path, headers, body)
        except NotificationForged as refusal:
            return answered(401, str(refusal))
        return answered(200 if is_new_or_same else 409)

    return notify
