"""Placements in millimetres and points: the shown value is the stored one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.drafts import positions
from meterai.drafts.model import DraftFile, FileState
from meterai.drafts.positions import MM, TypedStamp
from meterai.kit.ids import new_id
from meterai.pages import FieldWrong
from meterai.sealing import RULES, WIDTH_MAX, WIDTH_MIN, PageSize, Placement
from meterai.sealing.model import check_apart, check_placements

A4 = PageSize(1, 595.28, 841.89)
A5 = PageSize(1, 419.53, 595.28)

sizes = st.builds(PageSize, st.just(1), st.floats(400, 1500), st.floats(500, 1500))
shares = st.floats(0, 1)


def file(pages: int) -> DraftFile:
    return DraftFile(
        draft=new_id(),
        id=new_id(),
        name="surat.pdf",
        size=1,
        received=1,
        digest=None,
        state=FileState.READY,
        parts=(),
        old_content=None,
        sha256=b"",
        pages=pages,
        sizes=(),
        is_stamped=False,
        rules=RULES,
        refusal=None,
        refusal_facts={},
        placements=(),
        version=0,
        examinations=0,
        added_at=datetime.now(UTC),
        last_part_at=datetime.now(UTC),
    )


def place(size: PageSize, across: float, down: float, width: float) -> Placement:
    """A placement anywhere on the page."""
    one = Placement(1, 0, 0, width)
    return replace(one, x=across * (size.width - one.width), y=down * (size.height - one.height))


@given(sizes, shares, shares, st.floats(WIDTH_MIN, WIDTH_MAX), st.sampled_from(["id", "en"]))
def test_shown_value_is_stored_to_a_tenth_of_a_millimetre(size, across, down, width, language):
    wanted = place(size, across, down, width)
    shown = positions.shown(wanted, size, language)
    kept = positions.placement_of(shown, 1, size)
    assert kept.width == pytest.approx(wanted.width, abs=0.05 * MM + 1e-6)
    assert kept.x == pytest.approx(wanted.x, abs=0.35)
    assert kept.y + kept.height == pytest.approx(wanted.y + wanted.height, abs=0.35)
    # A stored place is shown as typed, and so stored unchanged again, except at the very edge.
    if 0.01 < across < 0.99 and 0.01 < down < 0.99:
        assert positions.shown(kept, size, language) == shown
    check_placements([kept])
    assert kept.x + kept.width <= size.width + 1e-6
    assert kept.y + kept.height <= size.height + 1e-6


@given(sizes, shares, shares)
def test_tap_sets_middle_and_keeps_stamp_on_page(size, across, down):
    found = positions.tapped(Placement(1, 0, 0, 70), size, across, down)
    middle = (found.x + found.width / 2, size.height - found.y - found.height / 2)
    if 35 <= across * size.width <= size.width - 35:
        assert middle[0] == pytest.approx(across * size.width)
    if 55 <= down * size.height <= size.height - 55:
        assert middle[1] == pytest.approx(down * size.height)
    assert positions.inside(found, size) == found


@given(st.builds(PageSize, st.just(1), st.floats(70, 500), st.floats(103, 600)), st.data())
def test_place_apart_is_on_page_and_clear_of_other_stamps(size, data):
    others: list[Placement] = []
    for _ in range(data.draw(st.integers(0, 6))):
        wanted = place(size, data.draw(shares), data.draw(shares), 65)
        found = positions.apart(wanted, size, others)
        if found is None:
            assert others
            break
        check_apart([*others, found], [1] * (len(others) + 1))
        assert positions.inside(found, size) == found
        shown = positions.placement_of(positions.shown(found, size, "id"), 1, size)
        others.append(shown)
        check_apart(others, [1] * len(others))


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (TypedStamp("1", "x", "10", "28"), "x-2"),
        (TypedStamp("1", "-1", "10", "28"), "x-2"),
        (TypedStamp("1", "nan", "10", "28"), "x-2"),
        (TypedStamp("1", "183", "10", "28"), "x-2"),
        (TypedStamp("1", "10", "270", "28"), "y-2"),
        (TypedStamp("1", "10", "", "28"), "y-2"),
        (TypedStamp("1", "10", "10", "14.0"), "width-2"),
        (TypedStamp("1", "10", "10", "106"), "width-2"),
    ],
)
def test_invalid_value_is_refused_at_its_field(typed, field):
    with pytest.raises(FieldWrong) as refusal:
        positions.placement_of(typed, 2, A4)
    assert refusal.value.field == field


def test_comma_and_point_are_read_and_language_decides_which_is_shown():
    with_comma = positions.placement_of(TypedStamp("1", "12,5", "20,5", "28"), 1, A4)
    assert with_comma == positions.placement_of(TypedStamp("1", "12.5", "20.5", "28"), 1, A4)
    assert positions.shown(with_comma, A4, "id").x == "12,5"
    assert positions.shown(with_comma, A4, "en").x == "12.5"


def test_same_place_keeps_distance_from_lower_right_corner():
    wanted = Placement(1, 595.28 - 120, 50, 80)
    there, is_kept = positions.alike(wanted, A4, A5)
    assert is_kept
    assert there.x == pytest.approx(419.53 - 120)
    assert there.y == 50


@pytest.mark.parametrize(
    ("page", "of", "on", "there"), [(5, 5, 3, 3), (2, 5, 3, 2), (4, 5, 3, 3), (1, 1, 9, 9)]
)
def test_last_page_corresponds_to_last_page(page, of, on, there):
    assert positions.page_alike(page, file(of), file(on)) == there
