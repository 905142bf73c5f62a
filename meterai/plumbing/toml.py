"""Reading of TOML from untrusted authors, in time proportional to its length."""

import re
import tomllib
from typing import Any

# Our deepest key has three parts; the time of the parser grows with the square of their number.
KEY_PARTS_MAX = 64
# Comments and strings; an unterminated one extends to the end of the line or of the text.
_QUOTED = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*+"*|\'{3}(?:[^']|'(?!''))*+'*'''
    r"""|"(?:[^"\\\n]|\\[^\n])*+"?|'[^'\n]*+'?|\#[^\n]*+""",
    re.DOTALL,
)
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{KEY_PARTS_MAX}}}")


def read_toml(text: str) -> dict[str, Any]:
    """Parse a TOML text. Raises `ValueError` for any fault in it."""
    if _LONG_KEY.search(_QUOTED.sub(_placeholder, text)):
        raise ValueError(f"a key has more than {KEY_PARTS_MAX} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _placeholder(quoted: re.Match[str]) -> str:
    # A string may be part of a key.
    return "" if quoted[0].startswith("#") else "s"
