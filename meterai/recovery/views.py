"""Views of a recovery for the page and the command: its steps with their gauges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from meterai.kit.money import Rupiah
from meterai.plumbing.messages import format_length, translate
from meterai.recovery.model import STEPS, LiveNumbers, RecoveryStatus, RecoveryStep
from meterai.recovery.rules import GAUGES, StepVerdict, steady_seconds, verdict_of

_RUPIAH = frozenset({"order_rupiah", "past_due_rupiah", "refund_rupiah"})
# Numbers that are shown in addition to the gauges of a step.
BESIDE: Mapping[RecoveryStep, Sequence[str]] = {
    RecoveryStep.CLOSING: ("waiting", "orders", "order_rupiah"),
    RecoveryStep.STAMPINGS: ("stampings",),
    RecoveryStep.PAID: ("orders", "order_rupiah", "past_due_rupiah", "refunds", "refund_rupiah"),
    RecoveryStep.CHECKING: ("headroom",),
    RecoveryStep.BUYING: ("waiting", "rate", "headroom"),
    RecoveryStep.SIGN_UP: ("waiting", "headroom"),
}


@dataclass(frozen=True, slots=True)
class StepFigure:
    """A live number as the page of a recovery step shows it; `verdict` and the bound `good` are set if the number is a gauge of
    the step.
    """

    name: str
    title: str
    value: str
    verdict: StepVerdict | None = None
    good: str = ""


def figures(step: RecoveryStep, numbers: LiveNumbers, language: str) -> list[StepFigure]:
    """Return the live numbers to show for a step, its gauges first."""
    found = [
        StepFigure(
            one.name,
            translate(f"recovery.number.{one.name}", language),
            _shown(one.name, getattr(numbers, one.name), language),
            one.verdict(numbers),
            _shown(one.name, one.good, language),
        )
        for one in GAUGES[step]
    ]
    return found + [
        StepFigure(
            name,
            translate(f"recovery.number.{name}", language),
            _shown(name, getattr(numbers, name), language),
        )
        for name in BESIDE[step]
    ]


def _shown(name: str, value: float, language: str) -> str:
    if name in _RUPIAH:
        return str(Rupiah(int(value)))
    return format_length(float(value), language)


def as_json(status: RecoveryStatus) -> dict[str, object]:
    """Return the state of a recovery as a JSON object."""
    found = status.recovery
    fields: dict[str, object] = {"recovery": None, "numbers": msgspec.to_builtins(status.numbers)}
    if found is None:
        return fields
    fields |= {
        "recovery": found.shown,
        "state": str(found.state),
        "is_going": found.is_going,
        "moved_at": found.moved_at.isoformat(),
        "steps": [
            {"state": str(one.state), "event": str(one.event), "at": one.entered_at.isoformat()}
            for one in status.taken
        ],
    }
    if found.state in STEPS:
        fields["verdict"] = str(verdict_of(found.state, status.numbers))
        fields["steady_seconds"] = steady_seconds(found.state, found.backs)
    return fields
