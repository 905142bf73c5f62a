"""Names that are used exist, and names that are declared are used: sentences, refusals, routes, invariants."""

import ast
import re
import warnings
from collections.abc import Iterator
from string import Formatter

from litestar.exceptions import LitestarDeprecationWarning
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from meterai.accounts import Permission, require_permission
from meterai.accounts.model import (
    InvitationEvent,
    OrganizationEvent,
)
from meterai.approvals.model import ApprovalState
from meterai.apps.rooms import ROOMS
from meterai.apps.web import assembled
from meterai.cases.model import CaseEvent
from meterai.kit.refusal import Refusal
from meterai.kit.subjects import SubjectKind
from meterai.payments import RefundCause
from meterai.plumbing.http import problems, requests
from meterai.plumbing.http.described import NOTHING_MORE
from meterai.plumbing.messages import LANGUAGES, catalogue
from meterai.room import Rooms
from tests.tidy.sources import (
    BESIDE,
    SOURCES,
    facts_of,
    refusals,
    sentences,
)


def placeholders(text: str) -> set[str]:
    return {name.split(".")[0] for _, name, _, _ in Formatter().parse(text) if name}


# -- sentences ---------------------------------------------------------------------------------


def test_sentences_exist_in_both_languages() -> None:
    for _, key, texts in sentences():
        assert_is_in_both_languages(key, texts)


def assert_is_in_both_languages(key: str, texts: dict[str, str]) -> None:
    assert set(texts) == set(LANGUAGES), key
    assert all(text.strip() == text and text for text in texts.values()), key
    indonesian, english = (placeholders(texts[language]) for language in LANGUAGES)
    assert indonesian == english, key


def spoken() -> Iterator[tuple[str, str]]:
    """(where, key) of every sentence that code requests by a constant."""
    for path, tree in (*SOURCES, *BESIDE):
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Name(id="translate"), args=[ast.Constant(value=str(key)), *_]
                ):
                    yield f"{path}:{node.lineno}", key
                case ast.keyword(arg="template", value=ast.Constant(value=str(name))):
                    yield f"{path}:{node.value.lineno}", f"mail.{name}.subject"
                    yield f"{path}:{node.value.lineno}", f"mail.{name}.text"
                case _:
                    continue


def test_requested_sentence_exists() -> None:
    missing = [f"{where}: {key}" for where, key in spoken() if key not in catalogue()]
    missing += [cause for cause in RefundCause if f"refund.cause.{cause.value}" not in catalogue()]
    assert not missing, "\n".join(missing)


# Acts named after an event: `case_{event}`.
_ACTS_NAMED_AFTER = {
    "case": CaseEvent,
    "invitation": InvitationEvent,
    "organization": OrganizationEvent,
}


def acts() -> Iterator[str]:
    """Acts that are written into the audit trail."""
    for _, tree in SOURCES:
        for node in ast.walk(tree):
            match node:
                case ast.keyword(arg="action", value=ast.Constant(value=str(action))):
                    yield action
                case ast.Call(
                    func=ast.Name(id="record" | "_record"),
                    args=[_, _, ast.Constant(value=str(action)), *_],
                ):
                    yield action
                case _:
                    continue
    for noun, events in _ACTS_NAMED_AFTER.items():
        yield from (f"{noun}_{event}" for event in events)
    yield from (f"approval_{state}" for state in ApprovalState if state != ApprovalState.WAITING)


def test_every_act_of_the_trail_has_a_sentence() -> None:
    written = set(acts())
    assert {"signed_out", "line_created", "approval_requested", "case_opened"} <= written
    assert not {one for one in written if f"trail.{one}" not in catalogue()}


def test_every_kind_of_subject_is_registered_and_named(rooms: Rooms) -> None:
    registered = {one.kind for room in rooms for one in room.subjects}
    assert registered >= {kind for name, kind in vars(SubjectKind).items() if name.isupper()}
    assert {f"subject.{kind}" for kind in registered} <= catalogue().keys()


# -- refusals ----------------------------------------------------------------------------------


def test_refusals_are_complete() -> None:
    for kind in refusals():
        assert_is_complete(kind)


