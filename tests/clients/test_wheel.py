"""The wheel of the Python client in an environment of its own: it needs nothing of the server, and has types."""

import subprocess
import sys
import venv
from pathlib import Path

import httpx2
import pytest

from tests.support.commands import ROOT
from tests.support.instance import Instance

SOURCES = ROOT / "clients" / "python"
USE = """
import sys
from meterai_client import Meterai
with Meterai(sys.argv[1]) as client:
    print(client.verifications.claim_keys()[0].algorithm)
"""
TYPED = """
from meterai_client import AsyncMeterai, Meterai
from meterai_client.models import Order

def waits(client: Meterai) -> Order:
    return client.orders.place(quantity=1)

async def awaits(client: AsyncMeterai) -> Order:
    return await client.orders.place(quantity=1)

def wrong(client: Meterai) -> Order:
    return client.orders.place(quantity="1")
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel and, by a path, the packages on which it depends."""
    folder = tmp_path_factory.mktemp("fresh")
    scripts = Path(sys.executable).parent
    subprocess.run(
        [scripts / "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=SOURCES, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    subprocess.run(
        [scripts / "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel],
        check=True,
    )  # fmt: skip
    (packages,) = (folder / "venv" / "lib").glob("python3*/site-packages")
    (packages / "installed.pth").write_text(f"{Path(httpx2.__file__).parents[1]}\n")
    return python


def test_installed_wheel_calls_an_installation(
    fresh: Path, instance: Instance, tmp_path: Path
) -> None:
    asked = subprocess.run(
        [fresh, "-I", "-c", USE, instance.url],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout == "Ed25519\n"


def test_wheel_contains_types(fresh: Path, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(TYPED)
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", fresh, "use.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.stdout.count("error:") == 1, found.stdout
    assert 'use.py:12: error: Argument "quantity"' in found.stdout
