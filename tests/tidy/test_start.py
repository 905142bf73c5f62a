"""Imports at the start: no command loads libraries that only another one needs."""

import subprocess
import sys

import pytest

# The folder of the metrics of several processes must be configured before their library is loaded.
_COMMANDS = "meterai.apps.cli, meterai.apps.commands.run, meterai.apps.settings"


@pytest.mark.parametrize(
    ("modules", "libraries"),
    [
        (_COMMANDS, ["prometheus_client"]),
        # These libraries take 20 MB, and only the processes of `sandbox` draw.
        ("meterai.sealing", ["PIL", "pdf_oxide", "pypdfium2", "zxingcpp"]),
        # These take 12 MB, and serve only encrypted documents and queries to authorities.
        ("meterai.sealing", ["pikepdf", "structlog", "meterai.sealing.signing.network"]),
    ],
)
def test_unused_library_is_not_loaded(modules: str, libraries: list[str]) -> None:
    code = f"import sys, {modules}; print([one for one in {libraries} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