def assert_is_complete(kind: type[Refusal]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", kind.code), kind
    assert 400 <= kind.status < 600, kind
    assert kind.__doc__, f"{kind} says which fact it is named for"
    assert not kind.__name__.endswith("Error"), f"{kind}: name the fact"
    texts = catalogue().get(f"refusal.{kind.code}")
    assert texts is not None, f"refusal.{kind.code} is not translated"
    unknown = placeholders(texts["id"]) - facts_of(kind)
    assert not unknown, f"refusal.{kind.code} speaks of {unknown}, which {kind} does not tell"


def test_refusals_of_the_framework_are_translated() -> None:
    codes = set(problems.MESSAGE_OF_STATUS.values()) | {"malformed", "fault"}
    assert not {code for code in codes if f"refusal.{code}" not in catalogue()}


def expected() -> Iterator[tuple[str, str]]:
    """(where, name) of every expected form of a malformed field."""
    for path, tree in (*SOURCES, *BESIDE):
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="Malformed"), args=[_, ast.Constant(value=str(it))]):
                    yield f"{path}:{node.lineno}", it
                case ast.Call(func=ast.Name(id="Malformed"), args=[_, ast.Call(), *_]):
                    continue  # one of `EXPECTED`
                case ast.Call(func=ast.Name(id="Malformed")):
                    yield f"{path}:{node.lineno}", "something that is no constant"
                case _:
                    continue
    yield from (("plumbing/http/requests.py", name) for _, name in requests.EXPECTED)
    yield "plumbing/http/requests.py", requests.expectation_of("whatever")


def test_expected_form_of_a_field_has_a_sentence() -> None:
    said = {key.removeprefix("expected.") for key in catalogue() if key.startswith("expected.")}
    assert [(where, name) for where, name in expected() if name not in said] == []
    assert said == {name for _, name in expected()}


# -- routes ------------------------------------------------------------------------------------


def handlers(rooms: Rooms = ROOMS) -> list[tuple[str, HTTPRouteHandler]]:
    found = []
    with warnings.catch_warnings():
        # The spelling of parameters changes with Litestar 3; it is left to that upgrade.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        routes = assembled(rooms).routes
    for route in routes:
        assert isinstance(route, HTTPRoute), f"{route.path}: only HTTP is spoken"
        # The framework answers OPTIONS.
        found += [
            (route.path, handler)
            for handler in route.route_handlers
            if handler.http_methods != {"OPTIONS"}
        ]
    return found


def test_every_route_declares_a_permission(rooms: Rooms) -> None:
    undeclared = [
        f"{sorted(handler.http_methods)} {path}: permission {handler.opt.get('permission')!r}"
        for path, handler in handlers(rooms)
        if not isinstance(handler.opt.get("permission"), Permission)
    ]
    assert not undeclared, "\n".join(undeclared)


CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def test_changing_route_needs_more_than_a_read_permission(rooms: Rooms) -> None:
    looking = {one for one in Permission if one.value.endswith(".read")}
    for path, handler in handlers(rooms):
        if handler.http_methods & CHANGING:
            # A form that needs only the permission to look gives a reason for that.
            is_excused = bool(handler.opt.get("asked_within"))
            assert is_excused == (handler.opt["permission"] in looking), path


def test_every_route_is_guarded(rooms: Rooms) -> None:
    for path, handler in handlers(rooms):
        assert handler.resolve_before_request() is require_permission, path


def test_changing_route_does_not_accept_get(rooms: Rooms) -> None:
    for path, handler in handlers(rooms):
        # OPTIONS tells the allowed methods and the limits of uploads.
        if handler.http_methods != {"OPTIONS"}:
            assert len(handler.http_methods & {"GET", *CHANGING}) == 1, path


def test_api_command_takes_a_key_or_has_a_harmless_repeat(
    rooms: Rooms,
) -> None:
    commands = [
        (path, handler.opt.get("described", NOTHING_MORE))
        for path, handler in handlers(rooms)
        if handler.http_methods & {"POST", "PUT", "PATCH", "DELETE"} and handler.include_in_schema
    ]
    assert len(commands) >= 10
    wrong = [path for path, said in commands if said.needs_key == bool(said.repeats)]
    assert not wrong, f"a command has `needs_key` or `repeats`: {wrong}"


# -- invariants --------------------------------------------------------------------------------
