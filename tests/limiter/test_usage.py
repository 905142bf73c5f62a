"""Recent use: an active user comes after an inactive one, and old use decays."""

from meterai.limiter.usage import HALF_LIFE_SECONDS, LEVELS, UNIT_SECONDS, WorkUsage


def test_new_user_and_user_of_one_page_have_equal_level() -> None:
    usage = WorkUsage()
    usage.add(b"a", UNIT_SECONDS / 2, 0.0)
    assert usage.level(b"a", 0.0) == usage.level(b"b", 0.0) == 0


def test_level_grows_with_each_doubling_up_to_the_last() -> None:
    usage = WorkUsage()
    levels = []
    for _ in range(12):
        usage.add(b"a", max(UNIT_SECONDS, usage._seconds(b"a", 0.0)), 0.0)
        levels.append(usage.level(b"a", 0.0))
    assert levels == [*range(1, LEVELS), *[LEVELS - 1] * (12 - LEVELS + 1)]


def test_use_decays_by_half() -> None:
    usage = WorkUsage()
    usage.add(b"a", UNIT_SECONDS * 4, 0.0)
    before = usage.level(b"a", 0.0)
    assert usage.level(b"a", HALF_LIFE_SECONDS) == before - 1
    assert usage.level(b"a", HALF_LIFE_SECONDS * 10) == 0
