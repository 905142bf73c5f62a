"""Where a line stands, as a file for servers of files; a disk without room stops no line."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from structlog.testing import capture_logs

from meterai.waiting_room.advancing import DOCUMENT, Advancing
from meterai.waiting_room.model import Line


def _line(document: str) -> Line:
    return cast(Line, SimpleNamespace(name="buying", document=document))


def test_what_cannot_be_written_is_told_and_leaves_what_was_there(tmp_path: Path) -> None:
    advancing = object.__new__(Advancing)
    advancing._public = tmp_path
    advancing._publish(_line("one"))
    assert (tmp_path / "buying" / DOCUMENT).read_text() == "one"
    # Whatever the reason is: here a folder stands where the draft is written.
    draft = tmp_path / "buying" / f".now-serving.{os.getpid()}"
    draft.mkdir()
    with capture_logs() as logs:
        advancing._publish(_line("two"))
    assert [(one["event"], one["log_level"]) for one in logs] == [("line_not_published", "error")]
    assert (tmp_path / "buying" / DOCUMENT).read_text() == "one"
    draft.rmdir()
    advancing._publish(_line("three"))
    assert (tmp_path / "buying" / DOCUMENT).read_text() == "three"
