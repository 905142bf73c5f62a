"""Write site/docs/codes.md from the refusals of all rooms: `.venv/bin/python -m scripts.codes`.

A test compares the file with what this program would write (`tests/site/test_site.py`).
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from meterai.portal.reference import expectations, problems
from scripts.errors import know_all

FILE = Path(__file__).parents[1] / "site" / "docs" / "codes.md"
COMMAND = ".venv/bin/python -m scripts.codes"
HEAD = f"""# Codes of refusals

Every code that an installation answers with, by status. Some are answered on pages alone. More may come: treat a code that you do
not know by its [status](errors.md). In a sentence, `…` stands for a fact of the answer.

This page is written by `{COMMAND}`.
"""


def _sentence(text: str) -> str:
    """A sentence in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def document() -> str:
    """The whole file."""
    know_all()
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    """The lines of the file."""
    yield HEAD
    found = sorted(problems(), key=lambda one: (one.status, one.code))
    for status, those in groupby(found, key=lambda one: one.status):
        yield f"## {status}\n"
        yield "| code | says |\n|---|---|"
        for one in those:
            yield f'| <span id="{one.code}">`{one.code}`</span> | {_sentence(one.texts["en"])} |'
        yield ""
    yield "## Expected of a malformed field\n"
    yield "| `expected` | says |\n|---|---|"
    for code, text in sorted((one.code, one.texts["en"]) for one in expectations()):
        yield f"| `{code}` | {_sentence(text)} |"


if __name__ == "__main__":
    FILE.write_text(document())
