"""Who had much lately is behind who had little; who is not heard of is forgotten."""

from meterai.limiter.usage import HALF_LIFE_SECONDS, LEVELS, UNIT_SECONDS, USERS_MAX, WorkUsage


def test_a_newcomer_and_who_had_a_page_are_equal() -> None:
    usage = WorkUsage()
    usage.add(b"a", UNIT_SECONDS / 2, 0.0)
    assert usage.level(b"a", 0.0) == usage.level(b"b", 0.0) == 0


def test_twice_as_much_is_a_level_more_up_to_the_last() -> None:
    usage = WorkUsage()
    levels = []
    for _ in range(12):
        usage.add(b"a", max(UNIT_SECONDS, usage._seconds(b"a", 0.0)), 0.0)
        levels.append(usage.level(b"a", 0.0))
    assert levels == [*range(1, LEVELS), *[LEVELS - 1] * (12 - LEVELS + 1)]


def test_it_is_forgotten_by_halves() -> None:
    usage = WorkUsage()
    usage.add(b"a", UNIT_SECONDS * 4, 0.0)
    before = usage.level(b"a", 0.0)
    assert usage.level(b"a", HALF_LIFE_SECONDS) == before - 1
    assert usage.level(b"a", HALF_LIFE_SECONDS * 10) == 0


def test_any_number_of_users_fits() -> None:
    usage = WorkUsage()
    for number in range(USERS_MAX + 100):
        usage.add(b"%d" % number, UNIT_SECONDS, 0.0)
    assert len(usage._users) == USERS_MAX
    assert usage.level(b"0", 0.0) == 0, "the one unheard of for longest went first"
