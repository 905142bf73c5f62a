"""Plan: arrivals, journeys, devices, and faults.

TOML, read strictly: an unknown field, a senseless number (negative, NaN, a million million a second), an unknown
journey, or a time out of order is refused with the path of its field. Times are seconds from the beginning of the run.
"""

import math
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.files import read_file
from meterai.plumbing.toml import read_toml
from meterai_rehearsal.curves import Curve, CurveWrong, shapes

PLAN_BYTES_MAX = 256 * 1024
ARRIVALS_MAX = 20_000_000  # of one run: one night of a whole nation, with five visits each
RUN_SECONDS_MAX = 86_400.0
_FIELD = re.compile("field `([^`]*)`")
SEED_MAX = 9_007_199_254_740_991  # the largest whole number that every reader of JSON keeps
DEVICES_MAX = JOURNEYS_MAX = 20
FAULTS_MAX = COMMANDS_MAX = 100
NETWORKS_MAX = 600  # of a journey, separate: they index addresses of 127.0.0.0/8
NEIGHBOURS_MAX = 254  # in one /24

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Weight = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=RUN_SECONDS_MAX)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[\w.:+-]{1,100}$")]
Typed = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f]{1,200}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class PlanWrong(CommandRefusal):
    """A plan has an unusable field, named by its path."""

    code = "plan_wrong"
    status = 422

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class PlanMissing(CommandRefusal):
    """No shipped plan has this name, and no such file exists."""

    code = "plan_missing"
    status = 404

    def __init__(self, plan: str, shipped: Sequence[str]) -> None:
        super().__init__(plan)
        self.plan = plan
        self.shipped = ", ".join(shipped)


class JourneyName(StrEnum):
    """Name of a journey of visitors; `journeys.py` has its steps."""

    LOOK = "look"
    BUY = "buy"
    CHECK = "check"
    COMPLAIN = "complain"
    QUEUE = "queue"
    GRAB = "grab"


class FaultKind(StrEnum):
    """Kind of fault (`faults.py`)."""

    KILL_WEB = "kill_web"
    KILL_WORKER = "kill_worker"
    KILL_DATABASE_BACKEND = "kill_database_backend"
    KILL_DATABASE = "kill_database"
    STALL_BANK = "stall_bank"
    SLOW_MAIL = "slow_mail"
    FILL_DISK = "fill_disk"
    LOSE_NOTIFICATIONS = "lose_notifications"

    @property
    def is_of_the_database(self) -> bool:
        """True if the database is unavailable for a moment."""
        return self in (FaultKind.KILL_DATABASE, FaultKind.KILL_DATABASE_BACKEND)

    @property
    def lasts(self) -> bool:
        """True if the plan sets the duration of the fault; a killed part returns automatically."""
        return self in _LASTING


_LASTING = (
    FaultKind.STALL_BANK,
    FaultKind.SLOW_MAIL,
    FaultKind.FILL_DISK,
    FaultKind.LOSE_NOTIFICATIONS,
)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of parts of a plan."""


class ArrivalsPlan(Part, frozen=True):
    """Arrivals: `points`, or a shipped `shape` within `seconds`, scaled by one of the other fields."""

    points: tuple[tuple[float, float], ...] = ()  # (seconds, arrivals per second)
    shape: str = ""
    seconds: Seconds = 0.0
    per_second_max: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 0.0  # at the highest point
    # People an hour on average; if `seconds` compresses a shape, these rates stay.
    applicants_per_hour: Annotated[float, msgspec.Meta(ge=0, le=100_000_000)] = 0.0
    factor: Annotated[float, msgspec.Meta(gt=0, le=10_000)] = 1.0  # multiplier


class JourneyPlan(Part, frozen=True):
    """One kind of visit; its share of visitors is its weight divided by the sum of weights."""

    name: JourneyName
    weight: Weight = 1.0
    # Number of source addresses, each in its own /24; 0: every visitor has its own address.
    networks: Annotated[int, msgspec.Meta(ge=0, le=NETWORKS_MAX)] = 0
    neighbours: bool = False  # all of these addresses are in one /24


class Device(Part, frozen=True):
    """Device of a visitor. Shares (0 to 1) are shares of its requests, or of its forms."""

    name: Name
    weight: Weight = 1.0
    latency_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.0  # one way
    bytes_per_second: Annotated[int, msgspec.Meta(ge=0, le=10_000_000_000)] = 0  # 0: unlimited
    new_connections: bool = False  # one for each request, as behind some proxies
    drops: Share = 0.0  # aborted halfway, and sent again
    double_clicks: Share = 0.0  # forms sent twice at once
    reloads: Share = 0.0  # pages requested again before they arrive
    ignores_retry_after: bool = False


class FaultPlan(Part, frozen=True):
    """A fault that is made at the time `at`; a kind that lasts is healed after `seconds`."""

    kind: FaultKind
    at: Seconds
    seconds: Seconds = 0.0


class CommandPlan(Part, frozen=True):
    """A command that is run at the time `at` on the run's own installation, as an operator would type it."""

    words: tuple[Typed, ...]
    at: Seconds


