"""Events are emitted as declared, with the same names, facts and types in SQL, in Python and in handlers."""

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints
from uuid import UUID

import psycopg
import pytest

from meterai.accounts.model import KEY_PERMISSIONS
from meterai.apps.rooms import ROOMS, subscriptions_of, unheard_of
from meterai.plumbing.messages import catalogue
from meterai.plumbing.work.events import Event, name_of_event
from meterai.plumbing.work.published import PUBLISH
from scripts.subscriptions import subscribers
from tests.tidy.sources import SOURCES, modules

# Handlers that send messages may be given up, and are listed here. Those that move money or stamps are always
# retried.
TELLING = {
    "make_report",
    "publish",
    "queue_credential_changed",
    "queue_invitation",
    "queue_organization_decided",
    "queue_key_ends",
    "queue_sign_in_code",
    "queue_turn_near",
    "tell_delivered",
    "tell_disabled",
    "tell_executed",
    "tell_failed",
    "tell_low",
    "tell_offered",
    "tell_requested",
    "tell_settled",
    "tell_taken_back",
}
# `order_close` emits the event of the new state; `order_abandon` passes on the requested state.
ABANDONED = {"lapsed", "withdrawn"}
TYPES: dict[type, set[str]] = {
    bool: {"boolean"},
    float: {"double precision"},
    UUID: {"uuid"},
    list[UUID]: {"uuid[]"},
    str: {"text"},
    int: {"bigint", "integer"},
    date: {"date"},
    datetime: {"timestamp with time zone"},
}


SUBSCRIPTIONS = subscriptions_of()
UNHEARD = unheard_of()


class Function(NamedTuple):
    """A function of the database: its parameters and its text."""

    name: str
    arguments: str
    body: str
    is_plpgsql: bool


class Told(NamedTuple):
    """One place in a function that emits an event."""

    function: Function
    event: str
    facts: dict[str, str]  # name -> expression


def declared() -> dict[str, type[Event]]:
    modules()
    ours = [one for one in Event.__subclasses__() if one.__module__.startswith("meterai.")]
    names = [name_of_event(one) for one in ours]
    assert len(names) == len(set(names)), "two rooms declare an event of one name"
    return dict(zip(names, ours, strict=True))


def parts(text: str) -> list[str]:
    """Arguments of a call, up to its closing parenthesis."""
    found, depth = [""], 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            break
        if sign == "," and not depth:
            found.append("")
        else:
            found[-1] += sign
    return [one.strip() for one in found]


def _facts(call: str) -> dict[str, str]:
    arguments = parts(call.removeprefix("jsonb_build_object("))
    names = [name.strip("'") for name in arguments[::2]]
    return dict(zip(names, arguments[1::2], strict=True))


@pytest.fixture(scope="module")
def connection(server: str, template: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.replace("/postgres?", f"/{template}?")) as opened:
        yield opened
        opened.rollback()


@pytest.fixture(scope="module")
def told(connection: psycopg.Connection[Any]) -> list[Told]:
    """Every place in the database that emits an event."""
    rows = connection.execute(
        "SELECT proname, pg_get_function_arguments(p.oid), prosrc, lanname = 'plpgsql'"
        " FROM pg_proc p JOIN pg_language l ON l.oid = prolang"
        " WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
    ).fetchall()
    return list(told_in_sql([Function(*row) for row in rows]))


def told_in_sql(functions: list[Function]) -> Iterator[Told]:
    closed = {
        state
        for one in functions
        for state in re.findall(r"order_close\(\s*\w+,\s*\w+,\s*'(\w+)'\)", one.body)
    }
    for one in functions:
        for found in re.finditer(r"\bemit\(", one.body):
            _, event, facts = parts(one.body[found.end() :])
            if event == "'order_' || p_state":
                for state in sorted(closed | ABANDONED):
                    yield Told(one, f"order_{state}", _facts(facts))
            else:
                yield Told(one, event.strip("'"), _facts(facts))


def told_in_python() -> set[str]:
    """Event classes that are passed to `emit` in Python."""
    found = set()
    for _, tree in SOURCES:
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="emit"), args=[_, ast.Call(func=ast.Name(id=name))]):
                    found.add(name)
                case _:
                    continue
    return found


def test_emitted_events_are_exactly_the_declared_ones(told: list[Told]) -> None:
    by_class = {one.__name__: name for name, one in declared().items()}
    in_python = {by_class[name] for name in told_in_python()}
    assert {one.event for one in told} | in_python == set(declared())


def test_event_is_emitted_by_its_room_and_read_by_its_class_only() -> None:
    texts = {
        path.name: path.read_text() for path, _ in SOURCES if "SELECT emit(" in path.read_text()
    }
    assert set(texts) == {"events.py"}, "tell an event by meterai.plumbing.work.events.emit"


