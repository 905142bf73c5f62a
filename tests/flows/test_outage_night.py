"""A night with an outage, from its begin to its report: every document has the same figures."""

import html
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from meterai.kit.components import Component
from meterai.plumbing.readings import Measured
from tests.support.commands import ROOT, environment
from tests.support.desk import staff_session
from tests.support.instance import Client, Instance, until
from tests.support.money import payable
from tests.support.watching import Watching, configured, facts_of

STAFF = ("operations", "operations", "supervisor")
PAID_BEFORE, PAID_AT_NIGHT = 2, 6
FAILED_MINUTES = 2  # whole minutes, so that the outage record has a failed period
ORDERS_AT_ONCE = 40
MINUTE, MAJOR = timedelta(minutes=1), "major_outage"
SILENT_BANK = {"drop_notifications": -1, "query_500": -1}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the static files of a watcher, and yield their address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Log nothing."""

    folder.mkdir(parents=True, exist_ok=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def watchers_of(folder: Path, url: str) -> Path:
    """Write the file that names the only watcher, and make its key."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "watch.toml"
    config.write_text(
        f'name = "w1"\ninstallation = "http://localhost"\nfolder = "."\npublic_url = "{url}"\n'
    )
    found = folder / "watchers.toml"
    command = [sys.executable, "-m", "meterai", "watch", "key", str(config)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment({}), capture_output=True, text=True, check=True
    )
    found.write_text(done.stdout)
    return found


@contextmanager
def database_gone(instance: Instance) -> Iterator[None]:
    """PostgreSQL is killed and stays away until the end of the block."""
    [server] = [one for one in instance.parent.children() if Path(one.exe()).name == "postgres"]
    instance.parent.suspend()  # it would restart the server at once
    server.send_signal(signal.SIGQUIT)
    psutil.wait_procs([server], timeout=20)
    yield
    instance.parent.resume()
    instance.wait_ready()


def paid(buyer: Client, bank: Any) -> str:
    """Order a stamp, pay it at the bank, and return the order."""
    placed = buyer.place()
    assert bank.pay(payable(buyer, placed)).status == 200
    return str(placed["id"])


def published(instance: Instance) -> dict[str, Any]:
    """The public status according to the platform."""
    found: dict[str, Any] = instance.anybody().get("/v1/status").json
    return found


def failed_minutes(watching: Watching) -> list[datetime]:
    """The minutes in which at least half of the signed tries of buying failed."""
    found = []
    for line in watching.readings():
        facts = facts_of(line)
        seen = facts["components"].get(Component.BUYING)
        if seen and (one := Measured(**seen)).failures * 2 >= one.tries:
            found.append(datetime.fromisoformat(facts["minute"]))
    return found


