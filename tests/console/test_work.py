"""Pages of work lists: waiting items in words, for those who may see them."""

from datetime import UTC, datetime, timedelta

import psycopg

from meterai.console.work import WorkCounts
from meterai.kit.ids import new_id, show
from tests.console.conftest import Floor


def test_item_is_listed_with_its_subject_until_it_is_resolved(floor: Floor) -> None:
    item = new_id()
    long_ago = datetime.now(UTC) - timedelta(days=2)
    with psycopg.connect(floor.url) as owner:
        owner.execute(
            "INSERT INTO suspense_items (item_id, item_key, source, reason, reference, told, opened_at, due_at)"
            " VALUES (%s, 'k', 'notification', 'unreadable', '<script>', 'x', %s, %s)",
            (item, long_ago, long_ago + timedelta(days=1)),
        )
    floor.seat("support")
    shown = show("sus", item)
    for path in ("/console/work", "/console/work/suspense"):
        page = floor.get(path).text
        assert f"/console/subjects/suspense/{shown}" in page
        assert "<script>" not in page.replace("<script type", "")
    timeline = floor.get(f"/console/subjects/suspense/{shown}")
    assert timeline.status_code == 200
    assert "&lt;script&gt;" in timeline.text
    with psycopg.connect(floor.url) as owner:
        owner.execute(
            "UPDATE suspense_items SET state = 'resolved', resolution = 'dismissed', resolved_at = now(),"
            " resolved_by = 'operator:budi' WHERE item_id = %s",
            (item,),
        )
    assert shown not in floor.get("/console/work/suspense").text


def test_stranger_sees_no_work_list(floor: Floor) -> None:
    floor.seat()
    assert floor.get("/console/work").status_code == 403


def test_certificate_near_its_end_is_announced(floor: Floor) -> None:
    floor.seat("operations")
    work = floor.walk_in.container.of(WorkCounts)
    assert "certificate" not in floor.get("/console/work").text
    work._clock = Shifted(datetime.now(UTC) + timedelta(days=365 * 30))
    assert "certificate" in floor.get("/console/work").text


class Shifted:
    """A clock with a fixed time."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at
