"""Events of webhooks, written and handled by this package itself."""

from uuid import UUID

from meterai.plumbing.work.events import Event


class WebhookDisabled(Event, frozen=True, kw_only=True):
    """An endpoint was disabled because its attempts failed; written by `webhook_attempted`.

    `why` is `gone` or `failing`; `stop` is the id of this disabling, under which the audit trail records it.
    """

    endpoint: UUID
    why: str
    stop: UUID
