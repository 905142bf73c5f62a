"""kill -9 at every step of a batch, from its creation to its end: each row is stamped once, and no stamp is lost."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil
import pytest

from tests.support.batching import RECTANGLE, zipped
from tests.support.inside import Inside
from tests.support.instance import Client, Reply, until
from tests.support.killing import HOW, Step, again, freeze, tell
from tests.support.money import bought
from tests.support.pdf import pdf

pytestmark = pytest.mark.sample(1, of="file")

ROWS = 3
STEPS: Mapping[str, Sequence[Step]] = {
    "made": [Step("web", "INSERT INTO batches", "batches")],
    "files sent": [Step("web", "INSERT INTO batch_files", "batch_files")],
    "rows sent": [Step("web", "INSERT INTO batch_rows", "batch_rows")],
    "started": [Step("web", "UPDATE batches SET state", "batches")],
    "worked": [
        Step("worker", "stampings_reserve", "stampings"),
        Step("worker", "stampings_deliver", "deltas"),
        Step("worker", "SET turn_at", "batches"),
    ],
}
TELLINGS = max(len(steps) for steps in STEPS.values())


class Story:
    """A batch of a customer who repeats each request until it is answered."""

    def __init__(self, inside: Inside, customer: Client) -> None:
        self.inside, self.customer = inside, customer
        self.key, self.path = uuid.uuid4().hex, ""
        self.files = {f"{at}.pdf": pdf(words=f"{self.key}-{at}") for at in range(ROWS)}
        self._frozen: list[psutil.Process] = []

    @property
    def parts(self) -> dict[str, Callable[[], None]]:
        """The parts of the scenario, in order."""
        return {
            "made": self.make,
            "files sent": self.send_files,
            "rows sent": self.send_rows,
            "started": self._start,
            "worked": self._work,
        }

    def _asks(self, path: str, body: object, kind: str = "application/json") -> Any:
        headers = {"Content-Type": kind, "Idempotency-Key": self.key}

        def ask() -> Reply:
            return self.customer.post(path, body, headers=headers)

        reply = again(ask)
        assert reply.status in (200, 201), reply.body
        return reply.json

    def make(self) -> None:
        """Create the batch under this key."""
        self.path = f"/v1/batches/{self._asks('/v1/batches', {})['id']}"

    def send_files(self) -> None:
        """Send all files in an archive."""
        said = self._asks(f"{self.path}/files", zipped(self.files), "application/zip")
        assert said["refused"] == 0

    def send_rows(self) -> None:
        """Send all rows."""
        rows = [{"file": name, "placement": RECTANGLE} for name in self.files]
        lines = "\n".join(map(json.dumps, rows)).encode()
        said = self._asks(f"{self.path}/rows", lines, "application/jsonl")
        assert said["refused"] == []

    def start(self) -> None:
        """Start the batch."""
        self._asks(f"{self.path}/start", {})

    def _start(self) -> None:
        # The worker stays suspended until the next part.
        self._frozen = self._frozen or freeze(self.inside, "worker")
        self.start()

    def _work(self) -> None:
        for process in self._frozen:
            process.resume()
        until("it is finished", lambda: self.now["state"] == "finished")

    @property
    def now(self) -> Any:
        """The batch in its current state."""
        return again(lambda: self.customer.get(self.path)).json

    def results(self) -> dict[str, bytes]:
        """The files in its archive of results."""
        reply = again(lambda: self.customer.get(f"{self.path}/results.zip"))
        with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
            return {one: archive.read(one) for one in archive.namelist()}


@pytest.mark.parametrize("is_lost", HOW)
@pytest.mark.parametrize("telling", range(TELLINGS))
def test_batch_is_stamped_once_although_processes_are_killed(
    inside: Inside, telling: int, is_lost: bool
) -> None:
    customer, _ = bought(inside, ROWS + 1)
    story = Story(inside, customer)
    tell(inside, story.parts, STEPS, telling, is_lost=is_lost)
    whole = {"total": ROWS, "delivered": ROWS, "refused": 0, "failed": 0}
    assert {name: story.now["rows"][name] for name in whole} == whole
    assert customer.balance() == {"available": 1, "held": 0, "used": ROWS}
    path, results = story.path, story.results()
    assert set(results) == {*story.files, "results.csv"}
    # Repeated requests get the same answers, and nothing is stamped again.
    for again_ in (story.make, story.send_files, story.send_rows, story.start):
        again_()
    assert (story.path, story.now["state"]) == (path, "finished")
    assert {name: story.now["rows"][name] for name in whole} == whole
    assert story.results() == results
    serials = inside.rows(
        "SELECT serial FROM stamps WHERE account_id = %s", inside.account_of(customer)
    )
    assert len(serials) == ROWS
