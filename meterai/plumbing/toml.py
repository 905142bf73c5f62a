"""TOML that somebody else may have written, read in a time that grows as its length does."""

import re
import tomllib
from typing import Any

KEY_PARTS_MAX = 64  # our deepest key has three; the parser takes their square in time
# Comments and strings, each up to its end or that of the line or text where it has none.
_QUOTED = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*+"*|\'{3}(?:[^']|'(?!''))*+'*'''
    r"""|"(?:[^"\\\n]|\\[^\n])*+"?|'[^'\n]*+'?|\#[^\n]*+""",
    re.DOTALL,
)
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{KEY_PARTS_MAX}}}")


def read_toml(text: str) -> dict[str, Any]:
    """What a text in TOML says.  Raises `ValueError`, whatever is wrong with it."""
    if _LONG_KEY.search(_QUOTED.sub(_placeholder, text)):
        raise ValueError(f"a key has more than {KEY_PARTS_MAX} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _placeholder(quoted: re.Match[str]) -> str:
    # A string may be a part of a key.
    return "" if quoted[0].startswith("#") else "s"
