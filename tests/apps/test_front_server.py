"""The reverse proxy and the web process have the same limits, in two files."""

import re
from pathlib import Path

from meterai.plumbing.observe import exchange
from meterai.verification.pages.many import MANY_FORM_BYTES_MAX
from meterai.verification.service.batch import MANY_BYTES_MAX
from tests.tidy.test_closed_world import handlers

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx" / "meterai.conf"
SAFE = exchange._SAFE.pattern.decode()
MEBIBYTE = 1024 * 1024


def test_largest_form_passes_the_proxy_and_a_larger_one_does_not() -> None:
    found = re.findall(r"^ *client_max_body_size (\d+)m;$", CONFIGURATION.read_text(), re.M)
    assert len(found) == 1, "one number for every address"
    in_front = int(found[0]) * MEBIBYTE
    largest = max(
        handler.resolve_request_max_body_size() or 0
        for _, handler in handlers()
        if handler.http_methods & {"POST", "PUT", "PATCH"}
    )
    assert largest == MANY_FORM_BYTES_MAX
    assert 0 <= in_front - largest < MEBIBYTE
    assert largest > MANY_BYTES_MAX, "a file of the size that is told comes with its form"


def test_request_id_has_one_form_in_proxy_and_application() -> None:
    text = CONFIGURATION.read_text()
    assert f'"~^{SAFE}$" $http_request_id;' in text
    assert f'"~^{SAFE}$" $http_x_request_id;' in text
    # Headers of an outer block are not added in an inner block that adds its own.
    for block in re.findall(r"\{([^{}]*)\}", text):
        if "add_header" in block:
            assert "add_header Request-Id $meterai_request always;" in block, block
            assert "add_header X-Request-Id $meterai_request always;" in block, block
