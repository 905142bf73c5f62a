"""Packages installed in production: their licences, bill of materials, and the exceptions of their audit."""

import re
from pathlib import Path

from tests.tidy.sources import ROOT


def versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.M))


def test_runtime_and_development_locks_have_the_same_versions() -> None:
    runtime, development, build = (
        versions(ROOT / f"requirements{of}.lock") for of in ("", "-dev", "-build")
    )
    assert runtime.items() <= development.items()
    assert build.items() <= development.items()
    assert not {"pytest", "mypy", "ruff", "playwright", "hatchling", "scipy"} & set(runtime)
