"""Write site/docs/codes.md from the refusals of all rooms: `.venv/bin/python -m scripts.codes`.

A test compares the file with what this program would write (`tests/site/test_site.py`).
"""

import importlib
import pkgutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import meterai
from meterai.kit.refusal import Refusal
from meterai.portal.reference import expectations, problems

FILE = Path(__file__).parents[1] / "site" / "docs" / "codes.md"
COMMAND = ".venv/bin/python -m scripts.codes"
HEAD = f"""# Refusal codes

Every code that an installation answers with, by status. Some appear only on pages. New codes may be added: handle an unknown code
by its [status](errors.md). In a sentence, `…` stands for a fact of the answer. An installation lists the codes in both languages
at `/docs/problems`.

This page is written by `{COMMAND}`.
"""
_BY_STATUS = {
    400: "Change the request.",
    401: "Send `Authorization: Bearer` with a valid key.",
    403: "Use a key, or sign in as a person, with the permission.",
    404: "It does not exist or is not yours: check the id.",
    405: "`Allow` lists the methods of this path.",
    408: "Send it again, over a faster connection or in smaller parts.",
    409: "Check the current state first: it does not allow this.",
    410: "It is permanently gone.",
    413: "Send less at once; `limit_bytes` is the maximum.",
    415: "Send the body in the format that the route describes.",
    422: "Change the request.",
    429: "A limit: `RateLimit` names it. Try again after `Retry-After`.",
    431: "Send shorter headers.",
    500: "Tell us the `request_id`.",
    502: "Check whether it was done before you repeat it.",
    503: "Try again after `Retry-After`; for a command, with the same key.",
    504: "Check whether it was done before you repeat it.",
}
_BY_CODE = {"body_incomplete": "Send it again."}
_MAY_BE_DONE = "It may have been done: send the same request with the same key after `Retry-After` to find out."
_LIMIT = "A limit: `RateLimit` names it."
_LATER = "Try again after `Retry-After`."


def _next_act(kind: type[Refusal] | None, status: int) -> str | None:
    """Return the advice what a program should do next, None if it is the usual advice for the HTTP status."""
    if kind is not None:
        if kind.code in _BY_CODE:
            return _BY_CODE[kind.code]
        if kind.may_be_done:
            return _MAY_BE_DONE
        if kind.quota is not None and status != 429:
            return _LIMIT
        if kind.retry_after_seconds is not None and status not in (429, 503):
            return _LATER
    return None


def know_all() -> None:
    """Import all modules, since a refusal is only known after its module is imported."""
    for one in pkgutil.walk_packages(meterai.__path__, "meterai."):
        if not one.name.endswith("__main__"):
            importlib.import_module(one.name)


def _sentence(text: str) -> str:
    """Return a sentence in the form of a table cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def document() -> str:
    """Return the whole file."""
    know_all()
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    """Yield the lines of the file."""
    yield HEAD
    found = sorted(problems(), key=lambda one: (one.status, one.code))
    for status, those in groupby(found, key=lambda one: one.status):
        yield f"## {status}\n"
        yield f"{_BY_STATUS[status]}\n"
        yield "| code | sentence |\n|---|---|"
        for one in those:
            way = _next_act(one.kind, status)
            says = _sentence(one.texts["en"]) + (f" **{way}**" if way else "")
            yield f'| <span id="{one.code}">`{one.code}`</span> | {says} |'
        yield ""
    yield "## Expected values of a malformed field\n"
    yield "| `expected` | sentence |\n|---|---|"
    for code, text in sorted((one.code, one.texts["en"]) for one in expectations()):
        yield f"| `{code}` | {_sentence(text)} |"


if __name__ == "__main__":
    FILE.write_text(document())
