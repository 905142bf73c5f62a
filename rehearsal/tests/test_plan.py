"""A senseless plan is refused by the path of the field."""

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai_rehearsal.rehearsal.plan import PlanMissing, PlanWrong, checked, of, text_of

GOOD = """
name = "good"
seed = 1
[arrivals]
points = [[0, 1], [10, 1]]
[bounds]
seconds_max = 20
[[journeys]]
name = "look"
"""


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


COMMAND = "[[commands]]\nat = {at}\nwords = {words}\n"
FAULT = '[[faults]]\nkind = "{kind}"\nat = {at}\n'


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "name"),
        ("name = ", "plan"),
        ("[" * 5000, "plan"),
        (changed('"good"', '"Not a Name"'), "name"),
        (changed("seed = 1", "seed = -1"), "seed"),
        (GOOD + "networks = 601\n", "journeys[0].networks"),
        (GOOD + "neighbours = true\n", "journeys[0].networks"),
        (GOOD + "neighbours = true\nnetworks = 255\n", "journeys[0].networks"),
        (changed("seed = 1", "seed = 1\nsped = 1"), "sped"),
        (changed("seed = 1", f"seed = {10**400}"), "seed"),
        (changed("points = [[0, 1], [10, 1]]", ""), "arrivals"),
        (changed("[10, 1]]", '[10, 1]]\nshape = "cpns_2024"'), "arrivals"),
        (changed("[10, 1]]", "[10, 1]]\nseconds = 5"), "arrivals.points"),
        (changed("[10, 1]]", "[10, -1]]"), "arrivals"),
        (changed("[10, 1]]", "[10, 1e9]]"), "arrivals"),
        (changed("[10, 1]]", "[10, nan]]"), "arrivals.points[1][1]"),
        (changed("[10, 1]]", "[inf, 1]]"), "arrivals.points[1][0]"),
        (changed("[10, 1]]", "[10, 1], [5, 1]]"), "arrivals"),
        (changed("[[0, 1], [10, 1]]", "[[0, 0], [10, 0]]"), "arrivals"),
        (changed("[10, 1]]", '[10, "many"]]'), "arrivals.points[1][1]"),
        (changed("[10, 1]]", "[10, 1]]\nfactor = 0"), "arrivals.factor"),
        (changed("points = [[0, 1], [10, 1]]", 'shape = "nobody"'), "arrivals.shape"),
        (
            changed(
                "points = [[0, 1], [10, 1]]",
                'shape = "cpns_2024"\nseconds = 9\nper_second_max = 1\napplicants_per_hour = 1',
            ),
            "arrivals.per_second_max",
        ),
        (
            changed(
                "points = [[0, 1], [10, 1]]", 'shape = "cpns_2024"\nper_second_max = 1000000000'
            ),
            "arrivals.per_second_max",
        ),
        (changed("seconds_max = 20", "seconds_max = 5"), "bounds.seconds_max"),
        (changed("seconds_max = 20", "seconds_max = 20\nopen_max = 0"), "bounds.open_max"),
        (changed('"look"', '"dance"'), "journeys[0].name"),
        (changed('"look"', '"look"\nweight = -1'), "journeys[0].weight"),
        (changed('"look"', '"look"\nweight = 0'), "journeys"),
        (GOOD + '[[journeys]]\nname = "look"\n', "journeys[1].name"),
        ("journeys = []" + changed('[[journeys]]\nname = "look"', ""), "journeys"),
        (GOOD + '[[devices]]\nname = "phone"\ndrops = 2\n', "devices[0].drops"),
        (GOOD + '[[devices]]\nname = "phone"\ndrop = 1\n', "devices[0].drop"),
        (GOOD + FAULT.format(kind="kill_god", at=1), "faults[0].kind"),
        (GOOD + FAULT.format(kind="kill_web", at=11), "faults[0].at"),
        (GOOD + FAULT.format(kind="kill_web", at=-1), "faults[0].at"),
        (GOOD + FAULT.format(kind="stall_bank", at=1), "faults[0].seconds"),
        (GOOD + FAULT.format(kind="kill_web", at=1) + "seconds = 1\n", "faults[0].seconds"),
        (
            GOOD + FAULT.format(kind="kill_web", at=5) + FAULT.format(kind="kill_web", at=4),
            "faults[1].at",
        ),
        (GOOD + FAULT.format(kind="lose_notifications", at=1), "faults[0].seconds"),
        (GOOD + COMMAND.format(at=1, words="[]"), "commands[0].words"),
        (GOOD + COMMAND.format(at=1, words='["a\\u0000"]'), "commands[0].words[0]"),
        (
            GOOD + COMMAND.format(at=5, words='["a"]') + COMMAND.format(at=4, words='["b"]'),
            "commands[1].at",
        ),
    ],
)
def test_senseless_field_is_refused_by_its_path(text: str, field: str) -> None:
    with pytest.raises(PlanWrong) as refused:
        of(text)
    assert refused.value.field == field, refused.value
    assert refused.value.reason


def test_valid_plan_is_accepted() -> None:
    assert of(GOOD).curve.total == 10


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
PARTS = ("name", "seed", "arrivals", "bounds", "journeys", "devices", "faults", "promises", "own")


@given(st.dictionaries(st.sampled_from(PARTS), VALUES, max_size=4))
def test_any_plan_is_read_or_refused(parts: dict[str, Any]) -> None:
    with suppress(PlanWrong):
        checked(tomllib.loads(GOOD) | parts)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(PlanWrong):
        of(text)  # no text so short contains a whole plan


def test_plan_is_a_shipped_name_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    assert text_of(str(tmp_path / "mine.toml")) == GOOD
    assert of(text_of("small")).name == "small"
    with pytest.raises(PlanWrong):
        text_of(str(tmp_path / "bytes.toml"))
    for missing in ("smal", str(tmp_path), str(tmp_path / "none.toml"), "a\0b"):
        with pytest.raises(PlanMissing):
            text_of(missing)
