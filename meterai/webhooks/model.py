"""Endpoints, messages and attempts: types, rules and limits; pure."""

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
from meterai.kit.subjects import SubjectSort
from meterai.kit.text import one_line

WEBHOOK_SUBJECT = SubjectSort("webhook", prefix="whk")

ENDPOINT_KIND = "whk"
MESSAGE_KIND = "msg"
EVERYTHING = "*"  # all types, including those of later versions
TEST = "webhook.test"  # sent to an endpoint whichever types the endpoint chose

ENDPOINTS_MAX = 10  # of one account: each event of the account costs a message per endpoint
EVENTS_MAX = 100  # types that one endpoint names; more than exist
URL_LENGTH_MAX = 1_000  # characters; longer than any known URL
DESCRIPTION_LENGTH_MAX = 200  # characters; one line for the owner of the endpoint
BODY_BYTES_MAX = 16 * 1024  # of a message: its ids, states and numbers take some hundred bytes
ANSWER_BYTES_MAX = 1_024  # bytes of an answer that are read and kept: enough to recognize an error
# Of a whole attempt: a receiver that needs longer should answer first and work later.
SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 5.0  # of `SECONDS_MAX`, until connected
# Of `SECONDS_MAX`, for the response body: the status alone decides about delivery.
READ_SECONDS_MAX = 2.0
SLOW_SECONDS = 2.0  # an endpoint that takes longer is served by the slow pool
ASIDE_SECONDS = 60.0  # shortest stay in the slow pool, so that switching costs little
UNDER_WAY_MAX = 4  # attempts of one worker to one endpoint at the same time
ASIDE_UNDER_WAY_MAX = 2  # the same for a slow endpoint
KEPT = timedelta(days=30)  # retention of a message with its attempts, and limit of replays
SECRET_BYTES = 32
SECRET_OVERLAP = timedelta(hours=24)  # time for which messages are signed with both secrets
SECRET_SHOWN = timedelta(hours=24)  # a repeat of the creating request returns the secret again
TESTS_PER_HOUR_MAX = 60  # of one endpoint: enough for a person, too few for a load test
REPLAYED_MAX = 10_000  # messages of one call: as many as a busy account gets in a day
PORTS = (443, 8443)  # other ports often belong to services that are no web servers
# Seconds from each failed attempt to the next one.
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
# Largest share of a pause added at random: messages that failed together are not retried together.
JITTER = 0.1
RETRY_AFTER_SECONDS_MAX = 24 * 3_600.0  # longest honoured Retry-After
# An endpoint is disabled if all attempts failed for at least this time, and for at least this number of messages.
FAILING = timedelta(days=5)
FAILED_MESSAGES_MIN = 5

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)*(?=[a-z0-9_-]*[a-z]){_LABEL}\Z")
_PRINTABLE = re.compile(r"[\x21-\x7e]+\Z")
_DIGITS_MAX = 9


class EndpointState(StrEnum):
    """State of a webhook endpoint."""

    ENABLED = "enabled"  # messages go to it
    DISABLED = "disabled"  # its messages are kept undelivered
    REMOVED = "removed"  # permanently gets no messages


class EndpointEvent(StrEnum):
    """Event in the life of a webhook endpoint."""

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
    """Reason why a webhook endpoint is disabled."""

    ASKED = "asked"  # its account disabled it
    GONE = "gone"  # the receiver answered 410 (Gone)
    FAILING = "failing"  # all attempts failed for the time `FAILING`


class MessageState(StrEnum):
    """State of a message to a webhook endpoint."""

    WAITING = "waiting"  # waits for its first attempt, or the next one
    DELIVERED = "delivered"  # an attempt was answered with 2xx
    UNDELIVERED = "undelivered"  # no attempt is due; it can be replayed


class MessageEvent(StrEnum):
    """Event in the life of a message to a webhook endpoint."""

    DELIVERED = "delivered"
    GIVEN_UP = "given_up"  # its last attempt failed, or its endpoint was disabled
    REPLAYED = "replayed"


