"""Types generated from the description of the API compile in strict mode, and run the journey under Node."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import ROOT
from tests.support.instance import Instance
from tests.support.pdf import pdf

SOURCES = ROOT / "clients" / "typescript"
PACKAGES = ROOT / "build" / "typescript" / "node_modules"
NODE = shutil.which("node")
SECONDS_MAX = 300


def run(folder: Path, *words: str | Path) -> str:
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(NODE is None, reason="no Node here (Debian's packages nodejs and npm)")
@pytest.mark.skipif(not PACKAGES.is_dir(), reason="npm packages are not here (scripts/typescript)")
def test_generated_types_compile_and_run_the_journey(audited: Instance, tmp_path: Path):
    folder = shutil.copytree(SOURCES, tmp_path / "typescript")
    (folder / "node_modules").symlink_to(PACKAGES)
    node = NODE or ""
    run(folder, node, "generate.mjs", audited.url)
    run(folder, node, "node_modules/typescript/bin/tsc")
    document, stamped = tmp_path / "surat.pdf", tmp_path / "stamped.pdf"
    document.write_bytes(pdf())
    key = audited.customer().key or ""
    told = run(
        folder, node, "build/journey.js", audited.url, key, audited.bank.url, document, stamped
    )
    checked, refused = (json.loads(line) for line in told.splitlines())
    assert checked == {"verdict": "genuine", "same": True}
    assert refused == {"status": 422, "code": "malformed"}
    assert audited.anybody().verify(stamped.read_bytes())["verdict"] == "genuine"
