"""Documentation of the API: its examples work after replacing one's own values."""

import json
import re
import shlex
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from tests.support.walk_in import WalkIn, walk_in


@pytest.fixture
def visitor(database_url: str, tmp_path: Path) -> Iterator[WalkIn]:
    with walk_in(database_url, tmp_path) as made:
        yield made


def test_documented_examples_can_be_executed(visitor: WalkIn) -> None:
    shown = re.findall(r"<pre[^>]*>(.*?)</pre>", visitor.get("/docs"), re.DOTALL)
    commands = [unescape(re.sub(r"<[^>]+>", "", one)) for one in shown]
    asked = [shlex.split(one) for one in commands if one.startswith("curl")]
    assert len(asked) > 10
    for words in asked:
        assert "{" not in words[-1], words
        if "--json" in words:
            body = json.loads(words[words.index("--json") + 1])
            own = {"ticket"}
            assert {name for name, value in body.items() if value == "..."} <= own, words
    [order] = [words for words in asked if words[-1].endswith("/v1/orders") and "--json" in words]
    assert json.loads(order[order.index("--json") + 1])["payment_method"] == "qris"