MESSAGE = Lifecycle(
    "the message",
    {
        (MessageState.WAITING, MessageEvent.DELIVERED): MessageState.DELIVERED,
        (MessageState.WAITING, MessageEvent.GIVEN_UP): MessageState.UNDELIVERED,
        # An attempt may succeed that was under way when its endpoint was disabled.
        (MessageState.UNDELIVERED, MessageEvent.DELIVERED): MessageState.DELIVERED,
        (MessageState.UNDELIVERED, MessageEvent.REPLAYED): MessageState.WAITING,
        (MessageState.DELIVERED, MessageEvent.REPLAYED): MessageState.WAITING,
    },
    reopens={MessageEvent.REPLAYED},
)


class Failure(StrEnum):
    """Reason why an attempt to deliver a message failed."""

    STATUS = "status"  # answered with a status that is neither 2xx nor 3xx
    REDIRECT = "redirect"  # answered with 3xx, which is not followed
    TIMEOUT = "timeout"  # no status within `SECONDS_MAX`
    NAME = "name"  # the name of the host has no address
    NOT_PUBLIC = "not_public"  # an address of the host is neither public nor in an allowed network
    CONNECTION = "connection"  # no connection, or it ended before a status arrived
    CERTIFICATE = "certificate"  # TLS failed, or the certificate is not valid for the host
    UNREADABLE = "unreadable"  # the answer is not HTTP, or its headers are too large


class TooManyWebhooks(Refusal):
    """The account already has the maximum number of endpoints."""

    code = "too_many_webhooks"
    status = 409

    def __init__(self, webhooks_max: int) -> None:
        super().__init__(f"{webhooks_max} endpoints")
        self.webhooks_max = webhooks_max


class WebhookUrlRefused(Refusal):
    """Messages may not be sent to this URL; `reason` says why."""

    code = "webhook_url_refused"
    status = 422

    def __init__(self, reason: str) -> None:
        super().__init__(f"the url is refused: {reason}")
        self.reason = Sentence(f"webhook_url.{reason}", {})


class WebhookNotEnabled(Refusal):
    """The endpoint is disabled and must be enabled first."""

    code = "webhook_not_enabled"
    status = 409


class TooManyTests(Refusal):
    """The endpoint already got the maximum number of test messages within an hour."""

    code = "too_many_webhook_tests"
    status = 429
    retry_after_seconds = 3_600
    quota = ("webhook_tests", "tests_max")

    def __init__(self, tests_max: int) -> None:
        super().__init__(f"{tests_max} tests within an hour")
        self.tests_max = tests_max


@dataclass(frozen=True, slots=True)
class Address:
    """Scheme, host and port of a URL."""

    is_https: bool
    host: str
    port: int

    @property
    def is_literal(self) -> bool:
        """True if the host is an IP address."""
        return is_ip(self.host)


def is_ip(host: str) -> bool:
    """True if the text is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def address_of(url: str) -> Address:
    """Return the address of a URL, without resolving it. Refuses `WebhookUrlRefused`.

    An unusual URL is refused, since two parsers could find different hosts in it.
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
    # Brackets enclose addresses only; a port is a plain decimal number.
    written = f"[{name}]" if ":" in name else name
    if parts.netloc.lower() != (written if port is None else f"{written}:{port}"):
        raise WebhookUrlRefused("not_a_host")
    if "%" in host or not (_HOST.match(host) or is_ip(name)):
        raise WebhookUrlRefused("not_a_host")
    is_https = parts.scheme == "https"
    return Address(is_https, host, port if port is not None else (443 if is_https else 80))


def chosen(events: Sequence[str], known: Collection[str]) -> list[str]:
    """Return the requested event types without duplicates. Refuses `Malformed` for a type that is not in `known`."""
    if not events:
        raise Malformed("events", "given")
    if len(events) > EVENTS_MAX or not set(events) <= {*known, EVERYTHING}:
        raise Malformed("events", "known_name")
    return [EVERYTHING] if EVERYTHING in events else sorted(set(events))


