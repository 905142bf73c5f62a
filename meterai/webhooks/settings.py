"""Settings of webhooks."""

import msgspec


class WebhookSettings(msgspec.Struct, frozen=True):
    """Non-public networks (CIDR, separated by commas or spaces) to which messages may be sent nevertheless, also by
    http and to any port: for tests and development (`127.0.0.0/8`).
    """

    webhook_networks: str = ""
