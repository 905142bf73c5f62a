"""A watcher of a whole instance: everything is measured, faults show and end, a kill breaks nothing."""

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from meterai.kit.components import Component
from meterai.plumbing.readings import digest, read_reading
from meterai.plumbing.signed import public_key_of, read_signed
from meterai.watch.rule import FLIP_SECONDS_MAX, MEND_SECONDS_MAX
from meterai.watch.service import CHANGE
from tests.support.commands import Done, run_here
from tests.support.instance import Instance, until
from tests.support.watching import Watching, all_work, configured

SLOWER = 3  # a machine under test has other work
DOWN = "major_outage"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance of its own, whose bank gets faults."""
    settings = {"METERAI_CODES_PER_HOUR_PER_NETWORK_MAX": "100000"}
    with Instance(tmp_path_factory.mktemp("watched"), **settings) as running:
        yield running
        running.assert_audit_holds()


@pytest.fixture
def file(watched: Instance, tmp_path: Path) -> Path:
    return configured(tmp_path / "watcher", watched, name=f"w{uuid.uuid4().hex[:8]}")


def test_once_tries_every_component(watched: Instance, file: Path) -> None:
    def tried() -> Done:
        return run_here(watched.data, "watch", "once", str(file))

    # An instance that has just started beside other tests may be too busy for a moment.
    done = until("all is good", lambda: (found := tried()).returncode == 0 and found)
    lines = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    # Refunds are requested only from a stock of orders.
    assert lines == dict.fromkeys(Component, "good") | {"refunds": "not"}


def test_watcher_without_account_and_payer_measures_the_rest(watched: Instance, file: Path) -> None:
    bare = file.with_name("bare.toml")
    bare.write_text(f'name = "bare"\ninstallation = "{watched.url}"\nfolder = "bare"\n')
    done = run_here(watched.data, "watch", "once", str(bare))
    assert done.returncode == 0, done
    good = [line.split()[0] for line in done.stdout.splitlines() if " good " in line]
    assert good == ["site", "line", "checking"]


@pytest.mark.soak  # two minutes of waiting for signed minutes
def test_faults_show_and_end_and_a_kill_breaks_nothing(watched: Instance, file: Path) -> None:
    with Watching(file) as watching:
        watching.until_all_work(90)
        watched.bank.faults(response_delay_seconds=60, token_delay_seconds=60)
        watching.until(
            "buying is shown as down, and checking is not",
            lambda states: states[Component.BUYING] == DOWN and states[Component.CHECKING] == "operational",
            SLOWER * FLIP_SECONDS_MAX,
        )  # fmt: skip
        watching.stop(signal.SIGKILL)
        before = watching.readings()
        watched.bank.clear_faults()
        watching.start()
        until("it goes on as it was", lambda: watching.json("now.json"), 30)
        watching.until("everything works again", all_work, SLOWER * MEND_SECONDS_MAX)
        until("a minute more is signed", lambda: len(watching.readings()) > len(before) + 1, 150)
        key = public_key_of((watching.public / "watcher.pem").read_bytes())
        changes = [
            read_signed(line, CHANGE, key)
            for line in (watching.public / "changes.jsonl").read_text().splitlines()
        ]
        documents = watching.readings()
    buying = [(one["from"], one["to"]) for one in changes if one["component"] == Component.BUYING]
    assert buying[0] == ("operational", DOWN)
    assert buying[-1][1] == "operational"
    assert documents[: len(before)] == before
    readings = [read_reading(one, key) for one in documents]
    for earlier, later, document in zip(readings, readings[1:], documents, strict=False):
        assert later.previous == digest(document)
        assert later.minute > earlier.minute
    assert any(one.components[Component.BUYING].failures for one in readings if one.components)
    measured = {name for one in readings for name in one.components}
    assert measured == set(Component)


def test_peers_have_to_name_this_watcher_with_its_key(watched: Instance, file: Path) -> None:
    shown = run_here(watched.data, "watch", "key", str(file))
    assert shown.returncode == 0, shown
    peers = file.with_name("peers.toml")
    peers.write_text(shown.stdout.replace('url = ""', 'url = "http://127.0.0.1:9"'))
    another = configured(file.parent / "another", watched, name="another")
    done = run_here(watched.data, "watch", "run", str(another), "--peers", str(peers))
    assert done.returncode == 1, done
    assert "watchers_wrong" in done.stderr
