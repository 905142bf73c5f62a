"""Lists of rooms for the tests of declarations: those of the platform, and those with the guest book of
docs/adding.md."""

from collections.abc import Iterator

import pytest

from meterai.apps import rooms as platform
from meterai.room import Rooms
from tests.toy.installation import ROOMS as WITH_GUESTS
from tests.toy.installation import speaking


@pytest.fixture(params=[platform.ROOMS, WITH_GUESTS], ids=["platform", "with_guests"])
def rooms(request: pytest.FixtureRequest) -> Iterator[Rooms]:
    """Each list of rooms, with the sentences of its rooms."""
    found: Rooms = request.param
    with speaking(found):
        yield found
