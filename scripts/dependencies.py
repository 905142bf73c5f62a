"""Dependencies that production installs: `sbom`, `licences` and `audit`.

`python -m scripts.dependencies sbom` writes build/sbom.json (CycloneDX 1.6) from requirements.lock and the metadata of
installed packages. `licences` ends with 1 if a licence is not in licences.toml. `audit` looks up known vulnerabilities; its
exit status is 0 if every package was looked up and no vulnerability is known, 1 if a vulnerability is known, 75 if some
packages could not be looked up.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
LOCKS = (LOCK, ROOT / "requirements-dev.lock")
SBOM = ROOT / "build" / "sbom.json"
PRODUCT = "meterai"
LATER = 75  # of sysexits.h: the same command may succeed later
UNKNOWN = "unknown"
# Unambiguous classifiers; "BSD License" is ambiguous.
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


@dataclass
class Locked:
    """Package of a lock: its files by SHA-256, and the packages that need it."""

    requirement: Requirement
    hashes: list[str] = field(default_factory=list)
    wanted_by: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name in the lock."""
        return self.requirement.name

    @property
    def version(self) -> str:
        """Its locked version."""
        (one,) = self.requirement.specifier
        return one.version

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def locked(lock: Path) -> list[Locked]:
    """Return the packages of a lock that are installed on a machine like this one."""
    found: list[Locked] = []
    for line in lock.read_text().splitlines():
        if line[:1].isalnum():
            found.append(Locked(Requirement(line.removesuffix("\\").strip())))
        elif match := re.fullmatch(r" +--hash=sha256:(\w+)(?: \\)?", line):
            found[-1].hashes.append(match[1])
        elif match := re.fullmatch(r" +#(?: via)? +(?!via\b)([\w.-]+)(?: \(.*\))?", line):
            found[-1].wanted_by.append(match[1])
    return [one for one in found if (of := one.requirement.marker) is None or of.evaluate()]


def licence_of(name: str, stated: dict[str, str]) -> str:
    """Return the licence of an installed package as an SPDX expression, or `unknown`."""
    if name in stated:
        return stated[name]
    told = metadata.metadata(name)
    for text in (*told.get_all("License-Expression", ()), *told.get_all("License", ())):
        try:
            return str(canonicalize_license_expression(text))
        except InvalidLicenseExpression:
            continue
    said = {one.split(" :: ")[-1] for one in told.get_all("Classifier", ()) if "License ::" in one}
    return _CLASSIFIERS.get(said.pop(), UNKNOWN) if len(said) == 1 else UNKNOWN


def is_allowed(expression: str, allowed: dict[str, str]) -> bool:
    """True if one alternative of the expression consists of allowed licences only."""
    return any(
        all(one in allowed for one in choice.split(" AND ")) for choice in expression.split(" OR ")
    )


def _rules() -> tuple[dict[str, str], dict[str, str]]:
    rules = tomllib.loads((ROOT / "scripts" / "licences.toml").read_text())
    return rules["allowed"], rules["stated"]


def licences() -> Iterator[tuple[Locked, str, bool]]:
    """Yield each package with its licence, and True if that is allowed."""
    allowed, stated = _rules()
    for one in locked(LOCK):
        expression = licence_of(one.name, stated)
        yield one, expression, is_allowed(expression, allowed)


def sbom() -> dict[str, object]:
    """Return the bill of materials; the same lock gives the same output."""
    of = {one.name: one for one in locked(LOCK)}
    root = {
        "type": "application",
        "bom-ref": PRODUCT,
        "name": PRODUCT,
        "version": metadata.version(PRODUCT),
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    components = [
        {
            "type": "library",
            "bom-ref": one.purl,
            "name": one.name,
            "version": one.version,
            "purl": one.purl,
            "licenses": [{"expression": expression}],
            # The hashes of all files of the package; a machine installs only one of the files.
            "hashes": [{"alg": "SHA-256", "content": sha256} for sha256 in one.hashes],
        }
        for one, expression, _ in licences()
    ]
    wants = {PRODUCT: PRODUCT} | {name: one.purl for name, one in of.items()}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": [
            {"ref": ref, "dependsOn": [one.purl for one in of.values() if name in one.wanted_by]}
            for name, ref in wants.items()
        ],
    }


def _write_sbom() -> int:
    SBOM.parent.mkdir(exist_ok=True)
    SBOM.write_text(json.dumps(sbom(), indent=1) + "\n")
    print(f"{SBOM.relative_to(ROOT)}: {len(locked(LOCK))} packages")
    return 0


def _check_licences() -> int:
    status = 0
    for one, expression, is_good in licences():
        print(f"{'' if is_good else 'NOT ALLOWED '}{one.name} {one.version}: {expression}")
        status |= not is_good
    return status


def judged(answers: list[dict[str, list[dict[str, object]]]]) -> int:
    """Return the exit status for the answers of pip-audit about the locks."""
    packages = {str(one["name"]): one for answer in answers for one in answer["dependencies"]}
    bad = {name: one["vulns"] for name, one in packages.items() if one.get("vulns")}
    skipped = [name for name, one in packages.items() if "skip_reason" in one]
    for name, known in bad.items():
        print(f"{name}: {json.dumps(known)}")
    if skipped:
        print(f"NOT LOOKED UP: {len(skipped)} of {len(packages)} packages, {', '.join(skipped)}")
    if bad:
        return 1
    if skipped or not packages:
        return LATER
    print(f"{len(packages)} packages looked up, no vulnerability is known")
    return 0


def _audit() -> int:
    answers = []
    for lock in LOCKS:
        command = ["-m", "pip_audit", "--requirement", str(lock), "--require-hashes"]
        options = ["--disable-pip", "--progress-spinner", "off", "--format", "json"]
        done = subprocess.run(  # noqa: S603 - a module of the environment
            [sys.executable, *command, *options], capture_output=True, text=True, check=False
        )
        try:
            answers.append(json.loads(done.stdout))
        except ValueError:
            print(f"NOT LOOKED UP: {lock.name}: {done.stderr.strip().splitlines()[-1:]}")
            return LATER
    return judged(answers)


def main() -> None:
    """Run the requested part."""
    asked = argparse.ArgumentParser(description=__doc__)
    acts = {"sbom": _write_sbom, "licences": _check_licences, "audit": _audit}
    asked.add_argument("act", choices=acts)
    sys.exit(acts[asked.parse_args().act]())


if __name__ == "__main__":
    main()
