"""Detection of duplicate names in JSON objects.

Of a duplicate name some parsers take the first value and others the last. Signed or agreed content must not depend on
the parser, so such JSON is refused.
"""

import json


class NameDoubled(ValueError):
    """Some object in the JSON, at any depth, has the same name twice."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _check_unique(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise NameDoubled(name)
        seen.add(name)


# Numbers are not converted, since converting a number of very many digits takes long.
_READER = json.JSONDecoder(object_pairs_hook=_check_unique, parse_int=len, parse_float=len)


def check_names(text: str) -> None:
    """Check that no object in a JSON text has a name twice. Raises `NameDoubled`; `ValueError` if the text is not JSON;
    `RecursionError` if it is nested too deeply.
    """
    _READER.decode(text)
