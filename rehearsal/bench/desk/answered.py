"""Two hundred complaints, one by one: the share answered automatically from our records, the duration, and the truth of the
answers.
"""

import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.desk.states import STATES, Behind
from bench.desk.truth import case_of, fault_of
from meterai.cases import CaseService
from meterai.cases.model import Complaint, Matter, TooManyCases
from meterai.kit.actor import Actor, ActorKind
from tests.support.till import Till

PERSON = Actor(ActorKind.ACCOUNT)
COMPLAINTS = Path(__file__).with_name("complaints.toml")
BOMB_ADDRESS, BOMB_NETWORK = "bom@example.id", "203.0.113.7"


@dataclass(frozen=True, slots=True)
class Scripted:
    """One complaint of `complaints.toml`; `answers` are the codes of the true answers."""

    state: str
    answers: tuple[str, ...]
    about: str
    matter: str
    words: str


@dataclass(slots=True)
class Told:
    """Complaints of a run, counted by outcome."""

    asked: int = 0
    answered: int = 0
    left: int = 0  # passed to staff, correctly
    seconds: list[float] = field(default_factory=list)
    peer_seconds: list[float] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    unanswered: list[str] = field(
        default_factory=list
    )  # passed to staff although a true answer was possible
    faults: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of complaints answered automatically."""
        return self.answered / self.asked if self.asked else 0.0


def scripted() -> Iterator[Scripted]:
    """Yield all complaints, state by state."""
    states: Mapping[str, Any] = tomllib.loads(COMPLAINTS.read_text())["states"]
    for name, one in states.items():
        for complaint in one["complaints"]:
            yield Scripted(
                name,
                tuple(one["answers"]),
                one["about"],
                complaint["matter"],
                complaint["words"],
            )


def tell(till: Till, found: Told, one: Scripted) -> None:
    """Make the state of one complaint, send the complaint, and judge its answer."""
    behind = STATES[one.state](till)
    complaint = Complaint(Matter(one.matter), one.words, "id", behind.named(one.about))
    cases = till.shop.container.of(CaseService)
    began = time.perf_counter()
    case = till.do(cases.complain(behind.account, complaint, actor=PERSON))
    found.seconds.append(time.perf_counter() - began)
    _peer(till, found, behind)
    row = case_of(till, case.id)
    found.asked += 1
    if row["answer"] is None:
        _left(found, one, row)
    else:
        found.answered += 1
        found.codes[row["answer"]] += 1
        if row["answer"] not in one.answers:
            found.faults.append(f"{one.state}, {one.matter}: {row['answer']} is not so")
        elif false := fault_of(till, behind, row["answer"], row["answer_facts"]):
            found.faults.append(f"{one.state}, {one.matter}: {row['answer']}: {false}")
    till.shop.set_issuing(is_open=True)


def _left(found: Told, one: Scripted, row: Mapping[str, Any]) -> None:
    found.left += not one.answers
    if one.answers:
        found.unanswered.append(f"{one.state}, {one.matter}")
    if row["state"] != "open" or row["due_at"] is None:
        found.faults.append(f"{one.state}, {one.matter}: neither answered nor with staff")


def _peer(till: Till, found: Told, behind: Behind) -> None:
    """For comparison, read the orders of the complaining person by one SQL statement over the same connections."""
    began = time.perf_counter()
    till.rows("SELECT * FROM orders WHERE account_id = %s", behind.account)
    found.peer_seconds.append(time.perf_counter() - began)


def tell_all(till: Till, most: int | None = None) -> Told:
    """Send every complaint, or at most `most` of them, spread over the list."""
    told, every = Told(), list(scripted())
    step = max(1, len(every) // most) if most else 1
    for one in every[::step]:
        tell(till, told, one)
    return told


def bomb(till: Till, count: int) -> tuple[int, int, float]:
    """Send `count` complaints from one address and network. Return the number of cases made, the number of
    refusals, and the mean seconds that sending one complaint takes.
    """
    cases = till.shop.container.of(CaseService)
    refused, began = 0, time.perf_counter()
    for number in range(count):
        complaint = Complaint(Matter.SOMETHING_ELSE, f"Balas saya! {number}", "id")
        try:
            till.do(cases.send(BOMB_ADDRESS, BOMB_NETWORK, complaint))
        except TooManyCases:
            refused += 1
    seconds = (time.perf_counter() - began) / count
    till.shop.work()
    [row] = till.rows("SELECT count(*) AS n FROM cases WHERE contact = %s", BOMB_ADDRESS)
    return row["n"], refused, seconds
