"""Refusals of an overloaded process: bytes prepared for each language and kind of request."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import cycle
from typing import Any, NamedTuple

from litestar import Litestar
from litestar.serialization import encode_json

from meterai.kit.priority import Priority
from meterai.plumbing.db.database import DatabaseBusy
from meterai.plumbing.http.declared import Declared
from meterai.plumbing.http.problems import PROBLEM, problem
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.plumbing.observe.exchange import EXCHANGE

STATUS = 503
PAGE = "text/html; charset=utf-8"
# Seconds of Retry-After. They are spread over a range, so that clients refused together do not retry together.
RETRY_SECONDS_MIN = 3
RETRY_SECONDS_MAX = 12

# The name of the limit of requests under way, in the headers of draft-ietf-httpapi-ratelimit-headers-11.
POLICY = b'"concurrent"'
NOTHING_LEFT = (b"ratelimit", POLICY + b";r=0")
OPTION = "busy"  # name in `opt` of a route

Header = tuple[bytes, bytes]
Key = tuple[str, Priority, bool]
Answer = tuple[int, list[Header], bytes]


class BusyAnswer(NamedTuple):
    """Answer that refuses a request while the process is overloaded, for a route whose clients read neither pages nor problem
    documents.

    A route declares it as `opt={"busy": BusyAnswer(...)}`.
    """

    status: int
    media_type: str
    body: bytes


class BusyAnswers(Declared[BusyAnswer | None]):
    """The refusals that an application's routes declare, by path; None for a route that declares no refusal."""

    def __init__(self, app: Litestar) -> None:
        super().__init__(app, _read, None)
        self.all = {found for found in self._whole.values() if found is not None}


def _read(options: dict[str, Any], _name: str) -> BusyAnswer | None:
    found: BusyAnswer | None = options.get(OPTION)
    return found


def _problem(language: str, priority: Priority) -> bytes:
    safe = "page.busy.safe_paid" if priority <= Priority.PAID else "page.busy.safe"
    body = problem(DatabaseBusy.code, STATUS, language, {})
    return encode_json(body | {"detail": translate(safe, language)})


class Answers:
    """Prepared refusals: a page for browsers, a problem document (RFC 9457) for programs, or the refusal a route declares."""

    def __init__(
        self, pages: Mapping[Key, str], headers: Iterable[Header], own: BusyAnswers
    ) -> None:
        self._fixed = fixed = (*headers, (b"cache-control", b"private, no-store"))
        self.renew(pages)
        self._problems = {
            (language, priority): _spread(
                BusyAnswer(STATUS, PROBLEM, _problem(language, priority)),
                (*fixed, NOTHING_LEFT),
                comes_again=False,
            )
            for language in LANGUAGES
            for priority in Priority
        }
        self._declared = own
        self._own = {one: _spread(one, fixed, comes_again=False) for one in own.all}

    def renew(self, pages: Mapping[Key, str]) -> None:
        """Replace the prepared pages by new ones."""
        self._pages = {
            key: _spread(BusyAnswer(STATUS, PAGE, text.encode()), self._fixed, comes_again=key[2])
            for key, text in pages.items()
        }

    def of_route(self, method: str, path: str) -> Answer | None:
        """Return the refusal that the route declares; None if it declares none."""
        own = self._declared.of(method, path)
        return None if own is None else next(self._own[own])

    def of(
        self,
        priority: Priority,
        language: str,
        *,
        is_looking: bool,
        is_page: bool,
    ) -> Answer:
        """Return status, headers and body of a refusal.

        `is_looking` is True for GET: then the page reloads automatically. `is_page` chooses a page or a problem
        document.
        """
        if is_page:
            return next(self._pages[language, priority, is_looking])
        return _named(next(self._problems[language, priority]))


@lru_cache(4096)
def told_limit(limit: int, free: int) -> tuple[Header, ...]:
    """Return the RateLimit headers: the limit of concurrent requests, and how many more may begin now."""
    return (
        (b"ratelimit-policy", b'%s;q=%d;qu="concurrent-requests"' % (POLICY, limit)),
        (b"ratelimit", b"%s;r=%d" % (POLICY, free)),
    )


def _named(answer: Answer) -> Answer:
    """Insert the id of the current request into a problem document; return any other answer unchanged."""
    if (exchange := EXCHANGE.get()) is None:
        return answer
    exchange.code = DatabaseBusy.code
    status, (kind, _length, *rest), body = answer
    body = b'%s,"request_id":"%s"}' % (body[:-1], exchange.id.encode())
    return status, [kind, (b"content-length", b"%d" % len(body)), *rest], body


def _spread(answer: BusyAnswer, fixed: Iterable[Header], *, comes_again: bool) -> Iterator[Answer]:
    """Cycle through copies of an answer that differ in Retry-After. `comes_again` adds the header that reloads a page."""
    answers = []
    for seconds in range(RETRY_SECONDS_MIN, RETRY_SECONDS_MAX + 1):
        again = b"%d" % seconds
        headers = [
            (b"content-type", answer.media_type.encode()),
            (b"content-length", b"%d" % len(answer.body)),
            (b"retry-after", again),
            *([(b"refresh", again)] if comes_again else []),
            *fixed,
        ]
        answers.append((answer.status, headers, answer.body))
    return cycle(answers)
