"""Facts of an API route that the framework cannot derive from its handler; the route declares them once.

They are given as `opt={..., "described": Described(...)}`, and used by the description of the API (`apps/openapi.py`)
and the documentation made from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Schema = dict[str, Any]
FILE: Schema = {"type": "string", "format": "binary"}


@dataclass(frozen=True, slots=True)
class Described:
    """Facts of one route.

    needs_key  True for a command that requires an Idempotency-Key
    repeats    for a command without such a key: the reason why repeating it does no harm
    headers    optional headers of the request: name and purpose
    body       media type and schema of a body that the handler reads by itself
    file       media type, if the answer is a file
    also       media type and schema of an answer that a client may request in place of JSON
    refuses    statuses of its refusals beyond those that follow from its path and method
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
    """Restriction of the values of a field of a view, beyond its type: one of a set of words, or a number not below `least`."""

    words: Sequence[str] = ()
    least: int = 0


# Example by the name of a field or parameter of the API, or by path, space and name where the name means something
# else.
Examples: TypeAlias = Mapping[str, str]


def example_of(examples: Examples, path: str, name: str) -> str | None:
    """Return the example of a field or parameter of a path; None if no room gives one."""
    return examples.get(f"{path} {name}") or examples.get(name)
