"""JSON in which a name comes twice: one reader takes the first value, another the last.

What was signed or agreed must not depend on who reads it, so such JSON is not read at all.
"""

import json


class NameDoubled(ValueError):
    """An object of the JSON, at whatever depth, has a name twice."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _each_once(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise NameDoubled(name)
        seen.add(name)


# Numbers are not made here: to make one of many digits takes long.
_READER = json.JSONDecoder(object_pairs_hook=_each_once, parse_int=len, parse_float=len)


def check_names(text: str) -> None:
    """Raises `NameDoubled`, `ValueError` for what is no JSON, `RecursionError`."""
    _READER.decode(text)
