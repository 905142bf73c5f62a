"""Settings that meet the demands of production on webhooks, and ways to break each demand."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

WRONG: Mapping[str, Sequence[Wrong]] = {
    "webhook_networks": setting("webhook_networks", "127.0.0.0/8"),
}