def described(text: str) -> str:
    """Return the description of an endpoint if it is valid. Refuses `Malformed`."""
    if len(text) > DESCRIPTION_LENGTH_MAX:
        raise Malformed("description", "within_bounds")
    return one_line(text).strip()


def pause_after(tries: int, chance: float, retry_after: float | None = None) -> float | None:
    """Return the seconds from the failed attempt with number `tries` to the next attempt; None if no further attempt is made.

    `chance` is a random number from 0 to 1 for the jitter. `retry_after` are the seconds that the receiver requested;
    they can only lengthen the pause.
    """
    if tries > len(SCHEDULE):
        return None
    pause = SCHEDULE[tries - 1] * (1 + JITTER * chance)
    return max(pause, min(retry_after or 0.0, RETRY_AFTER_SECONDS_MAX))


def retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header demands (RFC 9110, section 10.2.3); None if the text is malformed."""
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
    """A webhook endpoint of an account."""

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
        """True if the endpoint gets messages of this type."""
        return EVERYTHING in self.events or type_ in self.events


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint found by the Idempotency-Key of the request that made it, with the hash of that request and the encrypted
    secret.
    """

    id: UUID
    request: bytes
    secret: bytes | None
    made_at: datetime


class DisabledOfAccount(NamedTuple):
    """Number of endpoints of an account that the platform disabled."""

    account: UUID
    endpoints: int


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message that is about to be sent: URL, body, and the encrypted secrets with which it is signed."""

    account: UUID
    endpoint: UUID
    message: UUID
    url: str
    body: str
    tries: int  # attempts, including the current one
    secret: bytes
    secret_before: bytes | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one endpoint: an event as it is sent, and the state of its delivery."""

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
    """One attempt to deliver a message.  `ms` is its duration in milliseconds, `answer` the first bytes of the
    receiver's response.
    """

    number: int
    began_at: datetime
    ms: int
    status: int | None
    answer: bytes
    failure: str | None


class DeliveryLease(NamedTuple):
    """A due message to be leased, and the time at which its attempt begins.

    `is_aside`: True if the worker pool of slow endpoints leases it.
    """

    account: UUID
    message: UUID
    began_at: datetime
    is_aside: bool


class Attempted(NamedTuple):
    """An ended attempt to deliver a message.

    `wait` is the time until the next attempt in seconds, None if no further attempt is made; `is_slow` is True if the endpoint
    answered slowly.
    """

    of: DueMessage
    made: WebhookAttempt
    wait: float | None
    is_slow: bool


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as the API shows it.

    `events` are types, or `*` for all.  `disabled_because` is `asked` (its account disabled it), `gone` (the
    receiver answered 410) or `failing` (all attempts failed for a long time).  `failing_since` is the time
    since which every attempt failed; null if the last one succeeded.  `old_secret_until` is set while messages
    are signed with two secrets.
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
    """An endpoint with its secret, which only the request that makes the secret and its repeats within a day return."""

    secret: str | None


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the API shows it; `id` is its webhook-id.  `next_attempt_at` is set while the message waits."""

    id: str
    endpoint_id: str
    type: str
    state: str
    made_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt: its beginning and duration, and the status and first bytes of the answer."""

    number: int
    began_at: datetime
    milliseconds: int
    status: int | None
    answer: str
    failure: str | None


class DeliveryDetails(DeliveryView, frozen=True, kw_only=True):
    """A message with its body as sent and its attempts, the first one first. The body is null if the caller lacks the
    permission to read its content over the API.
    """

    body: str | None
    attempt_list: list[AttemptView]


def view(one: Endpoint) -> EndpointView:
    """Convert an endpoint to its form in the API."""
    return EndpointView(**_fields(one))


def view_with(one: Endpoint, secret: str | None) -> EndpointSecret:
    """Convert an endpoint with its secret to its form in the API."""
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
    """Convert a message to its form in the API."""
    return DeliveryView(**_message_fields(one))


def details(
    one: Message, attempts: Iterable[WebhookAttempt], *, shows_body: bool
) -> DeliveryDetails:
    """Convert a message with its attempts to its form in the API."""
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
