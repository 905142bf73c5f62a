"""Rows of an answer as values of the model.

A query names its columns as the fields of what it returns (`order_id AS order`), and a `RowMapper`
makes each row into one.  A field that is an enum, an amount or a serial is made from its column;
what is made in another way says how.

A word that an enum of this version does not have stays a word: a version after this one wrote it,
and only what is done with that row may fail, not the rows that were read beside it.
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
QUERIES_MAX = 100  # of one mapper; a query is a constant, and a mapper has a few


class RowMapper(Generic[Model]):
    """Makes rows into `kind`, a class with typed fields.

    `converters` are for fields that are made from their column in a way of their own.  NULL stays
    None.  A row with other columns than `kind` has fields raises `TypeError`.
    """

    def __init__(self, kind: Callable[..., Model], **converters: Callable[[Any], object]) -> None:
        self._kind = kind
        self._converters = {**dict(_converters(kind)), **converters}
        self._made: dict[str, RowMaker[Model]] = {}  # by query

    def made(self, query: str, cursor: AsyncCursor[Any]) -> RowMaker[Model]:
        """The maker of rows of this query, whose first answer is at the cursor."""
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
