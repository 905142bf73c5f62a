"""Settings of webhooks."""

import msgspec


class WebhookSettings(msgspec.Struct, frozen=True):
    """Setting for tests and development: networks to which messages may be sent although they are not public, such as
    `127.0.0.0/8` (CIDR, separated by commas or spaces). To these, `http` and any port are permitted too.
    """

    webhook_networks: str = ""
