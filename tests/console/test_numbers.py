"""Page of live numbers: samples of minutes, as plots and as tables."""

from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.types.json import Jsonb

from meterai.console.model import MinuteSample
from meterai.console.plots import PlotSeries, PlotSpan, drawn, svg
from meterai.console.samples import MINUTE, Samples
from tests.console.conftest import Floor
from tests.support.till import Till

START = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
SPAN = PlotSpan(START + 4 * MINUTE, MINUTE, 4)


def test_counter_is_drawn_as_its_growth_over_all_machines() -> None:
    samples = [
        MinuteSample(START + minute * MINUTE, source, {"requests": 100.0 * minute + first})
        for minute in range(5)
        for source, first in (("a", 0.0), ("b", 7_000.0))
    ]
    assert drawn(samples, PlotSeries("requests", grows=True), SPAN).points == [200.0] * 4


def test_picture_has_title_and_description_and_escapes_them() -> None:
    picture = svg("plot", "<b>", "<i>", [])
    assert 'role="img"' in picture
    assert "<title" in picture
    assert "&lt;b&gt;" in picture
    assert "&lt;i&gt;" in picture


def test_sample_counts_the_events_of_its_minute(till: Till) -> None:
    _, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    shop = till.shop
    shop.arrange("DELETE FROM console_samples")
    before = "interval '1 minute'"
    shop.arrange(
        f"UPDATE orders SET placed_at = date_trunc('minute', now()) - {before} / 2,"
        f" paid_at = date_trunc('minute', now()) - {before} / 3,"
        f" closed_at = date_trunc('minute', now()) - {before} / 4"
    )
    samples = shop.container.of(Samples)
    shop.do(samples.take())
    shop.do(samples.take())  # another worker
    found = shop.do(samples.since(samples.until() - 2 * MINUTE))
    assert [one.source == "" for one in found] == [True, False]
    whole = found[0].figures
    assert (whole["orders_placed"], whole["orders_executed"]) == (1.0, 1.0)
    assert whole["execution_median"] == 5.0
    assert "jobs_failing" in found[1].figures
    till.clear()  # with changed times


def test_page_shows_plots_and_their_numbers_as_tables(floor: Floor) -> None:
    floor.seat("regulator")
    assert floor.get("/console/numbers").status_code == 200  # without any sample
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with psycopg.connect(floor.url) as owner:
        for minutes in range(30):
            figures = {"orders_placed": 1_234.0, "orders_executed": 17.5}
            owner.execute(
                "INSERT INTO console_samples (at, source, figures) VALUES (%s, '', %s)",
                (now - timedelta(minutes=minutes), Jsonb(figures)),
            )
    for span in ("hour", "day", "<script>"):
        page = floor.get("/console/numbers", span=span).text
        assert page.count("<svg viewBox") == 8
        assert page.count("<title id=") == 8
        assert "1234" in page
        assert "numbers." not in page
        assert 'http-equiv="refresh"' in page
