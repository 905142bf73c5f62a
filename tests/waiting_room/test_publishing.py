"""Documents of lines as files for file servers; a full disk stops no line."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from structlog.testing import capture_logs

from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import SystemClock
from meterai.waiting_room.advancing import DOCUMENT, Advancing
from meterai.waiting_room.model import GuardedAct, WaitingLine
from meterai.waiting_room.operating import LinePlan
from tests.support.lines import Operating
from tests.support.shop import Shop


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


def test_only_documents_of_known_ended_lines_are_deleted(shop: Shop) -> None:
    advancing, operator = shop.container.of(Advancing), Actor(ActorKind.OPERATOR, "budi")
    operating = Operating(shop.container.database, SystemClock())
    shop.do(operating.create(LinePlan("ended", GuardedAct.CHECK), actor=operator))
    shop.do(operating.end("ended", reason="over", actor=operator))
    shop.do(operating.create(LinePlan("lasting", GuardedAct.CHECK), actor=operator))
    for name in ("ended", "lasting", "of-another-database"):
        advancing._publish(cast(WaitingLine, SimpleNamespace(name=name, document=name)))
    assert shop.do(advancing.retire()) == 1
    left = sorted(path.parent.name for path in advancing._public.glob(f"*/{DOCUMENT}"))
    assert left == ["lasting", "of-another-database"]
