"""Refusals and faults as answers.

A refusal becomes `application/problem+json` (RFC 9457) with our stable `code` under the API, and a page
elsewhere.  A fault is answered with a number to ask about, and with nothing else of it.
"""

import math
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from meterai.kit.clock import SystemClock
from meterai.kit.refusal import Malformed, Refusal
from meterai.plumbing.db.transactions import FULL, StorageFull
from meterai.plumbing.http.head import is_api
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import expectation_of
from meterai.plumbing.messages import for_program, localize, translate
from meterai.plumbing.observe import telemetry
from meterai.plumbing.observe.exchange import EXCHANGE

PROBLEM = "application/problem+json"
TOO_LARGE_FOR_PAGE = "request_too_large"
MESSAGE_OF_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "document_too_large"}

_log = structlog.get_logger()


def problem(
    code: str, status: int, language: str, facts: Mapping[str, object]
) -> dict[str, object]:
    """The body of a refusal (RFC 9457): the standard members, our code and its facts, and the id of the
    request that is refused."""
    exchange = EXCHANGE.get()
    if exchange is not None:
        exchange.code = code
    return {
        **for_program(facts),
        "type": f"/docs/problems#{code}",
        "title": translate(f"refusal.{code}", language, **localize(facts, language)),
        "status": status,
        "code": code,
        **({} if exchange is None else {"request_id": exchange.id}),
    }


def retry_after(refusal: Refusal) -> Mapping[str, str]:
    """The header that says after how many seconds a refusal may be another answer (RFC 9110,
    section 10.2.3): the time of its fact `retry_at`, else what its kind says; none where time
    changes nothing."""
    at = refusal.facts().get("retry_at")
    if isinstance(at, datetime):
        seconds = math.ceil((at - SystemClock().now()).total_seconds())
        return {"Retry-After": str(max(1, seconds))}
    after = refusal.retry_after_seconds
    return {} if after is None else {"Retry-After": str(after)}


def rate_limit(refusal: Refusal, seconds: str | None) -> Mapping[str, str]:
    """The headers that name a limit of which nothing is left, and how much it is
    (draft-ietf-httpapi-ratelimit-headers-11).  Only a refusal has them: what is left otherwise would have
    to be counted for each order.  What the process takes in at once is told to each key (`apps/edge.py`)."""
    if refusal.quota is None:
        return {}
    name, fact = refusal.quota
    found = {"RateLimit": f'"{name}";r=0' + (f";t={seconds}" if seconds else "")}
    if fact:
        found["RateLimit-Policy"] = f'"{name}";q={refusal.facts()[fact]}'
    return found


def answer_problem(
    request: Request[Any, Any, Any],
    code: str,
    status: int,
    facts: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> Response[dict[str, object]]:
    """A refusal as a response."""
    telemetry.REFUSALS.labels(code=code).inc()
    return Response(
        problem(code, status, language_of(request), facts),
        status_code=status,
        media_type=PROBLEM,
        headers=headers or {},
    )


def on_refusal(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
    """Answer with the refusal."""
    headers = dict(retry_after(refusal))
    headers |= rate_limit(refusal, headers.get("Retry-After"))
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return answer_problem(request, refusal.code, refusal.status, refusal.facts(), headers)


def _what_was_wrong(error: HTTPException) -> dict[str, object]:
    """Field and expectation of what could not be read; of a whole body it tells only a name of ours."""
    match error.extra:
        case [{"key": str(key), "message": str(message)}, *_] if key != "data":
            wrong = Malformed(key, expectation_of(message))
        case _:
            wrong = Malformed("body", "readable")
    return wrong.facts()


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer what the framework refused: unknown paths, wrong methods, bodies it cannot read."""
    code = MESSAGE_OF_STATUS.get(error.status_code, "malformed")
    status = error.status_code if error.status_code != 400 else 422
    facts = _what_was_wrong(error) if code == "malformed" else {}
    if status == 413:
        if not is_api(request.scope):  # a form may have no file, and its size is not known
            code = TOO_LARGE_FOR_PAGE
        facts = {"limit_bytes": request.route_handler.resolve_request_max_body_size()}
    return answer_problem(request, code, status, facts)


def on_fault(request: Request[Any, Any, Any], fault: Exception) -> Response[Any]:
    """Answer a fault with 500 and a number, which is in the log too; nothing else of it is shown.

    A disk without room is no fault of ours and passes: 503.
    """
    if isinstance(fault, OSError) and fault.errno in FULL:
        _log.error("storage_full", fault=repr(fault))
        return on_refusal(request, StorageFull(str(fault)))
    number = secrets.token_hex(6)
    telemetry.FAULTS.labels(where="web").inc()
    # The template of the path: the path itself has serials and ids in it.
    route = request.scope.get("path_template") or "none"
    _log.error("fault", number=number, route=route, fault=repr(fault), exc_info=fault)
    return answer_problem(request, "fault", 500, {"number": number})