class Bounds(Part, frozen=True):
    """Limits at which the run ends automatically."""

    seconds_max: Seconds  # of the whole run, including visitors under way after the last arrival
    open_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2_000  # visitors under way at once
    patience_seconds: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 60.0  # with one step
    line_patience_seconds: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 3_600.0  # in a line
    think_seconds: Annotated[float, msgspec.Meta(ge=0, le=3_600)] = (
        0.0  # mean pause between two steps
    )
    document_bytes: Annotated[int, msgspec.Meta(ge=1_000, le=20_000_000)] = 50_000


class PromisesPlan(Part, frozen=True):
    """Checks during the load; without `audit_every_seconds` the audit runs only at the end."""

    audit_every_seconds: Seconds = 0.0


class OwnPlan(Part, frozen=True):
    """Start of the run's own installation (`--up`)."""

    workers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 2
    settings: dict[Name, str | int | float | bool] = msgspec.field(default_factory=dict)
    # Arguments of commands run on it before the load, such as ["line", "stand", "buying", "always"].
    commands: tuple[tuple[Word, ...], ...] = ()


ANY_DEVICE = Device(name="any")


class Plan(Part, frozen=True):
    """A checked plan of a rehearsal; `of` and `checked` make all plans."""

    name: Name
    seed: Annotated[int, msgspec.Meta(ge=0, le=SEED_MAX)]
    arrivals: ArrivalsPlan
    bounds: Bounds
    journeys: tuple[JourneyPlan, ...]
    about: Annotated[str, msgspec.Meta(max_length=500)] = ""
    devices: tuple[Device, ...] = (ANY_DEVICE,)
    faults: tuple[FaultPlan, ...] = ()
    commands: tuple[CommandPlan, ...] = ()  # each begins after the end of the one before
    promises: PromisesPlan = PromisesPlan()
    own: OwnPlan = msgspec.field(default_factory=OwnPlan)

    @property
    def curve(self) -> Curve:
        """Arrivals a second."""
        one = self.arrivals
        if one.points:
            return Curve(one.points).times(one.factor)
        known = shapes()[one.shape].curve
        curve = known.over(one.seconds) if one.seconds else known
        if one.per_second_max:
            curve = curve.times(one.per_second_max / curve.peak)
        elif one.applicants_per_hour:
            curve = curve.times(one.applicants_per_hour / 3600 * curve.seconds / curve.total)
        return curve.times(one.factor)

    @property
    def breaks_the_database(self) -> bool:
        """True if a fault of this plan makes the database unavailable for a moment, which visitors see."""
        return any(one.kind.is_of_the_database for one in self.faults)


