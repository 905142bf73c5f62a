"""Names that are used exist, and names that are declared are used: sentences, refusals, routes, invariants."""

import ast
import re
import warnings
from collections.abc import Iterator
from importlib import import_module
from string import Formatter
from typing import Any
from uuid import UUID

import pytest
from litestar.di import Dependency
from litestar.exceptions import LitestarDeprecationWarning
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from meterai.accounts import PERMISSIONS, Permission, Role, require_permission
from meterai.accounts.model import (
    OF_STAFF,
    OPEN,
    PERSONAL,
    STAFF_PERMISSIONS,
    InvitationEvent,
    OrganizationEvent,
    StaffRole,
)
from meterai.approvals.model import ApprovalState
from meterai.apps.rooms import ROOMS, offers_of, services_of
from meterai.apps.web import assembled
from meterai.audit.quiet_harm import quiet_harm
from meterai.cases.model import CaseEvent
from meterai.kit.actor import Actor
from meterai.kit.refusal import Refusal, declared_for_code, declared_for_constraint
from meterai.kit.subjects import SubjectKind
from meterai.ledger import invariants as ledger_invariants
from meterai.notifications import told
from meterai.payments import RefundCause
from meterai.payments.room import RAILS
from meterai.plumbing.http import problems, requests
from meterai.plumbing.http.described import NOTHING_MORE
from meterai.plumbing.messages import LANGUAGES, catalogue
from meterai.room import Rooms
from scripts.lifecycles import LIFECYCLES
from tests.support.audits import AUDITED, INVARIANTS, POSTINGS
from tests.tidy.sources import (
    BESIDE,
    PACKAGE,
    SOURCES,
    SQL,
    facts_of,
    imports,
    refusals,
    sentences,
)
from tests.tidy.sources import ROOMS as FOLDERS

# Several classes share one code, since the client does the same: come again soon, or the outcome is at the
# provider.
SHARED_CODES = {
    "busy": {"BrokenOff", "DatabaseBusy", "NoLeaseFree"},
    "provider_unreachable": {"ProviderUnreachable", "CallNotBegun"},
    "provider_outcome_unknown": {"OutcomeUnknown", "NoAnswer", "TransferUnderWay"},
    "provider_refused": {"ProviderRefused", "RefusedForEver", "TransferReturned"},
}
# The database refuses with these only because of a bug of ours. They are faults.
FAULTS = {"entry_differs", "entry_unbalanced"}


def placeholders(text: str) -> set[str]:
    return {name.split(".")[0] for _, name, _, _ in Formatter().parse(text) if name}


# -- sentences ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "texts"), [(key, texts) for _, key, texts in sentences()])
def test_sentence_exists_in_both_languages(key: str, texts: dict[str, str]) -> None:
    assert set(texts) == set(LANGUAGES), key
    assert all(text.strip() == text and text for text in texts.values()), key
    indonesian, english = (placeholders(texts[language]) for language in LANGUAGES)
    assert indonesian == english, key


def test_sentence_belongs_to_one_room() -> None:
    assert len(catalogue()) == len(list(sentences()))


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


def test_every_shown_state_has_a_word() -> None:
    shown = {key.rsplit(".", 1)[0] for key in catalogue() if key.startswith("state.")}
    assert shown == {
        "state.batch",
        "state.case",
        "state.file",
        "state.order",
        "state.reseller",
        "state.row",
        "state.stamp",
        "state.stamping",
    }
    for drawn in LIFECYCLES:
        prefix = f"state.{drawn.states.__name__.removesuffix('State').lower()}"
        if prefix in shown:
            said = {key.rsplit(".", 1)[1] for key in catalogue() if key.startswith(f"{prefix}.")}
            assert said == {state.value for state in drawn.states}, prefix


