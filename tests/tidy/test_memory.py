"""Nothing that a process keeps grows with what it is asked."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import SOURCES

KEPT_MAX = 100_000  # entries of one cache; more is a table in the database
GROWS = {"add", "append", "appendleft", "extend", "insert", "setdefault", "update"}
CONTAINERS = {"dict", "list", "set", "deque", "defaultdict", "OrderedDict", "Counter"}

# What is changed after its module was loaded, or lives as long as the process: what bounds it.
BOUNDED = {
    "accounts/service.py: _remembered": "REMEMBERED_MAX, then it begins anew",
    "apps/audit_history.py: _found": "one for each fact and month, in one command",
    "payments/news_check.py: _told": "the payments of half a year, in one command",
    "payments/news_check.py: _wrong": "what one command found",
    "capacity/rehearsal/generator.py: _visits": "open_max of the plan",
    "capacity/rehearsal/processes.py: _pipes": "the processes of one run",
    "capacity/rehearsal/processes.py: _processes": "the processes of one run",
    "capacity/rehearsal/journeys.py: _taken": "the codes that one visitor asked for",
    "capacity/rehearsal/progress.py: _latest": "the processes of one run",
    "capacity/rehearsal/tally.py: _error_pages": "ERROR_PAGES_KEPT",
    "capacity/rehearsal/tally.py: _places": "PLACES_KEPT",
    "capacity/rehearsal/tally.py: _seconds": "a figure for each second of one run",
    "capacity/rehearsal/tally.py: _statuses": "the statuses of HTTP, in one run",
    "capacity/rehearsal/tally.py: journeys": "the journeys there are",
    "capacity/rehearsal/tally.py: steps": "the steps of a journey",
    "capacity/rehearsal/visitor.py: _cookies": "what one site gives one visitor",
    "drafts/contents.py: _kept": "KEPT_BYTES_MAX",
    "drafts/contents.py: _wanted": "who waits for a picture or a check: WAITING_MAX, CHECKS_WAITING_MAX",
    "drafts/holdings.py: _sums": "the networks that sent something within READ_SECONDS",
    "drafts/pictures.py: _kept": "KEPT_BYTES_MAX",
    "verification/service/batch.py: _first_with": "the serials of FILES_MAX files of one request",
    "kit/refusal.py: _BY_CODE": "the classes of refusals, when they are declared",
    "kit/refusal.py: _BY_CONSTRAINT": "the constraints that are refusals, when they are declared",
    "drafts/uploads.py: _of_network": "one entry for each file that is examined: WHOLE_AT_ONCE and who waits",
    "plumbing/bodies.py: _lines": "one place for each connection, and TURN_SECONDS_MAX",
    "plumbing/bodies.py: _of_network": "one entry for each upload under way",
    "plumbing/zips.py: _next": "the names of one archive: the files of one order or of one request",
    "plumbing/bodies.py: _pieces": "the body of one request: HELD_BYTES_MAX, or one write",
    "plumbing/transactions.py: _following": "what the commands of one transaction leave for after it",
    "plumbing/database.py: _resting": "the connections of the pool",
    "plumbing/database.py: _tasks": "one for each connection that is given back",
    "plumbing/database.py: _used": "the connections of the pool",
    "capacity/simulation/servers.py: _queues": "who comes in one simulation: APPLICANTS_MAX",
    "capacity/simulation/servers.py: answered": "the requests of one simulation, 4 bytes each",
    "capacity/simulation/servers.py: waited": "the requests of one simulation, 4 bytes each",
    "limiter/limiter.py: _waiting": "WAITING_MAX of each priority",
    "plumbing/pace.py: _waiting": "WAITING_MAX",
    "portal/watching.py: _waiting": "WAITING_MAX",
    "plumbing/paths.py: _whole": "the paths of the routes",
    "limiter/usage.py: _users": "USERS_MAX",
    "limiter/users.py: _known": "KNOWN_MAX",
    "plumbing/incoming.py: _kept": "one message of the request",
    "plumbing/outgoing.py: _counts": "one for each second of WINDOW_SECONDS",
    "plumbing/queueing.py: _seconds": "the places where something waits: two",
    "plumbing/queueing.py: _times": "the places where something waits: two",
    "plumbing/lane.py: _of_account": "the places of the lane",
    "plumbing/lane.py: _under_way": "the places of the lane",
    "plumbing/lane.py: _waiting": "one batch",
    "payments/metrics.py: _outcomes": "OUTCOMES_MAX",
    "pages/remembering.py: _kept": "KEPT_MAX",
    "waiting_room/drawing/entering.py: _asking": "ASKING_MAX of each line that gathers or has drawn",
    "waiting_room/newcomers.py: _left": "NETWORKS_MAX",
    "waiting_room/page.py: _made": "KEPT_MAX, then it begins anew",
    "waiting_room/places.py: _asking": "ASKING_MAX",
    "waiting_room/service.py: _numbers": "the lines that have not ended",
    "sealing/signing/pkcs11.py: _started": "the modules that the configuration names",
}


def name_of(node: ast.AST) -> str:
    """`cache` of `cache`, `functools.cache` and `cache(...)`."""
    match node:
        case ast.Call(func=inner):
            return name_of(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def limit_of(decorator: ast.expr, tree: ast.Module) -> int | None:
    """How many entries an `lru_cache` keeps; None for no bound, or one that cannot be seen."""
    if not isinstance(decorator, ast.Call):
        return 128
    given = [
        *decorator.args[:1],
        *(word.value for word in decorator.keywords if word.arg == "maxsize"),
    ]
    match given:
        case []:
            return 128
        case [ast.Constant(value=int(size))]:
            return size
        case [ast.Name(id=name)]:
            for node in tree.body:
                match node:
                    case ast.Assign(
                        targets=[ast.Name(id=found)], value=ast.Constant(value=int(size))
                    ):
                        if found == name:
                            return size
                    case _:
                        continue
        case _:
            return None
    return None


def unbounded_caches(path: Path, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = node.args
        has_parameters = bool(
            [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            or arguments.vararg
            or arguments.kwarg
        )
        for decorator in node.decorator_list:
            where = f"{path}:{decorator.lineno}: {node.name}"
            match name_of(decorator):
                case "cache" if has_parameters:
                    yield f"{where} keeps every answer it ever gave: use lru_cache with a bound"
                case "lru_cache":
                    size = limit_of(decorator, tree)
                    if size is None or size > KEPT_MAX:
                        yield f"{where} needs a bound of at most {KEPT_MAX}"
                case _:
                    continue


def is_container(node: ast.expr | None) -> bool:
    match node:
        case ast.Dict() | ast.List() | ast.Set() | ast.ListComp() | ast.SetComp() | ast.DictComp():
            return True
        case ast.Call():
            return name_of(node) in CONTAINERS
        case _:
            return False


def assigned(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AnnAssign(target=target, value=value):
            yield target, value
        case _:
            return


def containers(path: Path, tree: ast.Module) -> set[str]:
    """Containers that live as long as their module, or begin in an `__init__` and are kept."""
    found = set()
    for statement in tree.body:
        for target, value in assigned(statement):
            if isinstance(target, ast.Name) and is_container(value):
                found.add(target.id)
    if "sealing" in path.parts:
        return found  # its objects live as long as one document
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            for inner in ast.walk(node):
                for target, value in assigned(inner):
                    if isinstance(target, ast.Attribute) and is_container(value):
                        found.add(target.attr)
    return found


def subject(node: ast.AST) -> str:
    """The name of what is changed: `x` of `x[...]`, `x.add`, `self.x[...]`."""
    match node:
        case ast.Subscript(value=inner):
            return subject(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def changed(tree: ast.Module) -> set[str]:
    """Names of containers that functions let grow."""
    found = set()
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in GROWS:
                    found.add(subject(value))
                case ast.AugAssign(target=target):
                    found.add(subject(target))
                case ast.Assign(targets=targets):
                    found |= {subject(one) for one in targets if isinstance(one, ast.Subscript)}
                case _:
                    continue
    return found


def growing() -> set[str]:
    found = set()
    for path, tree in SOURCES:
        name = "/".join(path.parts[path.parts.index("meterai") + 1 :])
        found |= {f"{name}: {one}" for one in containers(path, tree) & changed(tree)}
    return found


def test_no_cache_is_without_bound() -> None:
    found = [line for path, tree in SOURCES for line in unbounded_caches(path, tree)]
    assert not found, "\n".join(found)


def test_what_grows_is_known_with_what_bounds_it() -> None:
    assert growing() == set(BOUNDED)


@pytest.mark.parametrize(
    "text",
    [
        "@cache\ndef f(a): ...",
        "@functools.cache\ndef f(*, a): ...",
        "@lru_cache(None)\ndef f(): ...",
        "@lru_cache(maxsize=None)\ndef f(a): ...",
        "SIZE = 10**9\n@lru_cache(SIZE)\ndef f(a): ...",
        "@lru_cache(size())\ndef f(a): ...",
    ],
)
def test_the_rule_finds_a_cache_without_bound(text: str) -> None:
    assert list(unbounded_caches(Path("x.py"), ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "kept = {}\ndef f(a):\n    kept[a] = 1",
        "kept: set[str] = set()\nasync def f(a):\n    kept.add(a)",
        "kept = deque()\ndef f(a):\n    kept.append(a)",
        "kept = []\ndef f(a):\n    global kept\n    kept += [a]",
        "class A:\n    def __init__(self):\n        self.kept = {}\n"
        "    def f(self, a):\n        self.kept.setdefault(a, 1)",
    ],
)
def test_the_rule_finds_what_grows(text: str) -> None:
    tree = ast.parse(text)
    assert containers(Path("x.py"), tree) & changed(tree) == {"kept"}
