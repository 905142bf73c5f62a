"""Commands that another distribution adds by an entry point."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from meterai.apps.program import OWN, PLUGINS, plugged_in, program_of
from meterai.plumbing import messages
from tests.support.commands import run_here

PACKAGE = """
from importlib import resources

from meterai.commands import NO_OPTIONS, Command, DemandScope, Directory, Options, line
from meterai.plumbing.messages import also, translate

also(resources.files(__name__))
COMMANDS = [Command("{name}", "greetings:greet", Directory.SETTINGS, DemandScope.NOTHING)]

def greet(options: Options = NO_OPTIONS) -> None:
    line(translate("greetings.hello", "en"))
"""
SENTENCE = '["greetings.hello"]\nid = "Halo"\nen = "Hello"\n'


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed distributions on the import path, removed afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    beside = list(messages._BESIDE)
    monkeypatch.syspath_prepend(folder)
    plugged_in.cache_clear()
    yield folder
    messages._BESIDE[:] = beside
    messages.catalogue.cache_clear()
    plugged_in.cache_clear()
    sys.modules.pop("greetings", None)


def install(site: Path, name: str) -> None:
    """A distribution with one command of this name and one sentence."""
    package, facts = site / "greetings", site / "greetings-1.0.dist-info"
    package.mkdir()
    (package / "__init__.py").write_text(PACKAGE.format(name=name))
    (package / "messages.toml").write_text(SENTENCE)
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: greetings\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[{PLUGINS}]\nours = greetings:COMMANDS\n")


def test_command_of_another_distribution_runs_with_its_messages(site: Path, tmp_path: Path) -> None:
    install(site, "greet")
    done = run_here(tmp_path, "greet")
    assert (done.returncode, done.stdout) == (0, "Hello\n"), done.stderr


def test_taken_command_name_is_refused(site: Path) -> None:
    install(site, OWN[0].name)
    with pytest.raises(AssertionError, match="registered twice"):
        program_of()
