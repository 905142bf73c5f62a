"""The Python client equals the description of the API: routes, parameters, bodies and answers."""

import re
from typing import Any

import pytest

from tests.support.instance import Instance

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def described(instance: Instance) -> Schema:
    found: Schema = instance.anybody().get("/openapi.json").json
    return found


def operations(described: Schema) -> dict[tuple[str, str], Schema]:
    """Operations by method and path, with parameters by their names."""
    return {
        (method, re.sub(r"\{(\w+)\}", r"\1", path)): one
        for path, methods in described["paths"].items()
        for method, one in methods.items()
    }
