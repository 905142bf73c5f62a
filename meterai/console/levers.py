"""Form of a lever: its fields are made from the lever's arguments, and a submitted form is converted back to arguments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

import msgspec
from msgspec import NODEFAULT, inspect

from meterai.commands import Lever
from meterai.console.wording import title
from meterai.kit.clock import WIB

ARGUMENT = "argument-"  # prefix of form fields that are arguments
_MINUTE = "%Y-%m-%dT%H:%M"  # format of the value of a datetime-local field


class FieldKind(StrEnum):
    """Type of the form field of an argument."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    MOMENT = "moment"  # in WIB


@dataclass(frozen=True, slots=True)
class LeverField:
    """A field of the form of a lever."""

    name: str  # name of its form element
    label: str
    kind: FieldKind
    choices: tuple[tuple[str, str], ...]  # values and labels
    is_required: bool
    value: str


def path_of_lever(name: str) -> str:
    """Return the path of the page of a lever; a space in its name becomes a dot."""
    return f"/console/levers/{quote(name.replace(' ', '.'), safe='.')}"


def lever_named(path: str) -> str:
    """Return the name of the lever in a path."""
    return path.replace(".", " ")


def form_of(lever: Lever, given: Mapping[str, str], language: str) -> list[LeverField]:
    """Return the fields of the form of a lever, filled with `given` by argument name."""
    return list(_fields(lever, given, language))


def _fields(lever: Lever, given: Mapping[str, str], language: str) -> Iterator[LeverField]:
    told = inspect.type_info(lever.arguments)
    assert isinstance(told, inspect.StructType), "the arguments are no Struct"
    for one in told.fields:
        kind, choices = _kind(one.type)
        value = given.get(one.name, "")
        if not value and one.default is not NODEFAULT and one.default is not None:
            value = str(one.default)
        yield LeverField(
            ARGUMENT + one.name,
            label_of(lever.name, one.name, language),
            kind,
            tuple((choice, title("choice", choice, language)) for choice in choices),
            one.required,
            _local(value) if kind is FieldKind.MOMENT else value,
        )


def label_of(lever: str, argument: str, language: str) -> str:
    """Return the label of an argument: the lever's label for it, else the common label of arguments of that name."""
    own = title("argument", f"{lever}.{argument}", language)
    if own != f"{lever}.{argument}":
        return own
    return title("argument", argument, language).replace("_", " ")


def _kind(of: inspect.Type) -> tuple[FieldKind, tuple[str, ...]]:
    match of:
        case inspect.UnionType(types=types):
            return _kind(next(one for one in types if not isinstance(one, inspect.NoneType)))
        case inspect.Metadata(type=inner):
            return _kind(inner)
        case inspect.IntType() | inspect.FloatType():
            return FieldKind.NUMBER, ()
        case inspect.LiteralType(values=values):
            return FieldKind.CHOICE, tuple(map(str, values))
        case inspect.EnumType(cls=kind):
            return FieldKind.CHOICE, tuple(str(one.value) for one in kind)
        case inspect.BoolType():
            return FieldKind.CHOICE, ("true", "false")
        case inspect.DateTimeType():
            return FieldKind.MOMENT, ()
        case _:
            return FieldKind.TEXT, ()


def typed_in(lever: Lever, texts: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments of a lever that were filled in a submitted form, by name; a moment gets the time zone WIB."""
    told = inspect.type_info(lever.arguments)
    assert isinstance(told, inspect.StructType), "the arguments are no Struct"
    found = {}
    for one in told.fields:
        text = texts.get(ARGUMENT + one.name, "").strip()
        is_moment = _kind(one.type)[0] is FieldKind.MOMENT
        found[one.name] = _in_wib(text) if is_moment else text
    return {name: text for name, text in found.items() if text}


def _in_wib(text: str) -> str:
    """Return a typed moment in ISO 8601 with the time zone WIB; other text is returned unchanged and later refused as
    malformed.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at.replace(tzinfo=at.tzinfo or WIB).isoformat()


def _local(text: str) -> str:
    """Return a moment as the value of a datetime-local field."""
    try:
        at = msgspec.convert(text, datetime)
        local = at.astimezone(WIB) if at.tzinfo else at
    except (
        msgspec.ValidationError,
        OverflowError,
    ):  # not a moment, or one before year 1 in WIB
        return text
    return f"{local:{_MINUTE}}"