def _fields(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every number and text of a plan with its path."""
    match value:
        case dict():
            for name, one in value.items():
                yield from _fields(one, f"{path}.{name}" if path else str(name))
        case list():
            for number, one in enumerate(value):
                yield from _fields(one, f"{path}[{number}]")
        case _:
            yield path, value


def _convert(given: dict[str, Any]) -> Plan:
    for path, value in _fields(given):
        if isinstance(value, float) and not math.isfinite(value):
            raise PlanWrong(path, "the value is not a number")
    try:
        return msgspec.convert(given, Plan)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `")
        path = place.removesuffix("`").removeprefix("$").lstrip(".")
        named = _FIELD.search(reason)
        if (
            named is not None
        ):  # a missing or unknown field: the message has its name, the path has its parent
            path = f"{path}.{named[1]}".lstrip(".")
        raise PlanWrong(path or "plan", reason) from None


def _check_arrivals(plan: Plan) -> None:
    one = plan.arrivals
    if bool(one.points) == bool(one.shape):
        raise PlanWrong("arrivals", "arrivals need either points or a shape")
    if one.points and (one.seconds or one.per_second_max or one.applicants_per_hour):
        raise PlanWrong("arrivals.points", "points give times and rates; remove the other settings")
    if one.shape and one.shape not in shapes():
        raise PlanWrong(
            "arrivals.shape",
            f"no shape is called {one.shape!r}; the shapes are {', '.join(shapes())}",
        )
    if one.per_second_max and one.applicants_per_hour:
        raise PlanWrong("arrivals.per_second_max", "the plan already has an applicants_per_hour")
    try:
        curve = plan.curve
    except CurveWrong as wrong:
        raise PlanWrong("arrivals", str(wrong)) from None
    if curve.total == 0:
        raise PlanWrong("arrivals", "nobody comes")
    if curve.total > ARRIVALS_MAX:
        raise PlanWrong("arrivals", f"{curve.total:.0f} arrivals are more than {ARRIVALS_MAX}")
    if curve.seconds > plan.bounds.seconds_max:
        raise PlanWrong(
            "bounds.seconds_max", f"the arrivals alone take {curve.seconds:.0f} seconds"
        )


def _check_named(field: str, found: Sequence[JourneyPlan] | Sequence[Device], most: int) -> None:
    if not found:
        raise PlanWrong(field, "there is none")
    if len(found) > most:
        raise PlanWrong(field, f"at most {most}")
    names = [one.name for one in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise PlanWrong(f"{field}[{number}].name", f"{name} comes twice")
    if not sum(one.weight for one in found):
        raise PlanWrong(field, "no weight is above 0")


def _check_networks(plan: Plan) -> None:
    for number, one in enumerate(plan.journeys):
        if one.neighbours and not 0 < one.networks <= NEIGHBOURS_MAX:
            reason = f"neighbours are from 1 to {NEIGHBOURS_MAX} addresses"
            raise PlanWrong(f"journeys[{number}].networks", reason)


def _check_faults(plan: Plan) -> None:
    if len(plan.faults) > FAULTS_MAX:
        raise PlanWrong("faults", f"at most {FAULTS_MAX}")
    before = 0.0
    for number, one in enumerate(plan.faults):
        if one.at < before:
            raise PlanWrong(f"faults[{number}].at", "the fault begins before the one above it")
        if one.kind.lasts != bool(one.seconds):
            reason = (
                "the fault needs a duration"
                if one.kind.lasts
                else "the fault ends by itself; remove the duration"
            )
            raise PlanWrong(f"faults[{number}].seconds", reason)
        if one.at + one.seconds > plan.curve.seconds:
            raise PlanWrong(f"faults[{number}].at", "the fault begins after the last arrival")
        before = one.at + one.seconds


def _check_commands(plan: Plan) -> None:
    if len(plan.commands) > COMMANDS_MAX:
        raise PlanWrong("commands", f"at most {COMMANDS_MAX}")
    before = 0.0
    for number, one in enumerate(plan.commands):
        if not one.words:
            raise PlanWrong(f"commands[{number}].words", "there is none")
        if one.at < before:
            raise PlanWrong(f"commands[{number}].at", "the command begins before the one above it")
        before = one.at


def of(text: str) -> Plan:
    """Read a plan from its TOML. Refuses `PlanWrong`."""
    try:
        return checked(read_toml(text))
    except RecursionError:  # raised by our own recursion over nested tables
        raise PlanWrong("plan", "the plan is nested too deep") from None
    except ValueError as error:
        raise PlanWrong("plan", str(error)) from None


def checked(given: dict[str, Any]) -> Plan:
    """Check a plan parsed from TOML. Refuses `PlanWrong`."""
    plan = _convert(given)
    _check_arrivals(plan)
    _check_named("journeys", plan.journeys, JOURNEYS_MAX)
    _check_named("devices", plan.devices, DEVICES_MAX)
    _check_networks(plan)
    _check_faults(plan)
    _check_commands(plan)
    return plan


def shipped() -> dict[str, str]:
    """Return the shipped plans by name, as TOML."""
    files = (resources.files("meterai_rehearsal.rehearsal") / "plans").iterdir()
    return {
        file.name.removesuffix(".toml"): file.read_text()
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def text_of(name: str) -> str:
    """Return the TOML of a shipped plan, or of a file. Refuses `PlanMissing`, `PlanWrong`."""
    found = shipped().get(name)
    if found is not None:
        return found
    try:
        return read_file(Path(name), PLAN_BYTES_MAX).decode()
    except UnicodeDecodeError:
        raise PlanWrong("plan", "the plan is not text in UTF-8") from None
    except (OSError, ValueError):
        raise PlanMissing(name, sorted(shipped())) from None
