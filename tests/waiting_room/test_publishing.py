"""Documents of lines as files for file servers; a full disk stops no line."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from structlog.testing import capture_logs

from meterai.waiting_room.advancing import DOCUMENT, Advancing
from meterai.waiting_room.model import WaitingLine


def _line(document: str) -> WaitingLine:
    return cast(WaitingLine, SimpleNamespace(name="buying", document=document))


def test_failed_write_is_logged_and_keeps_the_old_document(tmp_path: Path) -> None:
    advancing = object.__new__(Advancing)
    advancing._public = tmp_path
    advancing._publish(_line("one"))
    assert (tmp_path / "buying" / DOCUMENT).read_text() == "one"
    # Any reason will do: here a folder has the name of the temporary file.
    draft = tmp_path / "buying" / f".now-serving.{os.getpid()}"
    draft.mkdir()
    with capture_logs() as logs:
        advancing._publish(_line("two"))
    assert [(one["event"], one["log_level"]) for one in logs] == [("line_not_published", "error")]
    assert (tmp_path / "buying" / DOCUMENT).read_text() == "one"
    draft.rmdir()
    advancing._publish(_line("three"))
    assert (tmp_path / "buying" / DOCUMENT).read_text() == "three"
