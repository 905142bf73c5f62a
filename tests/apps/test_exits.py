"""Every command ends with a status of one table; a number outside its bounds is refused."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import psycopg
import pytest
from cyclopts import App, Parameter

from meterai.commands import Between, Exit, Options, database
from tests.support.commands import APP, ARGUMENTS, SERVING, run_here

WRONG = ("-1000000000", "1e400", "nan", "inf", "9" * 30, "9" * 5_000, "", "ten", "\ud800")


def functions(of: App, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command with its function."""
    for name in of:
        if name.startswith("-"):
            continue
        below = of[name]
        if inner := list(functions(below, f"{prefix}{name} ")):
            yield from inner
        else:
            yield f"{prefix}{name}", below.default_command


def is_number(kind: Any) -> bool:
    return kind in (int, float) or any(is_number(one) for one in get_args(kind))


def numbers() -> Iterator[tuple[str, str, Any]]:
    """Yield (command, option, annotation) of every option that takes a number."""
    for command, function in functions(APP):
        names = {**get_type_hints(function, include_extras=True)}
        if names.pop("options", None) is not None:
            names |= get_type_hints(Options, include_extras=True)
        for name, kind in names.items():
            if name != "return" and is_number(kind):
                yield command, f"--{name.replace('_', '-')}", kind


def validators(parameter: Parameter) -> Iterable[object]:
    """Validators of a value; `Parameter` keeps several, however they were given."""
    assert isinstance(parameter.validator, Iterable)
    return parameter.validator


def bounds(kind: Any) -> Between | None:
    if get_origin(kind) is not Annotated:
        return None
    for extra in get_args(kind)[1:]:
        if isinstance(extra, Parameter):
            return next((one for one in validators(extra) if isinstance(one, Between)), None)
    return None


NUMBERS = list(numbers())
# Once for each option, since an option is the same for every command.
EACH = {option: command for command, option, _ in NUMBERS if command not in SERVING}


@pytest.mark.parametrize("option", EACH)
def test_number_out_of_bounds_is_refused_with_sentence(tmp_path: Path, option: str) -> None:
    (tmp_path / "keys").mkdir()
    command = EACH[option]
    for value in WRONG:
        words = (*command.split(), *ARGUMENTS.get(command, ()), f"{option}={value}")
        done = run_here(tmp_path, *words)
        assert done.returncode == Exit.USAGE, (value[:40], done)
        [line] = done.stderr.splitlines()
        assert line.startswith("meterai: usage: ")
        assert option in line


@pytest.mark.parametrize("words", [("nothing",), ("audit", "--often"), ("jobs", "retry", "x")])
def test_unknown_words_end_with_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run_here(tmp_path, *words).returncode == Exit.USAGE


def test_fault_has_its_own_status(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_here(tmp_path, "audit", DATABASE_URL=database_url).returncode == Exit.DONE
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP INDEX stamps_by_serial")
    assert run_here(tmp_path, "audit", DATABASE_URL=database_url).returncode == Exit.NO

    def broken(*_: object) -> None:
        raise ZeroDivisionError("rahasia")

    monkeypatch.setattr(database, "schema_for", broken)
    done = run_here(tmp_path, "audit", DATABASE_URL=database_url)
    assert done.returncode == Exit.FAULT
    assert done.stderr.startswith("meterai: fault: ")
    assert "ZeroDivisionError" in done.stderr
    assert "rahasia" not in done.stderr
    assert "Traceback" not in done.stderr


def test_unreachable_database_ends_with_later(tmp_path: Path) -> None:
    url = "postgresql://meterai@127.0.0.1:9/meterai"
    done = run_here(tmp_path, "audit", DATABASE_URL=url)
    assert done.returncode == Exit.LATER
    assert done.stderr.startswith("meterai: database_unreachable: ")


def test_rejecting_database_ends_with_configuration(tmp_path: Path, server: str) -> None:
    done = run_here(tmp_path, "audit", DATABASE_URL=server.replace("/postgres?", "/nothing?"))
    assert done.returncode == Exit.CONFIGURATION
    assert done.stderr.startswith("meterai: database_missing: ")


def test_document_without_issuer_is_unjudged(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    done = run_here(tmp_path, "verify", *ARGUMENTS["verify"])
    assert done.returncode == Exit.UNJUDGED
    assert done.stdout == ""
    assert "no document can be checked" in done.stderr
