"""The container file: its commands succeed with only the files that it copies."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from meterai.commands import Exit
from tests.support.commands import environment
from tests.support.first_day import UV, from_lock
from tests.tidy.sources import ROOT

FILE = ROOT / "deploy" / "container" / "Containerfile"
USER = "useradd"  # exists in the image; the test has no image


def instructions() -> list[tuple[str, str]]:
    """(instruction, rest) of each line."""
    lines = [line for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def copied(folder: Path) -> None:
    """Copy the files that the container file copies into its first stage."""
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            for one in sources:
                source, to = ROOT / one, folder / target
                if source.is_dir():
                    shutil.copytree(source, to)
                else:
                    shutil.copy(source, to)


@pytest.mark.soak
def test_every_command_of_the_file_runs_and_the_image_would_serve(tmp_path: Path) -> None:
    if not UV.exists():
        pytest.skip("uv is not in this environment")
    source, opt = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    copied(source)
    for name, rest in instructions():
        if name == "RUN" and not rest.startswith(USER):
            command = from_lock(rest.replace("/opt/", f"{opt}/"))
            done = subprocess.run(
                ["bash", "-eu", "-c", command],
                cwd=source,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{rest}\n{done.stderr}"
    shutil.rmtree(source)  # the second stage does not have the source
    found = dict(instructions())
    words = re.findall(r'"([^"]+)"', found["ENTRYPOINT"] + found["CMD"])
    data = tmp_path / "data"
    data.mkdir()
    values = dict(one.split("=", 1) for one in found["ENV"].split())
    served = subprocess.run(
        [one.replace("/opt/", f"{opt}/") for one in words],
        env=environment(values | {"METERAI_DATA": str(data), "METERAI_ENVIRONMENT": "production"}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    # With an empty volume, the message names what is missing, and nothing is served.
    assert served.returncode == Exit.CONFIGURATION, served.stderr
    assert "installation_missing" in served.stderr or "not_for_production" in served.stderr


def test_image_contains_only_the_runtime_and_runs_as_no_user_of_the_host() -> None:
    text = FILE.read_text()
    assert "requirements-dev" not in text
    order = [name for name, _ in instructions()]
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert dict(instructions())["USER"] not in ("root", "0")
    installs = re.findall(r"pip install (.*)", text)
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)
    assert len(set(re.findall(r"^FROM (\S+)", text, re.M))) == 1


@pytest.mark.skipif(shutil.which("podman") is None, reason="podman is not on this machine")
@pytest.mark.soak
def test_podman_builds_the_image() -> None:
    command = ["podman", "build", "--file", str(FILE), "--tag", "meterai-test", str(ROOT)]
    assert subprocess.run(command, check=False).returncode == 0