@dataclass
class Night:
    """One night with its instance, watcher and buyer."""

    instance: Instance
    watching: Watching
    folder: Path
    buyer: Client
    orders: list[str] = field(default_factory=list)

    def states(self) -> set[str]:
        """The states of the buyer's orders."""
        return {str(self.buyer.order(one)["state"]) for one in self.orders}

    def incident(self) -> dict[str, Any]:
        """The only incident, from the public API."""
        [found] = published(self.instance)["incidents"]
        return dict(found)

    def page(self, path: str) -> str:
        """A page in English, as text."""
        headers = {"Accept": "text/html", "Accept-Language": "en"}
        reply = self.instance.anybody().get(path, headers=headers)
        assert reply.status == 200, reply.body
        return html.unescape(re.sub(r"(<[^>]+>|\s)+", " ", reply.body.decode()))

    def says(self, *words: str) -> str:
        """The output of an operator's command, which must succeed."""
        done = self.instance.command(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.mark.soak  # six minutes, most of them waiting for the watcher
@pytest.mark.timeout(1_200)
def test_every_report_of_an_outage_night_has_the_same_figures(tmp_path: Path) -> None:
    folder, data = tmp_path / "watcher", tmp_path / "data"
    data.mkdir()
    with served(folder / "public") as url:
        known = watchers_of(folder, url)
        with Instance(data, METERAI_WATCHERS_FILE=str(known)) as instance:
            config = configured(folder, instance, more=f'public_url = "{url}"')
            with Watching(config, "--peers", str(known)) as watching:
                night = Night(instance, watching, tmp_path, instance.customer())
                watching.until_all_work(150)
                _breaks(night)
                _comes_back(night)
                _incident_is_told_alike(night)
                _money_is_told_alike(night)
                _outage_is_told_alike(night)
            instance.assert_audit_holds()


def _breaks(night: Night) -> None:
    """Break the service: a rush, a silent bank, no database for minutes. The public sees it, and the watch
    opens an incident."""
    instance, watching, bank = night.instance, night.watching, night.instance.bank
    night.orders = [paid(night.buyer, bank) for _ in range(PAID_BEFORE)]
    until("they are executed", lambda: night.states() == {"executed"})
    rush = [threading.Thread(target=instance.customer().place) for _ in range(ORDERS_AT_ONCE)]
    for one in rush:
        one.start()
    for one in rush:
        one.join()
    bank.faults(**SILENT_BANK)
    night.orders = [paid(night.buyer, bank) for _ in range(PAID_AT_NIGHT)]
    with database_gone(instance):
        watching.until(
            "the public sees it", lambda states: states.get(Component.BUYING) == MAJOR, 60
        )
        until("minutes have failed", lambda: len(failed_minutes(watching)) >= FAILED_MINUTES, 240)
    until("the watch opened an incident", lambda: published(instance)["incidents"], 90)
    until("it is about buying", lambda: "buying" in night.incident()["components"], 60)
    incident = night.incident()
    until("the front page tells of it", lambda: incident["title"]["en"] in night.page("/"))
    words = {"matter": "paid_not_executed", "words": "Saldo terpotong, kuota 0."}
    key = {"Idempotency-Key": "complaint"}
    complaint = night.buyer.post("/v1/cases", words | {"about": night.orders[0]}, headers=key)
    assert complaint.status == 201, complaint.body


def _comes_back(night: Night) -> None:
    """Recover by the operator's commands. The bank's notifications are still lost at first."""
    of = night.incident()["id"]
    known = ("--text-id", "Basis data mati.", "--text-en", "The database died.")
    night.says("incidents", "update", of, "--state", "identified", *known)
    night.says("recover", "start")
    night.says("recover", "go")
    night.instance.bank.clear_faults()
    until("the way back is done", lambda: _step(night) == "done", 300)
    assert night.states() == {"executed"}
    until("the watcher measures that all works", lambda: _measured(night) == {"operational"}, 150)
    if night.incident()["resolved_at"] is None:
        over = ("--text-id", "Selesai.", "--text-en", "It is over.")
        night.says("incidents", "resolve", of, *over)
    changed = ("--changed-id", "Ada cadangan.", "--changed-en", "There is a replica.")
    night.says("incidents", "review", of, *changed)
    until("the platform tells of it", lambda: night.incident()["state"] == "reviewed", 10)


def _step(night: Night) -> str:
    return str(json.loads(night.says("recover", "status", "--json"))["state"])


def _measured(night: Night) -> set[str]:
    """The measured states. The shown states are worse while an incident is open."""
    now = facts_of((night.watching.public / "now.json").read_text())
    return {str(one["agreed"]) for one in now["components"].values()}


def _incident_is_told_alike(night: Night) -> None:
    """Compare the incident at the platform, on its page and in the watcher's files."""
    incident = night.incident()

    def seen() -> dict[str, Any]:
        return dict(night.watching.json("incidents.json")["incidents"][0])

    until(
        "the watcher tells of the end",
        lambda: len(seen()["incident_updates"]) == len(incident["updates"]),
        60,
    )
    assert seen()["id"] == incident["id"]
    for one in ("started_at", "resolved_at"):
        at = datetime.fromisoformat(incident[one])
        assert datetime.fromisoformat(seen()[one]) == at.replace(microsecond=0)
    told = [one["body"] for one in reversed(seen()["incident_updates"])]
    assert told == [f"{one['text']['id']} / {one['text']['en']}" for one in incident["updates"]]
    page = night.page(f"/status/incidents/{incident['id']}")
    assert all(one["text"]["en"] in page for one in incident["updates"])


def _money_is_told_alike(night: Night) -> None:
    """Compare the money in the report, in the bank's payments and in the current figures."""
    incident = night.incident()
    until("the report is made", lambda: "Turned into stamps" in night.page(_report(incident)), 30)
    page = night.page(_report(incident))

    def rupiah(label: str) -> int:
        [found] = re.findall(rf"{label} Rp([\d.]+)", page)
        return int(found.replace(".", ""))

    captured, orders, buyers = _captured(night.instance, incident)
    assert rupiah("Received") == captured
    assert captured == rupiah("Turned into stamps") + rupiah("Refunded") + rupiah("In flight")
    assert rupiah("In flight") == 0
    for label, number in (
        ("Orders paid during that time", orders),
        ("Accounts that paid", buyers),
        ("Still waiting", 0),
        ("Complaints during that time", 1),
    ):
        assert f"{label} {number} " in page
    assert published(night.instance)["figures"]["in_flight_rupiah"] in (0, None)


def _report(incident: Mapping[str, Any]) -> str:
    return f"/status/incidents/{incident['id']}/report"


def _captured(instance: Instance, incident: Mapping[str, Any]) -> tuple[int, int, int]:
    """Rupiah, orders and accounts of the payments that came during an incident."""
    with psycopg.connect(instance.settings.process.database_url) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(c.amount), 0)::bigint, count(DISTINCT a.subject), count(DISTINCT c.account_id)"
            " FROM captures c JOIN payment_attempts a USING (account_id, attempt_id)"
            " WHERE c.captured_at >= %s::timestamptz AND c.captured_at < %s::timestamptz",
            (incident["started_at"], incident["resolved_at"]),
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])


