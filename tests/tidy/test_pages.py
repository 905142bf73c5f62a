"""A page depends on its own room and lower rooms alone: for its sentences, links and templates."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from meterai.apps.rooms import pages_of
from meterai.room import Rooms
from scripts.architecture import levels
from tests.tidy.sources import PACKAGE, home_of, sentences
from tests.tidy.test_closed_world import handlers

TEMPLATES = sorted(PACKAGE.glob("*/templates/*.html"))
WHERE = {key: home_of(path) for path, key, _ in sentences() if path.is_relative_to(PACKAGE)}


def below(room: str) -> set[str]:
    """The room and every room that it may use."""
    layers = levels()
    own = next(n for n, layer in enumerate(layers) if room in layer)
    return {room}.union(*layers[own + 1 :])


def said(text: str) -> Iterator[str]:
    """Keys that a template names. A key that is completed at run time yields every key with its beginning."""
    for key, is_begun in re.findall(r"""\bt\(\s*["']([\w.-]+)["'](\s*~)?""", text):
        found = [one for one in WHERE if one.startswith(key)] if is_begun else [key]
        assert found, f"nothing is called {key}"
        yield from found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{home_of(path)}/{path.name}")
def test_template_uses_sentences_of_its_room_or_lower_ones(path: Path) -> None:
    rooms = below(home_of(path))
    assert not {key for key in said(path.read_text()) if WHERE.get(key) not in rooms}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{home_of(path)}/{path.name}")
def test_template_includes_templates_of_its_room_or_lower_ones(path: Path) -> None:
    used = re.findall(r'{% (?:extends|import|include) "(?:(\w+)/)?[\w.]+"', path.read_text())
    assert {room or "pages" for room in used} <= below(home_of(path))


def test_sentences_of_a_page_are_in_the_room_of_its_template() -> None:
    for path in PACKAGE.glob("*/templates/*.toml"):
        page = path.with_suffix(".html")
        assert page.is_file(), f"{path} is beside no page"


def test_room_with_pages_registers_them() -> None:
    rooms = {home_of(path) for path in TEMPLATES} - {"pages", "notifications"}
    assert {one.name for one in pages_of()} == rooms
    assert all(one.package == f"meterai.{one.name}" for one in pages_of())


def test_link_on_every_page_has_a_route_and_a_sentence(rooms: Rooms) -> None:
    paths = {path for path, handler in handlers(rooms) if "GET" in handler.http_methods}
    for one in pages_of(rooms):
        for link in one.links:
            assert link.path in paths
            assert WHERE[link.label] in below(one.name)
