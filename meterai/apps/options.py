"""What every command takes, and how one speaks and refuses."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from meterai.plumbing.config import Configuration, Settings, load


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """Options every command takes.  Any other setting: METERAI_<NAME> or DIR/meterai.toml."""

    data: Annotated[Path | None, Parameter(help="Data directory (METERAI_DATA).")] = None
    config: Annotated[Path | None, Parameter(help="TOML file with settings.")] = None
    port: Annotated[int | None, Parameter(help="Port of the web; 0 for any free one.")] = None
    workers: Annotated[int | None, Parameter(help="Web processes.")] = None

    def configuration(self) -> Configuration:
        """The settings in force."""
        given = {"data": self.data and str(self.data), "port": self.port, "workers": self.workers}
        return load(given, config=self.config)

    def settings(self) -> Settings:
        """The settings in force, without their sources."""
        return self.configuration().settings


NO_OPTIONS = Options()
AsJson = Annotated[bool, Parameter(name="--json", negative="")]


def line(text: str) -> None:
    """One line of answer, at once."""
    print(text, flush=True)


def complain(text: str) -> None:
    """One line about what went wrong."""
    print(f"meterai: {text}", file=sys.stderr)
