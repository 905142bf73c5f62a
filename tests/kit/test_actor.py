"""Who acts, as the audit trail keeps it."""

import pytest

from meterai.kit.actor import ID_LENGTH_MAX, Actor, ActorKind
from meterai.kit.refusal import Malformed


def test_an_actor_is_a_kind_and_perhaps_who_of_it() -> None:
    assert str(Actor(ActorKind.ACCOUNT)) == "account"
    assert str(Actor(ActorKind.OPERATOR, "budi")) == "operator:budi"
    assert str(Actor(ActorKind.JOB, "refunds.give_back")) == "job:refunds.give_back"


@pytest.mark.parametrize(
    "id_", ["", "   ", "two\nlines", "\x1b[31m", "x" * (ID_LENGTH_MAX + 1)], ids=range(5)
)
def test_who_it_is_can_be_read_on_one_line(id_: str) -> None:
    with pytest.raises(Malformed):
        Actor(ActorKind.OPERATOR, id_)
