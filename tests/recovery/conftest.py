"""A shop after an outage: an open incident, staff, a clock that a test moves, and a recovery."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from meterai.accounts import StaffRole
from meterai.incidents import Incident
from meterai.plumbing.db.database import Row
from meterai.recovery.model import RECOVERY, RecoveryStatus, RecoveryStep, StepEvent
from meterai.recovery.service import RecoveryService
from tests.incidents.records import opened
from tests.support.lines import Lines, MovedClock, on_shop
from tests.support.pulling import Member, member
from tests.support.shop import Shop


@dataclass
class Night:
    """A shop, its incident, and the acts of staff on it."""

    shop: Shop
    incident: Incident
    staff: Member
    clock: MovedClock = field(default_factory=MovedClock)

    @property
    def service(self) -> RecoveryService:
        return RecoveryService(self.shop.container.database, self.clock)

    @property
    def lines(self) -> Lines:
        return on_shop(self.shop)

    def target(self, word: str) -> dict[str, str]:
        """The argument of a lever that moves the recovery: the next step."""
        if word not in ("next", "back"):
            return {}
        return {"step": RECOVERY.after(RecoveryStep(self.step()), StepEvent(word))}

    def pull(self, word: str, **arguments: str) -> None:
        arguments = {**self.target(word), **arguments}
        assert self.staff.pull(f"recover {word}", "the night of 3 September", **arguments).is_done

    def step(self) -> str:
        [row] = self.shop.rows("SELECT state FROM recoveries ORDER BY recovery_id DESC LIMIT 1")
        return str(row["state"])

    def status(self) -> RecoveryStatus:
        return self.shop.do(self.service.status())

    def look(self, seconds: float = 2.0) -> str:
        """One look of the worker, some seconds later. Returns the new step."""
        self.clock.ahead += timedelta(seconds=seconds)
        self.shop.do(self.service.advance())
        return self.step()

    def looks(self, seconds: float) -> str:
        """Look every two seconds, for `seconds` seconds."""
        for _ in range(int(seconds // 2)):
            self.look()
        return self.step()

    def buying(self) -> Row:
        [row] = self.shop.rows(
            "SELECT name, state, is_engaged, is_automatic, is_paused, policy, rate, reason_en, serving"
            " FROM waiting_room_lines WHERE act = 'buy' AND state <> 'ended'"
        )
        return row

    def is_sign_up_open(self) -> bool:
        [row] = self.shop.rows("SELECT is_open FROM sign_up")
        return bool(row["is_open"])

    def is_issuing_open(self) -> bool:
        [row] = self.shop.rows("SELECT is_open FROM issuing")
        return bool(row["is_open"])

    def said(self) -> list[str]:
        """English updates of the incident."""
        rows = self.shop.rows("SELECT text_en FROM incident_updates ORDER BY number")
        return [row["text_en"] for row in rows]


@pytest.fixture
def night(shop: Shop) -> Iterator[Night]:
    shop.not_asked = frozenset({"times_of_nobody_hide_no_work"})  # its clock is ahead
    yield Night(shop, opened(shop), member(shop, StaffRole.OPERATIONS))
    shop.assert_books_hold()
