"""The rooms of the platform, from the lowest to the highest: the only list of them.

The services of a room are built after those of the rooms below it, so the list has the order of the layers
(docs/architecture.md).
"""

from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable

from meterai.accounts.room import ROOM as ACCOUNTS
from meterai.approvals.room import ROOM as APPROVALS
from meterai.audit.room import ROOM as AUDIT
from meterai.batches.room import ROOM as BATCHES
from meterai.cases.room import ROOM as CASES
from meterai.collectors.room import ROOM as COLLECTORS
from meterai.console.room import ROOM as CONSOLE
from meterai.distribution.room import ROOM as DISTRIBUTION
from meterai.documents.room import ROOM as DOCUMENTS
from meterai.drafts.room import ROOM as DRAFTS
from meterai.draw.room import ROOM as DRAW
from meterai.finance.room import ROOM as FINANCE
from meterai.incidents.room import ROOM as INCIDENTS
from meterai.installation.room import ROOM as INSTALLATION
from meterai.kit.subjects import know
from meterai.ledger.room import ROOM as LEDGER
from meterai.notifications.room import ROOM as NOTIFICATIONS
from meterai.operator.room import ROOM as OPERATOR
from meterai.orders.room import ROOM as ORDERS
from meterai.outages.room import ROOM as OUTAGES
from meterai.pages import RoomPages
from meterai.payments import RailKinds
from meterai.payments.room import ROOM as PAYMENTS
from meterai.payments.room import payments_with
from meterai.plumbing.config import Settings
from meterai.plumbing.db.audited import together
from meterai.plumbing.db.checks import Registered
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.personal import OF_PLUMBING
from meterai.plumbing.db.tables import AUDITED, GLOBAL_TABLES, TABLES
from meterai.plumbing.http.described import Examples
from meterai.plumbing.messages import also
from meterai.plumbing.work.events import Event, Subscription
from meterai.plumbing.work.retention import RETENTION
from meterai.portal.room import ROOM as PORTAL
from meterai.privacy.room import ROOM as PRIVACY
from meterai.reconciliation.room import ROOM as RECONCILIATION
from meterai.recovery.room import ROOM as RECOVERY
from meterai.refunds.room import ROOM as REFUNDS
from meterai.regulator.room import ROOM as REGULATOR
from meterai.requests.room import ROOM as REQUESTS
from meterai.room import Offers, Rooms
from meterai.stamping.room import ROOM as STAMPING
from meterai.stamps.room import ROOM as STAMPS
from meterai.suspense.room import ROOM as SUSPENSE
from meterai.trail.room import ROOM as TRAIL
from meterai.verification.room import ROOM as VERIFICATION
from meterai.waiting_room.room import ROOM as WAITING_ROOM
from meterai.watch.room import ROOM as WATCH
from meterai.webhooks import publishing
from meterai.webhooks.room import ROOM as WEBHOOKS

_LISTED: Rooms = (
    TRAIL,
    ACCOUNTS,
    APPROVALS,
    OPERATOR,
    DRAW,
    WAITING_ROOM,
    REQUESTS,
    LEDGER,
    SUSPENSE,
    NOTIFICATIONS,
    PAYMENTS,
    DOCUMENTS,
    STAMPS,
    WEBHOOKS,
    ORDERS,
    STAMPING,
    REFUNDS,
    DISTRIBUTION,
    VERIFICATION,
    DRAFTS,
    BATCHES,
    RECONCILIATION,
    AUDIT,
    FINANCE,
    CASES,
    INCIDENTS,
    REGULATOR,
    COLLECTORS,
    RECOVERY,
    OUTAGES,
    PRIVACY,
    PORTAL,
    WATCH,
    CONSOLE,
    INSTALLATION,
)
# Rails of providers, and rails whose provider is our own database.
RAILS: RailKinds = [rail for room in _LISTED for rail in room.rails]
ROOMS: Rooms = tuple(payments_with(RAILS) if room is PAYMENTS else room for room in _LISTED)


def homes_of(rooms: Rooms = ROOMS) -> Sequence[tuple[str, Traversable]]:
    """Return the resource folders of rooms that are outside this package, each with the name of its room."""
    return [(room.name, room.home) for room in rooms if room.home is not None]


