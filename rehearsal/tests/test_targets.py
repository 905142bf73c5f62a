"""Only this machine is loaded, unless a written list and a flag say otherwise."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from meterai_rehearsal.clients.sites import Site
from meterai_rehearsal.rehearsal.targets import (
    TargetForbidden,
    TargetsUnreadable,
    check,
    read,
)
from tests.support.commands import run_here

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
HERE, ALSO_HERE = Site("127.0.0.1", 8000, "127.0.0.1"), Site("::1", 8000, "::1")
THERE = Site("192.0.2.7", 443, "192.0.2.7", is_tls=True)  # RFC 5737: nobody's
# A name that says it is here, and an address that is not.
PRETENDING = Site("localhost", 80, "192.0.2.7")
LIST = """
[[targets]]
url = "https://192.0.2.7"
allowed_by = "Ibu Sari, operations"
until = 2026-12-01T00:00:00+07:00
"""


def written(tmp_path: Path, text: str = LIST) -> Path:
    path = tmp_path / "targets.toml"
    path.write_text(text)
    return path


def test_this_machine_needs_no_list() -> None:
    assert check([HERE, ALSO_HERE], (), NOW, not_loopback=False) is None


@pytest.mark.parametrize("site", [THERE, PRETENDING])
@pytest.mark.parametrize("not_loopback", [True, False])
def test_another_machine_is_refused_without_a_list(site: Site, not_loopback: bool) -> None:
    with pytest.raises(TargetForbidden):
        check([HERE, site], (), NOW, not_loopback=not_loopback)


def test_the_list_alone_is_not_enough_and_neither_is_the_flag(tmp_path: Path) -> None:
    allowed = read(written(tmp_path))
    with pytest.raises(TargetForbidden):
        check([THERE], allowed, NOW, not_loopback=False)
    found = check([HERE, THERE], allowed, NOW, not_loopback=True)
    assert found is not None
    assert found.allowed_by == "Ibu Sari, operations"


@pytest.mark.parametrize(
    "site",
    [
        PRETENDING,
        Site("192.0.2.7", 80, "192.0.2.7"),  # another port
        Site("192.0.2.8", 443, "192.0.2.8", is_tls=True),
    ],
)
def test_what_is_not_in_the_list_is_refused(tmp_path: Path, site: Site) -> None:
    with pytest.raises(TargetForbidden):
        check([THERE, site], read(written(tmp_path)), NOW, not_loopback=True)


def test_what_was_allowed_until_yesterday_is_refused(tmp_path: Path) -> None:
    later = datetime(2026, 11, 30, 17, 0, 1, tzinfo=UTC)
    with pytest.raises(TargetForbidden):
        check([THERE], read(written(tmp_path)), later, not_loopback=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "targets = 1",
        LIST.replace("Ibu Sari, operations", " "),
        LIST.replace("+07:00", ""),
        LIST.replace("https://192.0.2.7", "192.0.2.7"),
        LIST.replace("allowed_by", "by"),
        LIST + "note = 1",
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TargetsUnreadable):
        read(written(tmp_path, text))


def test_the_command_refuses_another_machine_before_it_sends_anything(tmp_path: Path) -> None:
    # Tests open no socket to another machine: it would be an error of its own.
    words = ("rehearse", "small", "--url", "http://192.0.2.7:9")
    done = run_here(tmp_path, *words)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("meterai: target_forbidden: http://192.0.2.7:9 ")
