"""Conversion of the rows that a query returns into values of a room's model.

The columns of a query have the names of the fields of its result (`order_id AS order`), and a `RowMapper` converts each
row to it. A field that is an enum, an amount or a serial is converted from its column by its type; other conversions
are given to the mapper.

A word that the enum lacks stays a text, since a newer version may have written it. So only the work on this row fails,
and the other rows of the answer can still be read.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import partial
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from psycopg import AsyncCursor
from psycopg.rows import RowMaker

from meterai.kit.money import Rupiah
from meterai.kit.serial import Serial

Model = TypeVar("Model")
_MADE_FROM_COLUMNS = (Rupiah, Serial)
QUERIES_MAX = 100  # kept by one mapper; a query is a constant, and a mapper has a few


class RowMapper(Generic[Model]):
    """Converts rows to `kind`, a class with typed fields.

    `converters` convert columns for which the type of the field is not enough. NULL becomes None. A row whose columns
    differ from the fields of `kind` raises `TypeError`.
    """

    def __init__(self, kind: Callable[..., Model], **converters: Callable[[Any], object]) -> None:
        self._kind = kind
        self._converters = {**dict(_converters(kind)), **converters}
        self._made: dict[str, RowMaker[Model]] = {}  # by query

    def made(self, query: str, cursor: AsyncCursor[Any]) -> RowMaker[Model]:
        """Return the function that converts rows of this query; its columns are read from the cursor at the first use."""
        if (known := self._made.get(query)) is not None:
            return known
        if len(self._made) >= QUERIES_MAX:
            self._made.clear()
        self._made[query] = found = self._maker([one.name for one in cursor.description or ()])
        return found

    def _maker(self, names: Sequence[str]) -> RowMaker[Model]:
        to_convert = [
            (place, self._converters[name])
            for place, name in enumerate(names)
            if name in self._converters
        ]
        kind = self._kind
        if not to_convert and tuple(names) == getattr(kind, "_fields", ()):
            made: RowMaker[Model] = getattr(kind, "_make")  # noqa: B009 - of a NamedTuple alone
            return made

        def make(values: Sequence[Any]) -> Model:
            if to_convert:
                values = list(values)
                for place, convert in to_convert:
                    if values[place] is not None:
                        values[place] = convert(values[place])
            return kind(**dict(zip(names, values, strict=True)))

        return make


def _known(kind: type[Enum], word: object) -> object:
    try:
        return kind(word)
    except ValueError:
        return word


def _converters(kind: Callable[..., object]) -> Iterator[tuple[str, Callable[[Any], object]]]:
    for name, hint in get_type_hints(kind).items():
        kinds = [one for one in get_args(hint) or (hint,) if one is not NoneType]
        match kinds:
            case [type() as made] if issubclass(made, Enum):
                yield name, partial(_known, made)
            case [type() as made] if issubclass(made, _MADE_FROM_COLUMNS):
                yield name, made
