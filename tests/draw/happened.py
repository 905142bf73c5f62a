"""A line that was opened by a draw an hour ago."""

from tests.support.drawn_line import drawn_line
from tests.support.history import History

AFTER = ("waiting_room",)


def happen(history: History) -> None:
    history.names["draw"] = drawn_line(history.shop.container, history.shop.do)
