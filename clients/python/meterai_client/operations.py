"""Operations written once, and typed for synchronous and asynchronous clients.

A group of operations is a `Resource`. `@operation` makes a method of a function that returns `Steps`: it runs them, or
returns an awaitable that does. `@listing` makes a method of a function that returns `Pages`: the method returns an
iterator, or an asynchronous iterator.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import msgspec

from meterai_client.calling import Call, Retrying, Steps, send
from meterai_client.transports import Awaiting, Waiting

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=Waiting | Awaiting)


class Resource(Generic[R]):
    """A group of operations."""

    def __init__(self, runner: R, retrying: Retrying) -> None:
        self._runner = runner
        self._retrying = retrying

    def _send(self, call: Call[T]) -> Steps[T]:
        return send(call, self._retrying)


class operation(Generic[P, T]):  # noqa: N801 - a decorator
    """Decorator of a method that does one thing."""

    def __init__(self, function: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]  # its name and docstring

    @overload
    def __get__(self, resource: None, owner: type[Any]) -> "operation[P, T]": ...
    @overload
    def __get__(self, resource: Resource[Waiting], owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaiting], owner: type[Any]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type[Any]) -> Any:
        if resource is None:
            return self

        def run(*args: P.args, **kwargs: P.kwargs) -> Any:
            return resource._runner.run(self._function(resource, *args, **kwargs))

        return update_wrapper(run, self._function)


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """A paged list: its first call, the field of an answer with the items, and the parameter for the next page."""

    first: Call[dict[str, msgspec.Raw]]
    field: str
    item: type[T]
    retrying: Retrying
    by: str = "before"

    def page(self, begin: str | int | None) -> Steps[tuple[list[T], str | int | None]]:
        """Return the items of a page, and the begin of the next page (None after the last)."""
        query = {} if begin is None else {self.by: str(begin)}
        call = replace(self.first, query={**self.first.query, **query})
        answer = yield from send(call, self.retrying)
        items = msgspec.json.decode(answer[self.field], type=list[self.item])  # type: ignore[name-defined]
        return items, msgspec.json.decode(answer["next"], type=str | int | None)


class listing(Generic[P, T]):  # noqa: N801 - a decorator
    """Decorator of a method that iterates over all pages of a list."""

    def __init__(self, function: Callable[Concatenate[Any, P], Pages[T]]) -> None:
        self._function = function
        update_wrapper(self, function)  # type: ignore[arg-type]  # its name and docstring

    @overload
    def __get__(self, resource: None, owner: type[Any]) -> "listing[P, T]": ...
    @overload
    def __get__(
        self, resource: Resource[Waiting], owner: type[Any]
    ) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(
        self, resource: Resource[Awaiting], owner: type[Any]
    ) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type[Any]) -> Any:
        if resource is None:
            return self
        through = _awaited if isinstance(resource._runner, Awaiting) else _waited

        def run(*args: P.args, **kwargs: P.kwargs) -> Any:
            return through(resource._runner, self._function(resource, *args, **kwargs))

        return update_wrapper(run, self._function)


def _waited(runner: Waiting, pages: Pages[T]) -> Iterator[T]:
    items, begin = runner.run(pages.page(None))
    yield from items
    while begin is not None:
        items, begin = runner.run(pages.page(begin))
        yield from items


async def _awaited(runner: Awaiting, pages: Pages[T]) -> AsyncIterator[T]:
    items, begin = await runner.run(pages.page(None))
    for item in items:
        yield item
    while begin is not None:
        items, begin = await runner.run(pages.page(begin))
        for item in items:
            yield item


def query_of(**values: object) -> Mapping[str, str]:
    """Return a query, without None values."""
    return {name: str(value) for name, value in values.items() if value is not None}
