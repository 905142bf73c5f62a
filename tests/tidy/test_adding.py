"""The code of the worked example in docs/adding.md equals that of the toy room."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAPER = (ROOT / "docs" / "adding.md").read_text()
_PIECE = re.compile(
    r"^ *`(tests/toy(?:_rail)?/[\w./]+)`:\n( *)```\w+\n(.*?)^ *```$", re.MULTILINE | re.DOTALL
)


def test_code_of_the_page_is_in_the_named_file() -> None:
    pieces = _PIECE.findall(PAPER)
    assert len(pieces) == PAPER.count("`tests/toy/") + PAPER.count("`tests/toy_rail/") >= 13
    for name, indent, code in pieces:
        piece = textwrap.dedent(code) if indent else code
        # In the file, a method is indented within its class.
        method = textwrap.indent(piece, "    ")
        assert any(one in (ROOT / name).read_text() for one in (piece, method)), name


def test_every_path_on_the_page_exists() -> None:
    named = re.findall(r"`((?:apps|plumbing|meterai|tests|docs|migrations)/[\w./]+\.\w+)`", PAPER)
    assert named
    for name in named:
        path = ROOT / name if (ROOT / name).exists() else ROOT / "meterai" / name
        assert path.exists(), name