def test_every_kind_of_subject_is_registered_and_named(rooms: Rooms) -> None:
    registered = {one.kind for room in rooms for one in room.subjects}
    assert registered >= {kind for name, kind in vars(SubjectKind).items() if name.isupper()}
    assert {f"subject.{kind}" for kind in registered} <= catalogue().keys()


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", refusals(), ids=lambda kind: kind.__name__)
def test_refusal_is_complete(kind: type[Refusal]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", kind.code), kind
    assert 400 <= kind.status < 600, kind
    assert kind.__doc__, f"{kind} says which fact it is named for"
    assert not kind.__name__.endswith("Error"), f"{kind}: name the fact"
    texts = catalogue().get(f"refusal.{kind.code}")
    assert texts is not None, f"refusal.{kind.code} is not translated"
    unknown = placeholders(texts["id"]) - facts_of(kind)
    assert not unknown, f"refusal.{kind.code} speaks of {unknown}, which {kind} does not tell"


def test_code_belongs_to_one_refusal() -> None:
    classes: dict[str, set[str]] = {}
    for kind in refusals():
        classes.setdefault(kind.code, set()).add(kind.__name__)
    shared = {code: names for code, names in classes.items() if len(names) > 1}
    assert shared == SHARED_CODES


def test_refusals_of_the_framework_are_translated() -> None:
    codes = set(problems.MESSAGE_OF_STATUS.values()) | {"malformed", "fault"}
    assert not {code for code in codes if f"refusal.{code}" not in catalogue()}


def test_every_translated_refusal_exists() -> None:
    known = {kind.code for kind in refusals()} | set(problems.MESSAGE_OF_STATUS.values())
    known |= {"fault", problems.TOO_LARGE_FOR_PAGE}
    said = {key.removeprefix("refusal.") for key in catalogue() if key.startswith("refusal.")}
    assert said - known == set()


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


def test_refusals_of_the_database_are_declared() -> None:
    codes = set(re.findall(r"refuse\('(\w+)'", SQL))
    assert {code for code in codes if declared_for_code(code) is None} == FAULTS


def _all_python() -> str:
    return "\n".join(path.read_text() for path, _ in SOURCES)


def test_declared_constraint_exists() -> None:
    for name in re.findall(r'refusal_of_constraint\("(\w+)"', _all_python()):
        assert declared_for_constraint(name) is not None
        # A violation of a unique index that is no constraint is reported under the name of the index.
        assert re.search(rf"(?:CONSTRAINT|UNIQUE INDEX) {name}\b", SQL), name


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


def test_every_permission_is_required_and_given_to_a_role() -> None:
    asked = {handler.opt["permission"] for _, handler in handlers()}
    asked |= {Permission(lever.permission) for lever in offers_of().levers.values()}
    assert asked == set(Permission)
    assert set(PERMISSIONS) == set(Role)
    assert set(STAFF_PERMISSIONS) == set(StaffRole)
    assert frozenset().union(*PERMISSIONS.values()) == set(Permission) - OPEN - PERSONAL - OF_STAFF
    assert frozenset().union(*STAFF_PERMISSIONS.values()) == OF_STAFF


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


def test_injected_parameters_of_a_route_are_known_by_name_and_type(rooms: Rooms) -> None:
    given: dict[str, object] = {
        **services_of(rooms),
        "account": UUID,
        "actor": Actor,
        "member": UUID | None,
    }
    for path, handler in handlers(rooms):
        for name, field in handler.parsed_fn_signature.parameters.items():
            is_asked = any(isinstance(one, Dependency) for one in field.metadata)
            kind = field.annotation
            assert is_asked == (name in given), f"{path}: {name}"
            assert not is_asked or kind == given[name], f"{path}: {name} is no {kind}"


def test_route_does_not_look_up_services_itself() -> None:
    # Files of `pages` and the reader of bodies are not called by a route.
    allowed = {PACKAGE / "plumbing" / "http" / "requests.py", *(PACKAGE / "pages").glob("*.py")}
    found = [
        path
        for path, tree in SOURCES
        if any(target == "meterai.plumbing.http.callers.service" for _, target in imports(tree))
    ]
    assert set(found) <= allowed


# -- invariants --------------------------------------------------------------------------------


def test_every_invariant_is_audited() -> None:
    rooms = sorted(room for room in FOLDERS if (PACKAGE / room / "invariants.py").is_file())
    written: list[Any] = [ledger_invariants.explained(POSTINGS)]
    postings: list[Any] = []
    causes: list[Any] = []
    for room in rooms:
        found = import_module(f"meterai.{room}.invariants")
        written += found.INVARIANTS
        written += found.rail_invariants(RAILS) if room == "payments" else ()
        postings += getattr(found, "POSTINGS", ())
        causes += getattr(found, "MAIL_CAUSES", ())
    written += [told(causes), *quiet_harm(AUDITED)]
    assert sorted(one.query for one in POSTINGS) == sorted(one.query for one in postings)
    assert sorted(one.name for one in INVARIANTS) == sorted(one.name for one in written)


def test_every_reason_of_an_entry_has_a_posting_rule() -> None:
    posted = re.findall(r"ledger_post\(\s*[^,]*,\s*[^,]*,\s*'(\w+)'( \|\|)?", SQL)
    # The resolution of an item in suspense completes its reason. An item with money is never dismissed.
    ends = {
        f"suspense_{how}" for how in ("explained", "returned", "applied", "matched", "written_off")
    }
    ends |= {f"break_{how}" for how in ("fee", "matched", "written_off")}
    assert {reason for reason, rest in posted if rest} == {"suspense_", "break_"}
    # A function that takes stamps back names its reason.
    undone = set(re.findall(r"stamps_undo\([^;]*?'(stamps_\w+)'\)", SQL))
    undone |= set(re.findall(r"order_deposit_undo\([^;]*?'(deposit_\w+)'", SQL))
    # A fee grows or shrinks, by its sign.
    undone |= set(re.findall(r"'(fee_(?:passed_on|called_back|earned|returned|collected))'", SQL))
    reasons = {reason for reason, rest in posted if not rest} | ends | undone
    assert {reason for one in POSTINGS for reason in one.reasons} == reasons


def test_invariant_has_a_unique_name_and_a_sentence() -> None:
    names = [one.name for one in INVARIANTS]
    assert len(names) == len(set(names))
    for one in INVARIANTS:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", one.name)
        assert one.promise.endswith(".")
