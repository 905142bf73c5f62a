"""An actor is named by the caller that acts, and every line of the audit trail is written by one function.

A route and a command get the actor from the caller and pass it on as `actor`. Without a caller, an event
handler or a periodic task acts as `job:<name>`, and a notification of a provider as `provider:<name>`. No other
code makes an actor.
"""

import ast
from collections.abc import Iterator

import pytest

from meterai.apps.rooms import ROOMS
from tests.tidy.sources import PACKAGE, SOURCES
from tests.tidy.statements import function_files, python_strings

# Files that make an actor, with its kind. `job` and `provider` may be made by any handler.
MADE: dict[str, set[str]] = {
    "accounts/members.py": {"MEMBER"},  # a person who acts for an organization
    "accounts/service.py": {"ACCOUNT"},  # of a session or key
    "accounts/sessions.py": {"ACCOUNT"},  # of the person who proves an address
    "approvals/knows.py": {"STAFF"},  # read from its rows
    "cases/knows.py": {"STAFF"},  # read from its rows
    "approvals/pulling.py": {"STAFF"},  # at the command line, by its address
    "commands/options.py": {"OPERATOR"},  # at the command line
    "portal/routes/accounts_named.py": {"ACCOUNT"},  # of the person who opens the link of a mail
    "plumbing/http/callers.py": {
        "ACCOUNT",
        "STAFF",
    },  # of a caller without an actor; on a route of staff
}
BY_ITSELF = {"JOB", "PROVIDER"}
# Constants that stand for an actor of a kind; its id is unknown, or is the account itself.
NAMED = {"PERSON"}


def kinds_made(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, kind) of every actor that a module makes."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Actor"), args=[ast.Attribute(attr=kind), *_]):
                yield node.lineno, kind
            case ast.Call(func=ast.Name(id="Actor")):
                yield node.lineno, "?"
            case _:
                pass


def unnamed_records(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, actor) of every trail record whose actor is neither passed on nor written in the call."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="trail"), attr="record")):
                given = {one.arg: one.value for one in node.keywords}
                actor = given.get("actor")
                match actor:
                    case ast.Name(id="actor"):
                        continue
                    case ast.Name(id=name) if name in NAMED:
                        continue
                    case ast.Call(func=ast.Name(id="Actor")):
                        continue
                    case _:
                        yield node.lineno, ast.unparse(actor) if actor else "nobody"
            case _:
                pass


def handed_down(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, actor) of every call that passes on an actor other than `job` or `provider`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for one in node.keywords:
            if one.arg == "actor" and {kind for _, kind in kinds_made(one.value)} - BY_ITSELF:
                yield node.lineno, ast.unparse(one.value)


def test_every_trail_record_names_its_actor() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line}: {actor}"
        for path, tree in SOURCES
        for line, actor in unnamed_records(tree)
    ]
    assert not wrong, "\n".join(wrong)


def test_actors_are_made_only_where_a_caller_is_identified() -> None:
    found = {
        (str(path.relative_to(PACKAGE)), kind)
        for path, tree in SOURCES
        for _, kind in kinds_made(tree)
    }
    declared = {(file, kind) for file, kinds in MADE.items() for kind in kinds}
    assert declared <= found, "no longer made there"
    strangers = {one for one in found - declared if one[1] not in BY_ITSELF}
    assert not strangers


def test_handlers_act_under_their_own_names() -> None:
    """Work without a requester is never recorded as an act of a person."""
    for path, tree in SOURCES:
        if path.name == "jobs.py":
            kinds = {kind for _, kind in kinds_made(tree)}
            assert kinds <= BY_ITSELF, f"{path}: {kinds}"
            assert not list(handed_down(tree)), path
            names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            assert not names & NAMED, path


def test_trail_is_written_by_one_function_and_one_python_file() -> None:
    writes = {
        sql.where
        for sql in (*function_files(), *python_strings())
        if "INTO audit_events" in " ".join(sql.bare.split())
    }
    # Functions of the database, and files in Python.
    assert writes == {"audit_record", "trail/service.py:_RECORD"}
    assert "audit_events" in {table for room in ROOMS for table in room.tables}


@pytest.mark.parametrize(
    "planted",
    [
        "trail.record(tx, account, action='x', subject='y')",
        "trail.record(tx, account, actor=_NOBODY, action='x', subject='y')",
        "trail.record(tx, account, actor=caller, action='x', subject='y')",
    ],
)
def test_planted_record_is_found(planted: str) -> None:
    assert list(unnamed_records(ast.parse(planted)))


def test_planted_actor_is_found() -> None:
    assert list(kinds_made(ast.parse("who = Actor(ActorKind.STAFF, 'budi')"))) == [(1, "STAFF")]
    assert list(handed_down(ast.parse("ask(tx, actor=Actor(ActorKind.ACCOUNT))")))
