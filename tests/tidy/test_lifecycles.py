"""docs/lifecycles.md equals the lifecycle tables of the code."""

from meterai.kit.lifecycle import Lifecycle
from scripts.lifecycles import COMMAND, FILE, LIFECYCLES, document
from tests.tidy.sources import modules


def test_drawings_equal_the_lifecycle_tables() -> None:
    assert FILE.is_file(), f"write it with {COMMAND}"
    assert FILE.read_text() == document(), f"write it again with {COMMAND}"


def test_every_lifecycle_is_registered_by_its_room() -> None:
    written = {
        (name.split(".")[1], value.subject)
        for name in modules()
        if name.endswith((".model", ".outgoing"))
        for value in vars(__import__(name, fromlist=["model"])).values()
        if isinstance(value, Lifecycle)
    }
    assert written == {(drawn.room, drawn.lifecycle.subject) for drawn in LIFECYCLES}