@pytest.mark.parametrize("name", sorted(declared()))
def test_event_is_in_its_rooms_events_file_and_names_its_emitter(
    name: str, told: list[Told]
) -> None:
    event = declared()[name]
    assert re.fullmatch(r"meterai\.\w+\.events", event.__module__)
    assert event.__struct_config__.frozen
    assert event.__doc__, name
    assert "ritten by `" in event.__doc__, f"{name}: say by which command it is written"
    writers = set(re.findall(r"ritten by `([\w.]+)`", event.__doc__))
    in_sql = {one.function.name for one in told if one.event == name}
    assert not in_sql or writers == in_sql, f"{name} is written by {in_sql}"


def bare(kind: Any) -> tuple[type, bool]:
    """A type without None, and True if None was part of it."""
    if get_origin(kind) is UnionType:
        [one] = [arm for arm in get_args(kind) if arm is not NoneType]
        return one, True
    return kind, False


def _types(connection: psycopg.Connection[Any], told: Told) -> dict[str, str]:
    """The type in PostgreSQL of each fact, with the parameters and variables of the function."""
    _, arguments, body, is_plpgsql = told.function
    variables = [re.sub(r" DEFAULT .*", "", one) + ";" for one in parts(arguments)]
    if is_plpgsql and (found := re.search(r"\bDECLARE\b(.*?)\bBEGIN\b", body, re.DOTALL)):
        variables.append(found[1])
    looks = " ".join(
        f"types := types || jsonb_build_object('{name}', pg_typeof({value}));"
        for name, value in told.facts.items()
    )
    connection.execute(
        f"CREATE OR REPLACE FUNCTION pg_temp.types() RETURNS jsonb LANGUAGE plpgsql AS $$ DECLARE"
        f" {' '.join(variables)} types jsonb := '{{}}';"
        f" BEGIN {looks} RETURN types; END $$".encode()
    )
    row = connection.execute("SELECT pg_temp.types()").fetchone()
    assert row is not None
    return dict(row[0])


def test_facts_of_an_event_equal_those_its_function_writes(
    told: list[Told], connection: psycopg.Connection[Any]
) -> None:
    for one in told:
        due = get_type_hints(declared()[one.event])
        del due["account"]
        assert set(one.facts) == set(due), one
        types = _types(connection, one)
        for name, kind in due.items():
            assert types[name] in TYPES[bare(kind)[0]], f"{name} is {kind}, in SQL {types[name]}"


# -- handlers ----------------------------------------------------------------------------------


def test_every_event_has_a_handler_or_a_reason_why_not() -> None:
    heard = {one.event for one in SUBSCRIPTIONS}
    assert heard | set(UNHEARD) == set(declared().values())
    assert not heard & set(UNHEARD)
    assert all(UNHEARD.values())


def test_handlers_of_every_room_are_subscribed() -> None:
    written: list[Any] = []
    for name in modules():
        if re.fullmatch(r"meterai\.\w+\.jobs", name) and not name.startswith("meterai.plumbing"):
            written += __import__(name, fromlist=["HANDLERS"]).HANDLERS
    published = {one.event for room in ROOMS for one in room.published}
    others = [one for one in SUBSCRIPTIONS if one.name != PUBLISH]
    assert sorted(map(id, written)) == sorted(map(id, others))
    assert {one.event for one in SUBSCRIPTIONS if one.name == PUBLISH} == published


def test_published_event_has_a_name_a_sentence_and_a_permission() -> None:
    published = [one for room in ROOMS for one in room.published]
    assert len({one.name for one in published}) == len(published)
    for one in published:
        assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", one.name)
        assert f"published.{one.name}" in catalogue()
        assert one.permission in KEY_PERMISSIONS


def test_database_writes_a_job_for_each_handler(connection: psycopg.Connection[Any]) -> None:
    found = {
        name: connection.execute("SELECT subscribers(%s)", [name]).fetchone() for name in declared()
    }
    unknown = connection.execute("SELECT subscribers('never_heard_of')").fetchone()
    assert unknown == (None,)
    listed = {name: sorted(row[0]) for name, row in found.items() if row}
    due = {name: sorted(handlers) for name, handlers in subscribers().items()}
    assert listed == due, "run `python -m scripts.subscriptions`"


def test_handlers_of_an_event_have_different_names() -> None:
    pairs = [(one.kind, one.name) for one in SUBSCRIPTIONS]
    assert len(pairs) == len(set(pairs))


def test_only_message_handlers_may_be_given_up() -> None:
    assert {one.name for one in SUBSCRIPTIONS if one.gives_up} == TELLING
    assert not {one.name for one in SUBSCRIPTIONS if not one.gives_up} & TELLING


@pytest.mark.parametrize("one", SUBSCRIPTIONS, ids=lambda one: f"{one.kind} {one.name}")
def test_handler_takes_the_event_of_its_subscription(one: Any) -> None:
    taken = get_type_hints(one.handler)["event"]
    assert issubclass(one.event, get_args(taken) or (taken,))
    assert one.handler.__doc__
