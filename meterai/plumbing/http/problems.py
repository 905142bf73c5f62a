"""Answers for refusals and faults.

A refusal becomes `application/problem+json` (RFC 9457) with our stable `code` under the API, and a page elsewhere. A
fault is answered with a number to quote to support, and without details.
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
    """Return the body of a refusal (RFC 9457): the standard members, our code with its facts, and the id of the request."""
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
    """Return the header Retry-After in seconds (RFC 9110, section 10.2.3): until the time in the fact `retry_at`, else the
    seconds that the refusal declares; empty if waiting does not help.
    """
    at = refusal.facts().get("retry_at")
    if isinstance(at, datetime):
        seconds = math.ceil((at - SystemClock().now()).total_seconds())
        return {"Retry-After": str(max(1, seconds))}
    after = refusal.retry_after_seconds
    return {} if after is None else {"Retry-After": str(after)}


def rate_limit(refusal: Refusal, seconds: str | None) -> Mapping[str, str]:
    """Return the RateLimit headers for an exhausted limit and its size (draft-ietf-httpapi-ratelimit-headers-11).

    Only refusals have them: for other answers the remaining number would have to be counted at each request. The limit of
    requests under way is sent with each answer to an API key (`apps/edge.py`).
    """
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
    """Return a refusal as a response of problem JSON."""
    telemetry.REFUSALS.labels(code=code).inc()
    return Response(
        problem(code, status, language_of(request), facts),
        status_code=status,
        media_type=PROBLEM,
        headers=headers or {},
    )


def on_refusal(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
    """Answer a refusal."""
    headers = dict(retry_after(refusal))
    headers |= rate_limit(refusal, headers.get("Retry-After"))
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return answer_problem(request, refusal.code, refusal.status, refusal.facts(), headers)


def _what_was_wrong(error: HTTPException) -> dict[str, object]:
    """Return the facts of `Malformed` for invalid input: the name of the wrong field, and a code for the value that was
    expected. If the body as a whole is invalid, the name is `body`.
    """
    match error.extra:
        case [{"key": str(key), "message": str(message)}, *_] if key != "data":
            wrong = Malformed(key, expectation_of(message))
        case _:
            wrong = Malformed("body", "readable")
    return wrong.facts()


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer a refusal of the framework: an unknown path, a wrong method, an unreadable body."""
    code = MESSAGE_OF_STATUS.get(error.status_code, "malformed")
    status = error.status_code if error.status_code != 400 else 422
    facts = _what_was_wrong(error) if code == "malformed" else {}
    if status == 413:
        # A form may have no file, and the size of the form is unknown.
        if not is_api(request.scope):
            code = TOO_LARGE_FOR_PAGE
        facts = {"limit_bytes": request.route_handler.resolve_request_max_body_size()}
    return answer_problem(request, code, status, facts)


def on_fault(request: Request[Any, Any, Any], fault: Exception) -> Response[Any]:
    """Answer a fault with 500 and a number that is also in the log; nothing else of the fault is shown.

    A full disk is no fault of ours and is temporary: 503.
    """
    if isinstance(fault, OSError) and fault.errno in FULL:
        _log.error("storage_full", fault=repr(fault))
        return on_refusal(request, StorageFull(str(fault)))
    number = secrets.token_hex(6)
    telemetry.FAULTS.labels(where="web").inc()
    # The template of the path, since the path itself contains serials and ids.
    route = request.scope.get("path_template") or "none"
    _log.error("fault", number=number, route=route, fault=repr(fault), exc_info=fault)
    return answer_problem(request, "fault", 500, {"number": number})
