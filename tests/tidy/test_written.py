"""Files that a script writes from the code are as the script writes them now."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import architecture, lifecycles, permissions, retention, subscriptions

WRITTEN: dict[Path, Callable[[], str]] = {
    architecture.FILE: lambda: architecture.written(architecture.FILE.read_text()),
    lifecycles.FILE: lifecycles.document,
    permissions.FILE: permissions.document,
    retention.FILE: retention.document,
    subscriptions.FILE: lambda: "\n".join(subscriptions.function()) + "\n",
}


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.stem)
def test_written_file_is_current(file: Path) -> None:
    assert file.read_text() == WRITTEN[file](), "run its script again: python -m scripts.<name>"
