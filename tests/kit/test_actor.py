"""Actors in the audit trail."""

import pytest

from meterai.kit.actor import ID_LENGTH_MAX, Actor, ActorKind
from meterai.kit.refusal import Malformed


def test_actor_is_a_kind_with_optional_id() -> None:
    assert str(Actor(ActorKind.ACCOUNT)) == "account"
    assert str(Actor(ActorKind.OPERATOR, "budi")) == "operator:budi"
    assert str(Actor(ActorKind.JOB, "refunds.give_back")) == "job:refunds.give_back"


@pytest.mark.parametrize(
    "id_", ["", "   ", "two\nlines", "\x1b[31m", "x" * (ID_LENGTH_MAX + 1)], ids=range(5)
)
def test_id_of_actor_is_one_readable_line(id_: str) -> None:
    with pytest.raises(Malformed):
        Actor(ActorKind.OPERATOR, id_)
