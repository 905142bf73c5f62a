"""The product as the tidy tests read it: files, syntax trees, sentences, refusals."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import meterai
import meterai_rehearsal
from meterai.kit.refusal import CommandRefusal, Refusal
from meterai.waiting_room.model import NotLetIn

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "meterai"
REHEARSAL = ROOT / "rehearsal" / "meterai_rehearsal"  # a separate package
NOT_ROOMS = {"kit", "plumbing", "room", "apps"}
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - NOT_ROOMS
SOURCES = [(path, ast.parse(path.read_text())) for path in sorted(PACKAGE.rglob("*.py"))]
BESIDE = [(path, ast.parse(path.read_text())) for path in sorted(REHEARSAL.rglob("*.py"))]
# From the time before rooms had SQL of their own.
BASELINE = sorted((ROOT / "migrations").glob("*.sql"))
MIGRATIONS = [*BASELINE, *sorted(PACKAGE.glob("*/sql/*.sql"))]
FUNCTIONS = sorted(PACKAGE.glob("*/sql/functions/*.sql"))
SQL = "\n".join(path.read_text() for path in (*MIGRATIONS, *FUNCTIONS))


def home_of(path: Path) -> str:
    """The room (or kit, plumbing, apps) to which a file belongs."""
    return path.relative_to(PACKAGE).parts[0]


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def sentences() -> Iterator[tuple[Path, str, dict[str, str]]]:
    """(file, key, language -> text) of every sentence."""
    ours = [*PACKAGE.glob("*/messages.toml"), *PACKAGE.glob("*/templates/*.toml")]
    for path in sorted([*ours, REHEARSAL / "messages.toml"]):
        for key, texts in tomllib.loads(path.read_text()).items():
            yield path, key, texts


@cache
def modules() -> tuple[str, ...]:
    """Every module of the product and of the rehearsal package, imported."""
    names = [
        found.name
        for package in (meterai, meterai_rehearsal)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not found.name.endswith("__main__")
    ]
    for name in names:
        importlib.import_module(name)
    return tuple(names)


def refusals() -> list[type[Refusal]]:
    """Every refusal of the product that can be raised."""
    modules()

    def below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return sorted(
        {
            kind
            for kind in below(Refusal)
            if kind.__module__.startswith(("meterai.", "meterai_rehearsal."))
            and kind not in (CommandRefusal, NotLetIn)
        },
        key=lambda kind: (kind.__module__, kind.__name__),
    )


def facts_of(kind: type[Refusal]) -> set[str]:
    """Names that the constructor sets on the object, which `facts()` returns."""
    own = [one for one in kind.__mro__ if issubclass(one, Refusal) and one is not Refusal]
    made = next((one.__init__ for one in own if "__init__" in vars(one)), None)
    if made is None:
        return set()
    text = inspect.getsource(made)
    return set(re.findall(r"\bself\.([a-z]\w*)(?:: [^=\n]+)? =", text))


def our_files() -> list[Path]:
    """Every file that git tracks or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]
