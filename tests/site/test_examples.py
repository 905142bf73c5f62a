"""Every example of site/ does what its page says, against an installation.

A comment before a block tells how it is tested: `<!-- run -->`; `<!-- prints -->` for the output of the block
before, in which an ellipsis stands for anything; or `<!-- not run: why -->`. The blocks of a page run in order
in one folder and keep the variables of their shell.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.collecting import key_of_a_collector
from tests.support.commands import ROOT, environment
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, until
from tests.support.pdf import pdf

PAGES = sorted((ROOT / "site" / "docs").glob("*.md"))
BLOCK = re.compile(r"(?:^<!-- (.+?) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS_MAX = 180
SHIM = f'#!/bin/sh\nexec "{sys.executable}" -m meterai "$@" --data "$DATA"\n'


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    fate: str | None
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page.name, line, found[1], found[2], found[3])


class Reader:
    """A person who tries a page in a folder."""

    def __init__(self, folder: Path, instance: Instance, key: str) -> None:
        self.folder = folder
        shim = folder / ".venv" / "bin" / "meterai"
        shim.parent.mkdir(parents=True)
        shim.write_text(SHIM)
        shim.chmod(0o755)
        for name in ("letter.pdf", "contract.pdf", "surat.pdf", "invoice.pdf", "last.pdf"):
            (folder / name).write_bytes(pdf(words=f"Surat {name}"))
        command = folder / ".venv" / "bin" / "meterai-batch"
        command.write_text(
            f"#!{sys.executable}\nfrom meterai_client.batch_command import main\nmain()\n"
        )
        command.chmod(0o755)
        self._environment = environment(instance._given) | {
            "PATH": f"{shim.parent}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'clients' / 'python'}",
            "DATA": str(instance.data),
            "URL": instance.url,
            "BANK": instance.bank.url,
            "KEY": key,
        }

    def tries(self, block: Block) -> str:
        """Run a block, and return its output."""
        if block.language == "python":
            (self.folder / "example.py").write_text(block.text)
            words = f"{kept()}\npython example.py"
        else:
            words = f"{kept()}\nset -eu -o pipefail\n{block.text}\nexport -p > .variables"
        done = subprocess.run(
            ["bash", "-c", f"set -a\n{words}"],
            cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False,
            timeout=SECONDS_MAX,
        )  # fmt: skip
        assert done.returncode == 0, (block.page, block.line, done.stdout, done.stderr)
        return done.stdout


def kept() -> str:
    return "if [ -f .variables ]; then . ./.variables; fi"


def is_printed(expected: str, printed: str) -> bool:
    """Return True if the output equals the expected one, line by line, with an ellipsis for anything."""
    pattern = r"\s+".join(
        ".*?".join(re.escape(one) for one in line.strip().split("..."))
        for line in expected.strip().splitlines()
    )
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@pytest.fixture(scope="module")
def shop(instance: Instance) -> Iterator[Instance]:
    """The shared instance. After the last page every invariant must hold."""
    yield instance
    instance.assert_audit_holds()


RUN = [one for one in PAGES if any(block.fate == "run" for block in blocks(one))]


@pytest.mark.parametrize("page", RUN, ids=lambda one: one.stem)
def test_examples_of_a_page_work_as_described(page: Path, shop: Instance, tmp_path: Path) -> None:
    missing = [one for one in ("bash", "curl", "jq") if shutil.which(one) is None]
    if missing:
        pytest.skip(f"not on this machine: {' '.join(missing)}")
    is_of_collectors = page.stem == "collector"
    key = key_of_a_collector(Inside(shop)) if is_of_collectors else shop.customer().key or ""
    reader = Reader(tmp_path, shop, key)
    if page.stem in ("placing", "checking", "company", "money", "batch"):
        stamps(shop, reader)
    printed = ""
    for block in blocks(page):
        if block.fate == "run":
            printed = reader.tries(block)
        elif block.fate == "prints":
            assert is_printed(block.text, printed), (page.name, block.line, printed)


def stamps(instance: Instance, reader: Reader) -> None:
    """Prepare a balance of stamps for pages that need one."""
    customer = Client(instance.url, reader._environment["KEY"])
    order = customer.place(5)
    instance.bank.pay(order["payment"]["qr_content"])
    until("the order is executed", lambda: customer.balance()["available"] == 5)