def introduce(rooms: Rooms) -> None:
    """Register in this process the texts (sentences in both languages) of rooms outside this package, and the kinds of subjects
    (objects that staff look up) of all rooms.
    """
    also(*(home for _, home in homes_of(rooms)))
    sorts = [one for room in rooms for one in room.subjects]
    prefixes = [one.prefix for one in sorts if one.prefix]
    assert len(sorts) == len({one.kind for one in sorts}), (
        "two kinds of subjects have the same name"
    )
    assert len(prefixes) == len(set(prefixes)), "two kinds of subjects have the same prefix"
    know(sorts)


def services_of(rooms: Rooms = ROOMS) -> Mapping[str, type]:
    """Return the services that handlers of routes may have as parameters, by the name of the parameter."""
    found: dict[str, type] = {"settings": Settings, "database": Database}
    for room in rooms:
        assert not found.keys() & room.services.keys(), (
            f"{room.name} offers a name that another room offers"
        )
        found.update(room.services)
    return found


def owners_of_tables(rooms: Rooms = ROOMS) -> Mapping[str, str]:
    """Return the owner of each table: the name of a room, or `plumbing`."""
    found = dict.fromkeys(TABLES, "plumbing")
    for room in rooms:
        assert not found.keys() & room.owned_tables, (
            f"{room.name} owns a table that another room owns"
        )
        found.update(dict.fromkeys(room.owned_tables, room.name))
    return found


def global_tables_of(rooms: Rooms = ROOMS) -> Mapping[str, str]:
    """Return the tables that belong to no account, each with the reason."""
    return GLOBAL_TABLES | {
        table: why for room in rooms for table, why in room.global_tables.items()
    }


def registered_of(rooms: Rooms = ROOMS) -> Registered:
    """Return the invariants, columns and checks that these rooms registered for the audit."""
    return Registered(
        together([AUDITED, *(room.audited for room in rooms)]),
        [one for room in rooms for one in room.invariants],
        [one for room in rooms for one in room.postings],
        [one for room in rooms for one in room.mail_causes],
        [one for room in rooms for one in room.checks],
    )


def offers_of(rooms: Rooms = ROOMS) -> Offers:
    """Return what the rooms offer to others: levers, search and timelines, work lists, personal data, retention
    rules, public events and audit registrations. Names of levers and work lists are unique.
    """
    levers = [one for room in rooms for one in room.levers]
    work = [one for room in rooms for one in room.work]
    found = Offers(
        {one.name: one for one in levers},
        {room.name: room.knows for room in rooms if room.knows is not None},
        {one.name: one for one in work},
        {one.name or room.name: one for room in rooms if (one := room.personal) is not None}
        | {"plumbing": OF_PLUMBING},
        [*RETENTION, *(rule for room in rooms for rule in room.retention)],
        [one for room in rooms for one in room.published],
        {template: path for room in rooms for template, path in room.mails.items()},
        registered_of(rooms),
    )
    assert len(found.levers) == len(levers), "two staff actions have the same name"
    assert len(found.work) == len(work), "two work lists have the same name"
    return found


def pages_of(rooms: Rooms = ROOMS) -> Sequence[RoomPages]:
    """Return the pages that the rooms register."""
    return [room.pages for room in rooms if room.pages]


def subscriptions_of(rooms: Rooms = ROOMS) -> Sequence[Subscription]:
    """Return all subscriptions to events: the handlers of every room, and the publication of public events to webhooks."""
    told = dict.fromkeys(one.event for room in rooms for one in room.published)
    return [*(one for room in rooms for one in room.handlers), *map(publishing, told)]


def examples_of(rooms: Rooms = ROOMS) -> Examples:
    """Return examples of fields and parameters of the API, by name."""
    found: dict[str, str] = {}
    for room in rooms:
        assert not found.keys() & room.examples.keys(), (
            f"{room.name} gives an example that another room gives"
        )
        found.update(room.examples)
    return found


def unheard_of(rooms: Rooms = ROOMS) -> Mapping[type[Event], str]:
    """Return the events that have no handler, each with the reason."""
    return {event: reason for room in rooms for event, reason in room.unheard.items()}
