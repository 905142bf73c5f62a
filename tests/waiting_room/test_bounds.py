"""Bounds of the waiting room, and their description in the documentation."""

import re
from pathlib import Path

import pytest

from meterai.limiter.refusals import APART_MIN
from meterai.plumbing.networks import NETWORKS_MAX, WIDER
from meterai.waiting_room import front
from meterai.waiting_room.crowds import OF_A_ROUND, SPACING
from meterai.waiting_room.model import EARLY_SECONDS_MAX
from meterai.waiting_room.settings import WaitingRoomSettings
from meterai.waiting_room.spacing import VERIFIED_NUMBERS_MAX
from meterai.waiting_room.store import CROWDS_MAX

DECISION = Path(__file__).parents[2] / "docs" / "decisions" / "0026-waiting-room.md"
BOUNDS = {
    "waiting_room_network_places": WaitingRoomSettings().waiting_room_network_places,
    "waiting_room_inside_max": WaitingRoomSettings().waiting_room_inside_max,
    "SPACING": SPACING,
    "OF_A_ROUND": OF_A_ROUND,
    "NETWORKS_MAX": NETWORKS_MAX,
    "VERIFIED_NUMBERS_MAX": VERIFIED_NUMBERS_MAX,
    "ARRIVALS_MAX": front.ARRIVALS_MAX,
    "EARLY_TURNS_MAX": front.EARLY_TURNS_MAX,
    "APART_MIN": APART_MIN,
    "CROWDS_MAX": CROWDS_MAX,
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_in_the_documentation_equal_those_of_the_code(name: str) -> None:
    [row] = re.findall(rf"^\| `{name}` \| ([\d,]+) \| (.*) \| (.*) \|$", DECISION.read_text(), re.M)
    assert float(row[0].replace(",", "")) == BOUNDS[name]
    assert "web process" in row[2] or "installation" in row[2]


def test_bounds_of_wider_networks_in_the_documentation_equal_those_of_the_code() -> None:
    text = DECISION.read_text()
    assert WIDER == (1, 4, 16)
    assert text.count("/24, /56: 4") == 5
    assert f"early turn of strangers in {EARLY_SECONDS_MAX:,} s" in text
