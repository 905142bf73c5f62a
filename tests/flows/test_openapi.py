"""The API behaves as its OpenAPI description says."""

from tests.support.instance import Instance

METHODS = {"get", "post", "put", "delete"}


def test_description_is_complete_openapi_3_1(instance: Instance) -> None:
    described = instance.anybody().get("/openapi.json").json
    assert described["openapi"].startswith("3.1")
    paths = described["paths"]
    for path in ("/v1/orders", "/v1/stampings", "/v1/verifications", "/v1/refunds"):
        operation = paths[path]["post"]
        problem = operation["responses"]["default"]["content"]["application/problem+json"]
        assert problem["schema"]["$ref"] == "#/components/schemas/Problem"
        assert operation["description"]
    for path in ("/v1/orders", "/v1/stampings"):
        names = [one["name"] for one in paths[path]["post"]["parameters"]]
        assert names.count("Idempotency-Key") == 1
    assert (
        "application/octet-stream" in paths["/v1/verifications"]["post"]["requestBody"]["content"]
    )
    assert paths["/v1/verifications"]["post"]["security"] == []
    sealed = paths["/v1/verifications/sealed"]["post"]
    assert "application/octet-stream" in sealed["requestBody"]["content"]
    assert "application/pdf" in sealed["responses"]["200"]["content"]
    assert sealed["security"] == []
    ids = [one["operationId"] for path in paths.values() for m, one in path.items() if m in METHODS]
    assert len(ids) == len(set(ids))


def test_wrong_field_of_a_body_is_named(instance: Instance) -> None:
    customer = instance.customer()
    reply = customer.post("/v1/orders", {"quantity": "many"}, headers={"Idempotency-Key": "k"})
    assert reply.status == 422
    assert reply.json["field"] == "quantity"
    assert reply.json["expected"] == "whole_number"
    assert reply.json["title"].endswith("seharusnya: bilangan bulat.")


def test_type_of_every_refusal_links_to_its_explanation(instance: Instance) -> None:
    refused = instance.anybody().get("/v1/orders").json
    page, _, anchor = refused["type"].partition("#")
    shown = instance.anybody().get(page, headers={"Accept": "text/html"}).body.decode()
    assert f'id="{anchor}"' in shown
    assert instance.anybody().get("/docs").status == 200


def test_expected_form_of_a_field_is_a_documented_code_in_every_language(
    instance: Instance,
) -> None:
    customer = instance.customer()
    shown = instance.anybody().get("/docs/problems", headers={"Accept": "text/html"}).body.decode()
    for language in ("id", "en"):
        headers = {"Idempotency-Key": "k", "Accept-Language": language}
        reply = customer.post("/v1/orders", {"quantity": 0}, headers=headers)
        assert (reply.json["field"], reply.json["expected"]) == ("quantity", "at_least_one")
        assert f'id="expected-{reply.json["expected"]}"' in shown
