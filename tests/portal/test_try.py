"""Page on which a developer tries the API with its own key."""

from pathlib import Path

from playwright.sync_api import expect

from tests.support.instance import Instance
from tests.support.pdf import pdf
from tests.support.walk_in import walk_in


def test_requests_are_sent_with_the_key_and_answers_shown(chromium, instance: Instance, tmp_path):
    customer = instance.customer()
    page = chromium.new_page()
    asked, complaints = [], []
    page.on("request", lambda one: asked.append(one.url))
    page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
    page.goto(f"{instance.url}/docs/try")
    page.locator("#key").fill(customer.key or "")
    answer, send = page.locator("#answer"), page.locator("#try button")
    send.click()
    expect(answer).to_contain_text('"available": 0')
    page.locator("#operation").select_option(label="POST /v1/orders")
    page.locator("textarea").fill('{"quantity": 1}')
    send.click()
    expect(answer).to_contain_text('"state": "placed"')
    order = customer.get("/v1/orders").json["orders"][0]
    page.locator("#operation").select_option(label="GET /v1/orders/{order_id}")
    page.locator("#field-path-order_id").fill(order["id"])
    send.click()
    expect(answer).to_contain_text(order["id"])
    instance.bank.pay(order["payment"]["qr_content"])
    page.locator("#operation").select_option(label="POST /v1/stampings")
    (tmp_path / "surat.pdf").write_bytes(pdf())
    page.locator("#field-form-document").set_input_files(tmp_path / "surat.pdf")
    page.locator("#field-form-placement").fill('{"corner": "bottom_right"}')
    page.locator("#field-form-metadata").fill("")
    send.click()
    expect(answer).to_contain_text("Request-Id: ")
    assert complaints == [] or "409" in complaints[0], "the stamp may be on its way"
    assert [one for one in asked if not one.startswith((instance.url, "blob:", "data:"))] == []
    page.close()


def test_production_has_no_try_form(database_url: str, tmp_path: Path):
    for environment, is_there in (("development", True), ("production", False)):
        with walk_in(database_url, tmp_path, environment=environment) as made:
            assert ('id="try"' in made.get("/docs/try")) == is_there
            assert ("/docs/try" in made.get("/docs")) == is_there
