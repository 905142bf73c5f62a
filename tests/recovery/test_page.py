"""The page of recovery and its commands, on a whole instance."""

import json
from collections.abc import Iterator

import pytest

from tests.support.desk import staff_session
from tests.support.instance import Client, Instance

OPEN = (
    *("incidents", "open", "Pembelian terganggu", "Buying is disturbed"),
    *("--components", "buying=major_outage"),
    *("--text-id", "Kami mencari sebabnya.", "--text-en", "We look for the cause."),
)


def output_of(instance: Instance, *words: str) -> str:
    done = instance.command(*words)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture
def disturbed(audited: Instance) -> Iterator[Instance]:
    """The shared instance with an open incident; resolved afterwards."""
    output_of(audited, *OPEN)
    number = output_of(audited, "incidents", "list").split()[0]
    yield audited
    resolved = ("--text-id", "Selesai.", "--text-en", "It is over.")
    output_of(audited, "incidents", "resolve", number, *resolved)


def shown(instance: Instance, headers: dict[str, str]) -> str:
    reply = Client(instance.url).get("/console/recovery", headers=headers)
    assert reply.status == 200, reply.body
    return reply.body.decode()


def test_page_shows_the_step_its_numbers_and_its_levers(disturbed: Instance) -> None:
    desk = staff_session(disturbed, "operations")
    headers = dict(desk.headers) | {"Accept-Language": "en"}
    assert "/console/levers/recover.start" in shown(disturbed, headers)
    output_of(disturbed, "recover", "start")
    try:
        page = shown(disturbed, headers)
        assert "Buying and sign-up closed in order" in page
        assert "Orders paid, not executed" in page
        for name in ("next", "go", "abandon"):
            assert f"/console/levers/recover.{name}" in page
        assert "/console/levers/recover.start" not in page
        next_step = "/console/levers/recover.next?step=stampings"
        assert f'href="{next_step}"' in page
        lever = Client(disturbed.url).get(next_step, headers=headers)
        assert lever.status == 200
        assert 'value="stampings"' in lever.body.decode()
        output_of(disturbed, "recover", "next", "stampings")
        again = disturbed.command("recover", "next", "stampings")
        assert again.returncode != 0
        assert "not_allowed_now" in again.stderr
        output_of(disturbed, "recover", "back", "closing")
        found = json.loads(output_of(disturbed, "recover", "status", "--json"))
        assert (found["state"], found["is_going"]) == ("closing", False)
        assert found["numbers"]["buying_open"] == 0
        assert "by hand" in output_of(disturbed, "recover", "status")
    finally:
        output_of(disturbed, "recover", "abandon")
    assert "Abandoned" in shown(disturbed, headers)
    ended = disturbed.command("recover", "status", "--watch")
    assert ended.returncode == 1


def test_page_is_not_found_without_permission(audited: Instance) -> None:
    desk = staff_session(audited, "support")
    reply = Client(audited.url).get("/console/recovery", headers=dict(desk.headers))
    assert reply.status in (403, 404)


def test_recover_without_an_incident_is_refused_by_name(audited: Instance) -> None:
    done = audited.command("recover", "start")
    assert done.returncode != 0
    assert "incident_not_named" in done.stderr
