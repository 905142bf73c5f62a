"""Whole numbers in texts: a limited number of ASCII digits."""

import pytest

from meterai.kit.numbers import at_most, counted


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "+1",
        "-1",
        "1_0",
        "1.0",
        "1e1",
        "\u00b2",
        "\u0665",
        "\uff11",
        "9" * 4400,
        "\x00",
    ],
)
def test_text_that_is_no_number_is_none(text: str) -> None:
    assert counted(text) is None


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, 0),
        (1, 1),
        (2, 2),
        (3, 5),
        (5, 5),
        (6, 10),
        (10, 10),
        (11, 20),
        (51, 100),
        (4_321, 5_000),
    ],
)
def test_changing_count_is_rounded_up_in_steps(count: int, told: int) -> None:
    assert at_most(count) == told
