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
HEAD = f"""# Codes of refusals

Every code that an installation answers with, by status. Some are answered on pages alone. More may come: treat a code that you do
not know by its [status](errors.md). In a sentence, `…` stands for a fact of the answer. An installation lists them in both languages
on `/docs/problems`.

This page is written by `{COMMAND}`.
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


def _next_act(kind: type[Refusal] | None, status: int) -> str | None:
    """Return the next act of a program, if it differs from other codes of the status."""
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
    """Import all modules: a refusal is known once its module is imported."""
    for one in pkgutil.walk_packages(meterai.__path__, "meterai."):
        if not one.name.endswith("__main__"):
            importlib.import_module(one.name)


def _sentence(text: str) -> str:
    """Return a sentence for one cell of a table."""
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
        yield "| code | says |\n|---|---|"
        for one in those:
            way = _next_act(one.kind, status)
            says = _sentence(one.texts["en"]) + (f" **{way}**" if way else "")
            yield f'| <span id="{one.code}">`{one.code}`</span> | {says} |'
        yield ""
    yield "## Expected of a malformed field\n"
    yield "| `expected` | says |\n|---|---|"
    for code, text in sorted((one.code, one.texts["en"]) for one in expectations()):
        yield f"| `{code}` | {_sentence(text)} |"


if __name__ == "__main__":
    FILE.write_text(document())
