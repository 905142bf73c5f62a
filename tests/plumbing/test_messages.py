"""Values in a sentence are written as people write them."""

import pytest

from meterai.plumbing.messages import format_size, localize, translate

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("size", "as_size", "as_limit"),
    [
        (0, "0 KB", "0 KB"),
        (3, "1 KB", "1 KB"),
        (310 * 1024, "310 KB", "310 KB"),
        (310 * 1024 + 1, "311 KB", "310 KB"),
        (MB - 1, "1,0 MB", "1023 KB"),
        (MB * 3 // 2, "1,5 MB", "1,5 MB"),
        (10 * MB - 1, "10 MB", "9,9 MB"),
        (20 * MB, "20 MB", "20 MB"),
        (20 * MB + 1, "21 MB", "20 MB"),
    ],
)
def test_rounded_size_never_hides_that_a_limit_is_exceeded(
    size: int, as_size: str, as_limit: str
) -> None:
    for language, point in (("id", ","), ("en", ".")):
        assert format_size(size, language) == as_size.replace(",", point)
        assert format_size(size, language, is_limit=True) == as_limit.replace(",", point)
        facts = localize({"size_bytes": size, "limit_bytes": size}, language)
        assert facts == {
            "size_bytes": as_size.replace(",", point),
            "limit_bytes": as_limit.replace(",", point),
        }


def test_words_about_a_missing_fact_are_left_out() -> None:
    key, facts = "work.mails.item", {"what": "x", "tries": 2}
    assert translate(key, "en", **facts, fault="away") == "Email about x: 2 tries, fault away"
    for nothing in (None, ""):
        assert translate(key, "en", **facts, fault=nothing) == "Email about x: 2 tries"
    assert (
        translate(key, "id", **facts, fault="{tries}|*")
        == "Email tentang x: 2 percobaan, gangguan {tries}|*"
    )
