"""Write docs/errors.md from the refusals of the rooms: `.venv/bin/python -m scripts.errors`."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import meterai
from meterai.kit.refusal import Refusal
from meterai.portal import reference

FILE = Path(__file__).parents[1] / "docs" / "errors.md"
COMMAND = ".venv/bin/python -m scripts.errors"
HEAD = f"""# Errors

Every refusal is `application/problem+json` (RFC 9457): `type`, `title` (a sentence in the language of `Accept-Language`), `status`,
`code`, `request_id`, and facts of the code. Branch on `code`, of those that you know, else on `status`. The same list in both
languages is on `/docs/problems` of an installation.

* A command with an `Idempotency-Key` may be sent again with the same key after any of them: it never charges twice.
* Where an answer has `Retry-After`, the same request may succeed after so many seconds; where it has none, sending it again
  changes nothing.
* No answer at all, and each code below that may have been done: the same request with the same key tells.

This file is written by `{COMMAND}` from the classes of the refusals; a test compares it with them.
"""
_BY_STATUS = {
    400: "Change the request.",
    401: "Send `Authorization: Bearer` with a key that is in use.",
    403: "Use a key, or be a person, with the permission.",
    404: "It is not there or not yours: look at the id.",
    405: "`Allow` has the methods of the path.",
    408: "Send it again, on a faster line or in smaller parts.",
    409: "Look at the thing first: its state decides.",
    410: "It is over for good.",
    413: "Send less at once; `limit_bytes` says how much.",
    415: "Send the body as the description of the route has it.",
    422: "Change the request.",
    429: "A limit: `RateLimit` names it. Come again after `Retry-After`.",
    431: "Send shorter headers.",
    500: "Tell us `request_id`.",
    502: "Ask whether it was done before you repeat it.",
    503: "Come again after `Retry-After`; a command by the same key.",
    504: "Ask whether it was done before you repeat it.",
}
_BY_CODE = {"body_incomplete": "Send it again."}
_MAY_BE_DONE = (
    "It may have been done: the same request with the same key, after `Retry-After`, tells."
)
_LIMIT = "A limit: `RateLimit` names it."
_LATER = "Come again after `Retry-After`."


def way_out(kind: type[Refusal] | None, status: int) -> str:
    """What a program does next."""
    if kind is not None:
        if kind.code in _BY_CODE:
            return _BY_CODE[kind.code]
        if kind.may_be_done:
            return _MAY_BE_DONE
        if kind.quota is not None and status != 429:
            return _LIMIT
        if kind.retry_after_seconds is not None and status not in (429, 503):
            return _LATER
    return _BY_STATUS[status]


def know_all() -> None:
    """A refusal is known once its module is imported: import all."""
    for one in pkgutil.walk_packages(meterai.__path__, "meterai."):
        if not one.name.endswith("__main__"):
            importlib.import_module(one.name)


def lines() -> Iterator[str]:
    """The file, line by line."""
    know_all()
    yield HEAD
    yield "| code | status | what it says | what then |"
    yield "|---|---|---|---|"
    for one in reference.problems():
        way = way_out(one.kind, one.status)
        yield f"| `{one.code}` | {one.status} | {one.texts['en'].replace('|', '/')} | {way} |"
    yield "\n## What a malformed field was expected to be\n"
    yield "`malformed` names the `field`, and in `expected` one of these; limits stand beside it.\n"
    yield "| expected | what it says |"
    yield "|---|---|"
    for one in reference.expectations():
        yield f"| `{one.code}` | {one.texts['en'].replace('|', '/')} |"


def document() -> str:
    """The whole file."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    FILE.write_text(document())
