"""Packages installed in production: their licences, bill of materials, and the exceptions of their audit."""

import json
import re
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.dependencies import LATER, LOCK, PRODUCT, is_allowed, judged, licences, locked, sbom
from scripts.dependencies import main as run
from tests.tidy.sources import ROOT

ALLOWED = {"MIT": "permissive", "BSD-3-Clause": "permissive"}


def versions(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.M))


def test_every_licence_of_the_runtime_is_allowed() -> None:
    found = list(licences())
    assert len(found) > 50
    assert [(one.name, expression) for one, expression, is_good in found if not is_good] == []


def test_every_allowed_licence_is_used() -> None:
    used = {one for _, expression, _ in licences() for one in re.split(" AND | OR ", expression)}
    text = (ROOT / "scripts" / "licences.toml").read_text()
    allowed = set(re.findall(r'^"(.+?)" =', text, re.M))
    assert allowed <= used


@pytest.mark.parametrize(
    ("expression", "is_good"),
    [
        ("MIT", True),
        ("MIT AND BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND AGPL-3.0-or-later", False),
        ("(MIT)", False),
        ("unknown", False),
    ],
)
def test_licence_is_allowed_if_one_of_its_choices_is(expression: str, is_good: bool) -> None:
    assert is_allowed(expression, ALLOWED) is is_good


def test_bill_of_materials_is_valid_and_names_the_whole_runtime() -> None:
    made = sbom()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is None
    components = made["components"]
    assert isinstance(components, list)
    assert {one["name"]: one["version"] for one in components} == {
        one.name: one.version for one in locked(LOCK)
    }
    assert all(one["hashes"] and one["licenses"] for one in components)


def test_every_component_is_required_by_another() -> None:
    graph = sbom()["dependencies"]
    assert isinstance(graph, list)
    wants = {one["ref"]: one["dependsOn"] for one in graph}
    reached, left = {PRODUCT}, [PRODUCT]
    while left:
        for ref in set(wants[left.pop()]) - reached:
            reached.add(ref)
            left.append(ref)
    assert reached == set(wants)


def test_runtime_and_development_locks_have_the_same_versions() -> None:
    runtime, development, build = (
        versions(ROOT / f"requirements{of}.lock") for of in ("", "-dev", "-build")
    )
    assert runtime.items() <= development.items()
    assert build.items() <= development.items()
    assert not {"pytest", "mypy", "ruff", "playwright", "hatchling", "scipy"} & set(runtime)


def answer(**packages: object) -> dict[str, list[dict[str, object]]]:
    return {
        "dependencies": [
            {"name": name, **(what if isinstance(what, dict) else {"vulns": what})}
            for name, what in packages.items()
        ]
    }


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([answer(a=[], b=[])], 0),
        ([answer(a=[]), answer(b=[{"id": "CVE-1"}])], 1),
        ([answer(a=[], b={"skip_reason": "not found"})], LATER),
        ([answer(a=[{"id": "CVE-1"}], b={"skip_reason": "not found"})], 1),
        ([answer()], LATER),
    ],
)
def test_audit_holds_only_if_every_package_was_looked_up(
    answers: list[dict[str, list[dict[str, object]]]], status: int
) -> None:
    assert judged(answers) == status


def test_audit_without_network_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr("sys.argv", ["dependencies", "audit"])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == LATER
    assert "NOT LOOKED UP" in capsys.readouterr().out
