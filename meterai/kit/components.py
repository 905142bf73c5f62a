"""Components of the platform as the public sees them, their states, and the acts that need them; pure."""

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum


class Component(StrEnum):
    """A part of the service that works or fails, as seen from outside."""

    SITE = "site"  # pages open
    SIGN_IN = "sign_in"  # a code comes by mail and opens a session
    BUYING = "buying"  # a document is uploaded, an order is placed and gets a QR
    PAYMENT = "payment"  # a payment is noticed, and its order executed
    STAMPING = "stamping"  # a paid document gets its stamp, and the file is returned
    CHECKING = "checking"  # a file and a serial are checked
    REFUNDS = "refunds"  # requested refunds are under way
    LINE = "line"  # the waiting line moves, and a number in it is renewed


class ComponentState(IntEnum):
    """State of a component; a greater value is worse. `label` is its name in Statuspage's API."""

    OPERATIONAL = 0
    UNDER_MAINTENANCE = 1
    DEGRADED = 2
    PARTIAL_OUTAGE = 3
    MAJOR_OUTAGE = 4

    @property
    def label(self) -> str:
        """Name of the state in Statuspage's public API."""
        return _LABELS[self]

    @classmethod
    def of(cls, label: str) -> "ComponentState":
        """Return the state with this name in Statuspage's API. Raises `ValueError` for an unknown name."""
        for state, word in _LABELS.items():
            if word == label:
                return state
        raise ValueError(f"no state {label!r}")


_LABELS: Mapping[ComponentState, str] = {
    ComponentState.OPERATIONAL: "operational",
    ComponentState.UNDER_MAINTENANCE: "under_maintenance",
    ComponentState.DEGRADED: "degraded_performance",
    ComponentState.PARTIAL_OUTAGE: "partial_outage",
    ComponentState.MAJOR_OUTAGE: "major_outage",
}


class PublicAct(StrEnum):
    """An act of a person, in the terms of the law and the public: to get, affix or check a stamp."""

    BUY = "buy"  # get a stamp
    AFFIX = "affix"  # put a stamp on a document
    CHECK = "check"  # check a stamp


# An act is possible only while all components listed for it work. Affixing needs buying: a document is stamped within a
# paid order, so a person without stamps cannot affix while buying fails.
NEEDED_FOR: Mapping[PublicAct, frozenset[Component]] = {
    PublicAct.BUY: frozenset({Component.SITE, Component.BUYING, Component.PAYMENT}),
    PublicAct.AFFIX: frozenset({Component.SITE, Component.STAMPING}),
    PublicAct.CHECK: frozenset({Component.SITE, Component.CHECKING}),
}


def worst(states: Iterable[ComponentState]) -> ComponentState:
    """Return the worst of these states; `OPERATIONAL` if there are none."""
    return max(states, default=ComponentState.OPERATIONAL)
