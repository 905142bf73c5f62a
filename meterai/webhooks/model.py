"""Endpoints, messages and attempts: what they are, their rules and limits; pure."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from meterai.kit.ids import show
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.numbers import counted
from meterai.kit.refusal import Malformed, Refusal, Sentence
from meterai.kit.text import one_line

ENDPOINT_KIND = "whk"
MESSAGE_KIND = "msg"
EVERYTHING = "*"  # all types, those of later versions too
TEST = "webhook.test"  # its messages go to an endpoint whatever that chose

ENDPOINTS_MAX = 10  # of one account; each costs a message for each of its events
EVENTS_MAX = 100  # types that one endpoint names; more than there are
URL_LENGTH_MAX = 1_000  # characters; longer than any that we know
DESCRIPTION_LENGTH_MAX = 200  # characters; a line for its owner
BODY_BYTES_MAX = 16 * 1024  # of a message: ids, states and numbers are some hundred
ANSWER_BYTES_MAX = 1_024  # of an answer, that are read and kept: enough to recognize an error
SECONDS_MAX = 10.0  # of one attempt in all: whoever needs longer answers first and works then
CONNECT_SECONDS_MAX = 5.0  # of them, until connected
READ_SECONDS_MAX = 2.0  # of them, for the body: the status has said what there is to know
SLOW_SECONDS = 2.0  # an endpoint that takes as long waits beside the others
ASIDE_SECONDS = 60.0  # at least so long, so that one that goes to and fro costs little
UNDER_WAY_MAX = 4  # attempts of one worker to one endpoint at the same time
ASIDE_UNDER_WAY_MAX = 2  # the same of an endpoint that is slow
KEPT = timedelta(days=30)  # a message with its attempts: as far back as can be replayed
SECRET_BYTES = 32
SECRET_OVERLAP = timedelta(hours=24)  # the secret of before signs too
SECRET_SHOWN = timedelta(hours=24)  # a repeat of the request that made it has it again
TESTS_PER_HOUR_MAX = 60  # of one endpoint; a person who tries, not a load
REPLAYED_MAX = 10_000  # messages of one call; a day of a busy account
PORTS = (443, 8443)  # others are of services that are no web servers

# Seconds after each attempt that failed, until the next.
SCHEDULE = (
    5.0,
    5 * 60.0,
    30 * 60.0,
    2 * 3_600.0,
    5 * 3_600.0,
    10 * 3_600.0,
    14 * 3_600.0,
    20 * 3_600.0,
    24 * 3_600.0,
)
JITTER = 0.1  # of a pause, added by chance: what failed together does not come back together
RETRY_AFTER_SECONDS_MAX = 24 * 3_600.0  # honoured up to this
# All attempts of so long failed, of so many messages: the endpoint is disabled.
FAILING = timedelta(days=5)
FAILED_MESSAGES_MIN = 5

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)*(?=[a-z0-9_-]*[a-z]){_LABEL}\Z")
_PRINTABLE = re.compile(r"[\x21-\x7e]+\Z")
_DIGITS_MAX = 9


class EndpointState(StrEnum):
    """State of an endpoint."""

    ENABLED = "enabled"  # messages go to it
    DISABLED = "disabled"  # its messages are kept undelivered
    REMOVED = "removed"  # it gets none


class EndpointEvent(StrEnum):
    """What happens to an endpoint."""

    DISABLED = "disabled"
    ENABLED = "enabled"
    REMOVED = "removed"


ENDPOINT = Lifecycle(
    "the webhook",
    {
        (EndpointState.ENABLED, EndpointEvent.DISABLED): EndpointState.DISABLED,
        (EndpointState.DISABLED, EndpointEvent.ENABLED): EndpointState.ENABLED,
        (EndpointState.ENABLED, EndpointEvent.REMOVED): EndpointState.REMOVED,
        (EndpointState.DISABLED, EndpointEvent.REMOVED): EndpointState.REMOVED,
    },
)


class DisabledWhy(StrEnum):
    """Why an endpoint is disabled."""

    ASKED = "asked"  # its account wanted it
    GONE = "gone"  # it answered 410
    FAILING = "failing"  # by the rule of `FAILING`


class MessageState(StrEnum):
    """State of a message."""

    WAITING = "waiting"  # for its first attempt, or the next
    DELIVERED = "delivered"  # an attempt was answered with 2xx
    UNDELIVERED = "undelivered"  # no attempt is due; it can be replayed


class MessageEvent(StrEnum):
    """What happens to a message."""

    DELIVERED = "delivered"
    GIVEN_UP = "given_up"  # its last attempt failed, or its endpoint was disabled
    REPLAYED = "replayed"


MESSAGE = Lifecycle(
    "the message",
    {
        (MessageState.WAITING, MessageEvent.DELIVERED): MessageState.DELIVERED,
        (MessageState.WAITING, MessageEvent.GIVEN_UP): MessageState.UNDELIVERED,
        # An attempt that was under way as its endpoint was disabled.
        (MessageState.UNDELIVERED, MessageEvent.DELIVERED): MessageState.DELIVERED,
        (MessageState.UNDELIVERED, MessageEvent.REPLAYED): MessageState.WAITING,
        (MessageState.DELIVERED, MessageEvent.REPLAYED): MessageState.WAITING,
    },
)


class Failure(StrEnum):
    """Why an attempt delivered nothing."""

    STATUS = "status"  # answered, with another status than 2xx
    REDIRECT = "redirect"  # answered with 3xx, which is not followed
    TIMEOUT = "timeout"  # no status within `SECONDS_MAX`
    NAME = "name"  # the name of the host has no address
    NOT_PUBLIC = "not_public"  # an address of the host is of a network where nothing is sent
    CONNECTION = "connection"  # not connected, or ended before a status came
    CERTIFICATE = "certificate"  # TLS failed, or its certificate is not of the host
    UNREADABLE = "unreadable"  # what came is not HTTP, or its head is too large


class TooManyWebhooks(Refusal):
    """The account has as many endpoints as it may have."""

    code = "too_many_webhooks"
    status = 409

    def __init__(self, webhooks_max: int) -> None:
        super().__init__(f"{webhooks_max} endpoints")
        self.webhooks_max = webhooks_max


class WebhookUrlRefused(Refusal):
    """Nothing is sent to this URL; `reason` says why not."""

    code = "webhook_url_refused"
    status = 422

    def __init__(self, reason: str) -> None:
        super().__init__(f"the url is refused: {reason}")
        self.reason = Sentence(f"webhook_url.{reason}", {})


class WebhookNotEnabled(Refusal):
    """The endpoint is disabled: enable it first."""

    code = "webhook_not_enabled"
    status = 409


class TooManyTests(Refusal):
    """As many tests went to the endpoint within an hour as may."""

    code = "too_many_webhook_tests"
    status = 429
    retry_after_seconds = 3_600
    quota = ("webhook_tests", "tests_max")

    def __init__(self, tests_max: int) -> None:
        super().__init__(f"{tests_max} tests within an hour")
        self.tests_max = tests_max


@dataclass(frozen=True, slots=True)
class Address:
    """The address that a URL names."""

    is_https: bool
    host: str
    port: int

    @property
    def is_literal(self) -> bool:
        """True where the host is an IP address."""
        return is_ip(self.host)


def is_ip(host: str) -> bool:
    """True of an IP address as it is written."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def address_of(url: str) -> Address:
    """The address of a URL, as far as the URL alone says it.  Refuses `WebhookUrlRefused`.

    What is no plain URL is refused, since two readers of it could find two hosts in it.
    """
    if not _PRINTABLE.match(url) or len(url) > URL_LENGTH_MAX or "\\" in url:
        raise WebhookUrlRefused("not_a_url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WebhookUrlRefused("not_a_url") from None
    if parts.scheme not in ("https", "http"):
        raise WebhookUrlRefused("not_https")
    if "@" in parts.netloc:
        raise WebhookUrlRefused("has_user")
    if parts.fragment:
        raise WebhookUrlRefused("has_fragment")
    name = parts.hostname or ""
    host = name.removesuffix(".")
    # Brackets are of addresses alone; a port is a number as we write it.
    written = f"[{name}]" if ":" in name else name
    if parts.netloc.lower() != (written if port is None else f"{written}:{port}"):
        raise WebhookUrlRefused("not_a_host")
    if "%" in host or not (_HOST.match(host) or is_ip(name)):
        raise WebhookUrlRefused("not_a_host")
    is_https = parts.scheme == "https"
    return Address(is_https, host, port if port is not None else (443 if is_https else 80))


def chosen(events: Sequence[str], known: Collection[str]) -> list[str]:
    """The types that an endpoint chooses, each once.  Refuses `Malformed`."""
    if not events:
        raise Malformed("events", "given")
    if len(events) > EVENTS_MAX or not set(events) <= {*known, EVERYTHING}:
        raise Malformed("events", "known_name")
    return [EVERYTHING] if EVERYTHING in events else sorted(set(events))


def described(text: str) -> str:
    """The description of an endpoint.  Refuses `Malformed`."""
    if len(text) > DESCRIPTION_LENGTH_MAX:
        raise Malformed("description", "within_bounds")
    return one_line(text).strip()


def pause_after(tries: int, chance: float, retry_after: float | None = None) -> float | None:
    """Seconds from an attempt that failed, the one of this number, to the next; None where there is none.

    `chance` is from 0 to 1; `retry_after` is what the receiver asked for, which only makes it later.
    """
    if tries > len(SCHEDULE):
        return None
    pause = SCHEDULE[tries - 1] * (1 + JITTER * chance)
    return max(pause, min(retry_after or 0.0, RETRY_AFTER_SECONDS_MAX))


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After (RFC 9110, section 10.2.3); None of anything else."""
    if not text:
        return None
    if (seconds := counted(text.strip(), _DIGITS_MAX)) is not None:
        return float(seconds)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of an account."""

    account: UUID
    id: UUID
    url: str
    description: str
    events: list[str]
    state: EndpointState
    why: DisabledWhy | None
    made_at: datetime
    moved_at: datetime
    before_until: datetime | None
    failing_since: datetime | None
    failed_messages: int
    is_aside: bool

    def wants(self, type_: str) -> bool:
        """True where messages of this type go to it."""
        return EVERYTHING in self.events or type_ in self.events


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint as a request with an Idempotency-Key made it: its secret is sealed."""

    id: UUID
    request: bytes
    secret: bytes | None
    made_at: datetime


class DisabledOfAccount(NamedTuple):
    """Endpoints of an account that we disabled."""

    account: UUID
    endpoints: int


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message whose attempt begins: where it goes, what is sent, and with which sealed secrets it is signed."""

    account: UUID
    endpoint: UUID
    message: UUID
    url: str
    body: str
    tries: int  # with this one
    secret: bytes
    secret_before: bytes | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one endpoint."""

    account: UUID
    id: UUID
    endpoint: UUID
    type: str
    body: str
    state: MessageState
    made_at: datetime
    try_at: datetime
    tries: int
    attempts: int
    delivered_at: datetime | None


class WebhookAttempt(NamedTuple):
    """One attempt to deliver a message.  `ms` are milliseconds, `answer` its first bytes."""

    number: int
    began_at: datetime
    ms: int
    status: int | None
    answer: bytes
    failure: str | None


class DeliveryLease(NamedTuple):
    """A message that is due, and the attempt that wants to begin, by the worker pool of `is_aside`."""

    account: UUID
    message: UUID
    began_at: datetime
    is_aside: bool


class Attempted(NamedTuple):
    """An attempt that ended, and what it asks for: another after so many seconds, the worker pool of slow endpoints."""

    of: DueMessage
    made: WebhookAttempt
    wait: float | None
    is_slow: bool


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as the API shows it.

    `events` are types, or `*` for all.  `disabled_because` is `asked`, `gone` or `failing`.  `failing_since` is there
    while no attempt was delivered since then.  `old_secret_until` is there while two secrets sign.
    """

    id: str
    url: str
    description: str
    events: list[str]
    state: str
    disabled_because: str | None
    failing_since: datetime | None
    failed_messages: int
    old_secret_until: datetime | None
    made_at: datetime


class EndpointSecret(EndpointView, frozen=True, kw_only=True):
    """An endpoint with its secret, which is shown by the request that made it, and by repeats of that within a day."""

    secret: str | None


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the API shows it; `id` is its webhook-id.  `next_attempt_at` is there while it waits."""

    id: str
    endpoint_id: str
    type: str
    state: str
    made_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt: when it began, how long it took, and what was answered: status and first bytes."""

    number: int
    began_at: datetime
    milliseconds: int
    status: int | None
    answer: str
    failure: str | None


class DeliveryDetails(DeliveryView, frozen=True, kw_only=True):
    """A message with its body as it is sent, which is null without the permission that shows the same over the API,
    and its attempts, the first in front.
    """

    body: str | None
    attempt_list: list[AttemptView]


def view(one: Endpoint) -> EndpointView:
    """An endpoint as the API shows it."""
    return EndpointView(**_fields(one))


def view_with(one: Endpoint, secret: str | None) -> EndpointSecret:
    """The same with its secret."""
    return EndpointSecret(**_fields(one), secret=secret)


def _fields(one: Endpoint) -> dict[str, Any]:
    return {
        "id": show(ENDPOINT_KIND, one.id),
        "url": one.url,
        "description": one.description,
        "events": list(one.events),
        "state": str(one.state),
        "disabled_because": one.why and str(one.why),
        "failing_since": one.failing_since,
        "failed_messages": one.failed_messages,
        "old_secret_until": one.before_until,
        "made_at": one.made_at,
    }


def message_view(one: Message) -> DeliveryView:
    """A message as the API shows it."""
    return DeliveryView(**_message_fields(one))


def details(
    one: Message, attempts: Iterable[WebhookAttempt], *, shows_body: bool
) -> DeliveryDetails:
    """A message with its attempts as the API shows it."""
    return DeliveryDetails(
        **_message_fields(one),
        body=one.body if shows_body else None,
        attempt_list=[
            AttemptView(
                number=each.number,
                began_at=each.began_at,
                milliseconds=each.ms,
                status=each.status,
                answer=each.answer.decode(errors="replace"),
                failure=each.failure,
            )
            for each in attempts
        ],
    )


def _message_fields(one: Message) -> dict[str, Any]:
    return {
        "id": show(MESSAGE_KIND, one.id),
        "endpoint_id": show(ENDPOINT_KIND, one.endpoint),
        "type": one.type,
        "state": str(one.state),
        "made_at": one.made_at,
        "attempts": one.attempts,
        "next_attempt_at": one.try_at if one.state == MessageState.WAITING else None,
        "delivered_at": one.delivered_at,
    }
