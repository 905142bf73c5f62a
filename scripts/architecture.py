"""Write the picture of the rooms in docs/architecture.md: `.venv/bin/python -m scripts.architecture`.

The levels are those of the contract `rooms` in pyproject.toml, which the import linter checks. The sentence of a room is
the first sentence of its docstring. A test compares the file with the output of this program.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "architecture.md"
_BEFORE = "## The rooms\n\n```\n"
_AFTER = "```\n"
_WIDTH = 18  # characters of a name and its joint to the next


def levels() -> list[list[str]]:
    """Return the rooms, level by level from the top; rooms of one level do not import each other."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [contract] = [
        one for one in settings["tool"]["importlinter"]["contracts"] if one["id"] == "rooms"
    ]
    return [layer.split(" | ") for layer in contract["layers"]]


def sentence_of(room: str) -> str:
    """Return the first sentence of the docstring of a room, without the room's name before it."""
    tree = ast.parse((ROOT / "meterai" / room / "__init__.py").read_text())
    first = (ast.get_docstring(tree) or "").partition("\n\n")[0].replace("\n", " ")
    name, _, rest = first.partition(": ")
    told = rest if name.lower().replace(" ", "_") == room else first
    return told.split(".  ")[0].rstrip(".")


def picture() -> str:
    """Return one line for each room; a bar joins rooms of one level."""
    return "".join(f"{line}\n" for level in levels() for line in _lines(level))


def _lines(level: list[str]) -> Iterator[str]:
    for room in level:
        name = f"{room} |" if room != level[-1] else room
        yield f"{name:{_WIDTH}}{sentence_of(room)}"


def written(text: str) -> str:
    """Return the text of the document with the current picture."""
    before, _, rest = text.partition(_BEFORE)
    _, _, after = rest.partition(_AFTER)
    return before + _BEFORE + picture() + _AFTER + after


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text()))
