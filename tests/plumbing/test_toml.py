"""TOML from outside: read like the standard library, in a time proportional to its length."""

from time import process_time

import pytest

from meterai.plumbing.toml import KEY_PARTS_MAX, read_toml

HOSTILE = {
    "bare parts": "a." * 50_000 + "a = 1",
    "a heading": "[" + "a." * 50_000 + "a]",
    "quoted parts": '"a".' * 50_000 + "a = 1",
    "parts with a quote": r'"\"".' * 40_000 + "a = 1",
    "parts with blanks": "a \t. " * 50_000 + "a = 1",
    "behind a string": 's = """#\\""""\n' + "a." * 50_000 + "a = 1",
    "in a table": "t = {" + "a." * 50_000 + "a = 1}",
    "many long ones": ("a." * (KEY_PARTS_MAX - 1) + "a = 1\n") * 2_000,
    "letters": "a" * 250_000,
    "quotes": '"' * 250_000,
    "escaped quotes": r'"\"' * 80_000,
    "open strings": r'"""\"""' * 40_000,
    "blanks": "a" + " " * 250_000,
    "arrays": "a = " + "[" * 20_000,
    "tables": "a = " + "{a = " * 20_000,
    "digits": "a = " + "9" * 5_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_toml_is_refused_quickly(text: str) -> None:
    began = process_time()
    with pytest.raises(ValueError, match=r"."):
        read_toml(text)
    assert process_time() - began < 10
