"""Only this machine is loaded, unless a written list and a flag allow more."""

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
THERE = Site("192.0.2.7", 443, "192.0.2.7", is_tls=True)  # RFC 5737: documentation address
# A local name with a foreign address.
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


def test_loopback_needs_no_list() -> None:
    assert check([HERE, ALSO_HERE], (), NOW, not_loopback=False) is None


@pytest.mark.parametrize("site", [THERE, PRETENDING])
@pytest.mark.parametrize("not_loopback", [True, False])
def test_other_machine_without_list_is_refused(site: Site, not_loopback: bool) -> None:
    with pytest.raises(TargetForbidden):
        check([HERE, site], (), NOW, not_loopback=not_loopback)


def test_list_and_flag_are_both_needed(tmp_path: Path) -> None:
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
def test_unlisted_server_is_refused(tmp_path: Path, site: Site) -> None:
    with pytest.raises(TargetForbidden):
        check([THERE, site], read(written(tmp_path)), NOW, not_loopback=True)


def test_expired_permission_is_refused(tmp_path: Path) -> None:
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
def test_invalid_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TargetsUnreadable):
        read(written(tmp_path, text))


def test_command_refuses_other_machine_before_sending(tmp_path: Path) -> None:
    # Tests open no socket to another machine: that would be another error.
    words = ("rehearse", "small", "--url", "http://192.0.2.7:9")
    done = run_here(tmp_path, *words)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("meterai: target_forbidden: http://192.0.2.7:9 ")