def _outage_is_told_alike(night: Night) -> None:
    """Compare the outage in the sealed record, in the watcher's readings and in the incident."""
    incident = night.incident()
    minutes = failed_minutes(night.watching)
    begin, end = minutes[0] - 2 * MINUTE, minutes[-1] + 2 * MINUTE
    until("later minutes are signed", lambda: datetime.now(UTC) > end + 1.2 * MINUTE, 240)
    of = ("--incident", incident["id"])
    proposed = night.says("outage", "propose", begin.isoformat(), end.isoformat(), *of)
    [outage] = set(re.findall(r"out_\w+", proposed))
    one, another, _ = (staff_session(night.instance, role) for role in STAFF)
    asked = night.instance.command(
        *("outage", "confirm", outage, "--reason", "seen", "--by", one.email)
    )
    [request] = re.findall(r"apr_\w+", asked.stdout + asked.stderr)
    alone = night.instance.command("approvals", "approve", request, "--by", one.email)
    assert alone.returncode != 0, "nobody approves what they asked for"
    night.says("approvals", "approve", request, "--by", another.email)
    document = until("the record is sealed", lambda: _document(night.instance, outage), 60)
    record = facts_of(document.decode())
    [period] = record["failed"]["buy"]
    assert datetime.fromisoformat(period["begin"]) == minutes[0]
    assert datetime.fromisoformat(period["end"]) == minutes[-1] + MINUTE
    assert record["incident"] == incident["id"]
    lost = night.watching.json("history.json")["components"]["buying"]["minutes_lost"]
    assert abs(sum(lost[-2:]) - (minutes[-1] - minutes[0] + MINUTE) / MINUTE) <= 2, (
        "two days at most"
    )
    started, over = (datetime.fromisoformat(incident[one]) for one in ("started_at", "resolved_at"))
    assert abs(started - minutes[0]) < 2 * MINUTE
    assert over > minutes[-1]
    (night.folder / "record.json").write_bytes(document)
    keys = night.folder / "keys.pem"
    keys.write_bytes(night.instance.anybody().get("/outages/keys.pem").body)
    night.says("outage", "verify", str(night.folder / "record.json"), "--keys", str(keys))


def _document(instance: Instance, outage: str) -> bytes | None:
    found = instance.anybody().get(f"/outages/{outage}.json")
    return found.body if found.status == 200 else None
