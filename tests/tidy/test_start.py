"""What a command loads before it is known where processes count together."""

import subprocess
import sys

# The metrics of several processes lie in one folder, which is said before the library is loaded.
_LOADED = (
    "import sys, meterai.apps.cli, meterai.apps.commands.run, meterai.apps.settings\n"
    "print('prometheus_client' in sys.modules)"
)


def test_no_command_counts_before_it_is_said_where() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "False"
