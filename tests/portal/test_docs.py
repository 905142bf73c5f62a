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


def test_example_sends_a_file_of_the_expected_type(visitor: WalkIn) -> None:
    shown = unescape(re.sub(r"<[^>]+>", "", visitor.get("/docs")))
    commands = re.findall(r"curl(?:[^\n]*\\\n)*[^\n]*", shown)
    sent = {
        words[-1].split("/v1", 1)[1]: words[words.index("--data-binary") + 1]
        for words in map(shlex.split, commands)
        if "--data-binary" in words
    }
    assert sent["/shop/logo"] == "@logo.png"
    assert sent["/batches/bat_06f9k2.../rows"] == "@rows.jsonl"
    assert sent["/verifications"] == "@surat.pdf"


def test_example_of_a_public_operation_has_no_key(visitor: WalkIn) -> None:
    description = visitor.client.get("/openapi.json").json()
    text = unescape(re.sub(r"<[^>]+>", "", visitor.get("/docs")))
    commands = re.findall(r"curl(?:[^\n]*\\\n)*[^\n]*", text)
    with_key = sum("Authorization" in one for one in commands)
    needing = [
        operation
        for path, methods in description["paths"].items()
        for operation in methods.values()
        if path.startswith("/v1/") and operation.get("security") != []
    ]
    assert with_key == len(needing) < len(commands)
