"""JSON with a doubled name, of which one reader takes the first value, another the last.

Signed or agreed content must not depend on its reader, so such JSON is refused.
"""

import json


class NameDoubled(ValueError):
    """An object of the JSON, at any depth, has a name twice."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _check_unique(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise NameDoubled(name)
        seen.add(name)


# Numbers are not converted: converting one of many digits takes long.
_READER = json.JSONDecoder(object_pairs_hook=_check_unique, parse_int=len, parse_float=len)


def check_names(text: str) -> None:
    """Raise `NameDoubled` for a doubled name, `ValueError` for text that is no JSON, `RecursionError` for deep
    nesting.
    """
    _READER.decode(text)
