"""Settings with which production has what it demands of webhooks, and ways to lack it."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

WRONG: Mapping[str, Sequence[Wrong]] = {
    "webhook_networks": setting("webhook_networks", "127.0.0.0/8"),
}
