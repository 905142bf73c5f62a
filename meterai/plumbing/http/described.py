"""What the framework cannot tell of an API route from its handler; the route says it, once.

`opt={..., "described": Described(...)}`.  The description of the API (`apps/openapi.py`) and what is
shown of it are made of that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Schema = dict[str, Any]
FILE: Schema = {"type": "string", "format": "binary"}


@dataclass(frozen=True, slots=True)
class Described:
    """Facts of one route.

    needs_key  it is a command that wants an Idempotency-Key
    repeats    of a command without such a key: why a repeat of it does no harm
    headers    by name, what a header of the request is for, of those that no command must have
    body       media type and schema of a body that the handler reads by itself
    file       media type of the file it answers with
    also       media type and schema of what it answers with in place of JSON, where a client asks for that
    refuses    statuses it may refuse with beyond those that follow from its path and method
    """

    needs_key: bool = False
    repeats: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Schema] = field(default_factory=dict)
    file: str | None = None
    also: Mapping[str, Schema] = field(default_factory=dict)
    refuses: tuple[int, ...] = ()


NOTHING_MORE = Described()


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """What a field of a view can be, beyond its type: one of some words, or a number from `least` on."""

    words: Sequence[str] = ()
    least: int = 0


# By the name of a field or parameter of the API; after the path and a space where it is another thing there.
Examples: TypeAlias = Mapping[str, str]


def example_of(examples: Examples, path: str, name: str) -> str | None:
    """The example of a field of a path; None where no room gives one."""
    return examples.get(f"{path} {name}") or examples.get(name)
