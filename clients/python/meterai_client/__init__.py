"""Client of a meterai installation: order, stamp, check and refund electronic stamps.

`Meterai` is synchronous, `AsyncMeterai` asynchronous; `Webhook` verifies webhook messages of an installation.
"""

from meterai_client.calling import Retrying
from meterai_client.client import AsyncMeterai, Meterai
from meterai_client.errors import (
    AnswerUnreadable,
    Conflict,
    DownloadDamaged,
    Gone,
    KeyRefused,
    MeteraiError,
    NotAllowed,
    NotAnswered,
    NotExecuted,
    NotFound,
    NotStamped,
    Refused,
    StillUnderWay,
    TooOften,
    Unavailable,
    Unusable,
    WebhookForged,
)
from meterai_client.placing import At, AtText, Facts, InCorner, Placement, Row
from meterai_client.webhooks import Webhook

__all__ = [
    "AnswerUnreadable",
    "AsyncMeterai",
    "At",
    "AtText",
    "Conflict",
    "DownloadDamaged",
    "Facts",
    "Gone",
    "InCorner",
    "KeyRefused",
    "Meterai",
    "MeteraiError",
    "NotAllowed",
    "NotAnswered",
    "NotExecuted",
    "NotFound",
    "NotStamped",
    "Placement",
    "Refused",
    "Retrying",
    "Row",
    "StillUnderWay",
    "TooOften",
    "Unavailable",
    "Unusable",
    "Webhook",
    "WebhookForged",
]
