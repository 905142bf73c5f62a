"""Webhook endpoints of all rails, which providers call, with answers in the format of the provider."""

from collections.abc import Iterator, Mapping
from typing import Any

from litestar import MediaType, Request, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.serialization import encode_json

from meterai.accounts import Permission
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.limiter import BusyAnswer
from meterai.payments.bank_calls import BankCalls
from meterai.payments.model import ProviderCallKind
from meterai.payments.rails import ProviderEndpoint, RailKind
from meterai.plumbing.http.described import Described
from meterai.plumbing.http.problems import on_fault, on_http_exception, on_refusal

CALL_BYTES_MAX = 64 * 1024
_REPEATS = {
    ProviderCallKind.NOTIFICATION: "A repeated notification of a provider is processed once.",
    ProviderCallKind.TOKEN: "Each call makes another token; all of them are valid.",
    ProviderCallKind.INQUIRY: "It only asks.",
    ProviderCallKind.PAYMENT: (
        "A repeated notification of a bank is processed once, and answered as before."
    ),
}


def endpoints_of(kind: RailKind) -> Iterator[HTTPRouteHandler]:
    """The routes for the webhook endpoints of one kind of rail, and of its family, if it has one."""
    for endpoint in kind.endpoints:
        yield _own_route(kind.name, endpoint)
    for endpoint in kind.family.endpoints if kind.family else ():
        yield _route_of_many(f"{kind.family.name if kind.family else ''}_bank", endpoint)


def _own_route(rail: str, endpoint: ProviderEndpoint) -> HTTPRouteHandler:
    @post(endpoint.path, **_options(rail, endpoint))
    async def take(
        request: Request[Any, Any, Any], bank_calls: NamedDependency[BankCalls]
    ) -> Response[Mapping[str, object]]:
        """Process a call of the provider; the answer is sent after the result is stored."""
        return await _take(request, bank_calls, rail, endpoint)

    return take


def _route_of_many(family: str, endpoint: ProviderEndpoint) -> HTTPRouteHandler:
    @post(endpoint.path, **_options(family, endpoint))
    async def take(
        request: Request[Any, Any, Any],
        bank_calls: NamedDependency[BankCalls],
        rail: FromPath[str],
    ) -> Response[Mapping[str, object]]:
        """Process a call of the provider; the answer is sent after the result is stored."""
        return await _take(request, bank_calls, rail, endpoint)

    return take


async def _take(
    request: Request[Any, Any, Any], calls: BankCalls, rail: str, endpoint: ProviderEndpoint
) -> Response[Mapping[str, object]]:
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    said = await calls.take(rail, endpoint, request.scope["path"], headers, body)
    return Response(said.body, status_code=said.status)


def _options(name: str, endpoint: ProviderEndpoint) -> dict[str, Any]:
    status, body_of_busy = endpoint.busy
    operation = "notify" if endpoint.kind is ProviderCallKind.NOTIFICATION else endpoint.kind

    def in_provider_format(told: Response[Any]) -> Response[Any]:
        """Convert a refusal from problem+json to the format of the provider."""
        status = told.status_code or 500
        answer = Response(dict(endpoint.answer(status, "")), status_code=status)
        answer.headers.update(told.headers)
        return answer

    return {
        "exception_handlers": {
            Refusal: lambda request, refusal: in_provider_format(on_refusal(request, refusal)),
            HTTPException: lambda request, error: in_provider_format(
                on_http_exception(request, error)
            ),
            Exception: lambda request, fault: in_provider_format(on_fault(request, fault)),
        },
        "opt": {
            "permission": Permission.PROVIDER,
            "priority": Priority.MONEY,
            "single_headers": endpoint.headers,
            "busy": BusyAnswer(status, MediaType.JSON, encode_json(body_of_busy)),
            "described": Described(repeats=_REPEATS[endpoint.kind]),
        },
        "summary": endpoint.summary,
        "operation_id": f"{operation}_{name}",
        "tags": ["provider"],
        "request_max_body_size": CALL_BYTES_MAX,
        "status_code": 200,
    }
