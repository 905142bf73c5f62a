"""Registration of the waiting room."""

from collections.abc import Sequence

from meterai.commands import Command, DemandScope, Directory, Schema
from meterai.draw import DrawService, draw_service_of
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.signed import DocumentSigner
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.room import Container, Room
from meterai.waiting_room import store
from meterai.waiting_room.advancing import Advancing
from meterai.waiting_room.audited import AUDITED
from meterai.waiting_room.demands import UNDEMANDED
from meterai.waiting_room.draws import SUBJECTS
from meterai.waiting_room.figures import FIGURES
from meterai.waiting_room.front import step
from meterai.waiting_room.invariants import INVARIANTS, MAIL_CAUSES
from meterai.waiting_room.knows import KNOWS
from meterai.waiting_room.levers import LEVERS
from meterai.waiting_room.metrics import METRICS
from meterai.waiting_room.model import LINE, LINE_SUBJECT, SIGNATURES, GuardedAct, LineState, Policy
from meterai.waiting_room.pages import PAGES, pages
from meterai.waiting_room.personal import PERSONAL
from meterai.waiting_room.retention import RETENTION
from meterai.waiting_room.routes import routes
from meterai.waiting_room.service import WaitingRoom
from meterai.waiting_room.settings import WaitingRoomSettings
from meterai.waiting_room.tokens import LineTokens

TOKENS = "waiting room tokens"  # purpose from which the keys of tokens are derived


async def _build(container: Container) -> None:
    database, settings, keyring = container.database, container.settings, container.keyring
    signer = DocumentSigner(keyring.derived(SIGNATURES))
    tokens = LineTokens(keyring.derived(TOKENS))
    clock, stations = container.clock, container.stations
    lines = WaitingRoom(database, tokens, signer, settings, clock, stations)
    container.add(lines)
    container.close_with(lines.close)
    container.add(Advancing(database, signer, settings))
    container.add(draw_service_of(database, signer, settings, clock, SUBJECTS))


def _tasks(container: Container) -> Sequence[PeriodicTask]:
    advancing, drawing = container.of(Advancing), container.of(DrawService)
    lines, waits = container.of(WaitingRoom), container.stations.due
    return [
        PeriodicTask(
            "tell_waits",
            lines.tell_waits,
            store.STEP_SECONDS,
            waits,
            without_rows="measures how long people wait, each query reads one row",
        ),
        PeriodicTask(
            "advance_lines",
            advancing.advance_due,
            store.STEP_SECONDS / 2,
            store.DUE,
            without_rows=(
                "lines are few and belong to no account; one that fails is tried again in a second"
            ),
        ),
        PeriodicTask("tell_near_turns", advancing.notify_near, 5.0),
        PeriodicTask(
            "retire_documents",
            advancing.retire,
            10.0,
            without_rows="removes the files of lines that have ended",
        ),
        PeriodicTask(
            "advance_draws",
            drawing.advance_due,
            1.0,
            store.DRAWS_DUE,
            without_rows="lines are few; one that makes no progress is shown, and logged",
        ),
    ]


def _line_draw(name: str, function: str) -> Command:
    place = f"meterai.waiting_room.commands:{function}"
    return Command(name, place, Directory.NEEDED, DemandScope.DATABASE, Schema.CURRENT)


def _command(name: str, function: str, schema: Schema = Schema.CURRENT) -> Command:
    place = f"meterai.waiting_room.commands:{function}"
    return Command(name, place, Directory.DATABASE, DemandScope.DATABASE, schema)


COMMANDS = (
    _command("line list", "list_lines", Schema.ANY),
    _command("line create", "create"),
    _command("line rate", "set_rate"),
    _command("line pause", "pause"),
    _command("line resume", "resume"),
    _command("line close", "close"),
    _command("line stand", "stand"),
    _command("line end", "end"),
    Command(
        "line check-proof",
        "meterai.waiting_room.commands:check_proof",
        Directory.SETTINGS,
        DemandScope.NOTHING,
        Schema.NONE,
    ),
    _line_draw("line draw", "show_draw"),
    _line_draw("line draw-round", "carry_in_round"),
    _line_draw("line draw-again", "announce_anew"),
)

FIELDS = {
    ("LineView", "state"): FieldDescription(list(LineState)),
    ("LineView", "act"): FieldDescription(list(GuardedAct)),
}
ROOM = Room(
    name="waiting_room",
    words={"line_act_is_known": [GuardedAct], "line_policy_is_known": [Policy]},
    subjects=[LINE_SUBJECT],
    tables=frozenset({"waiting_room_places"}),
    global_tables={
        "waiting_room_lines": "a line belongs to everybody",
        "waiting_room_turns": "a visitor who waits has no account yet; a number has its turn once",
        "waiting_room_samples": "the measured course of a line",
        "waiting_room_loads": "measurements of web processes",
        "waiting_room_gaps": "numbers of a line without a holder",
        "waiting_room_spaced": (
            "the number of places of a line that are called with each range of numbers"
        ),
    },
    lifecycles=(LINE,),
    settings=WaitingRoomSettings,
    build=_build,
    services={"lines": WaitingRoom},
    routes=(*routes, *pages),
    fields=FIELDS,
    examples={
        "name": "buying",
        "ticket": "1.buying...",
    },
    pages=PAGES,
    step=step,
    tasks=_tasks,
    undemanded=UNDEMANDED,
    commands=COMMANDS,
    knows=KNOWS,
    command_groups={"line": "Lines of people, and their pace."},
    levers=LEVERS,
    metrics=METRICS,
    invariants=INVARIANTS,
    mail_causes=MAIL_CAUSES,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
    figures=FIGURES,
)
