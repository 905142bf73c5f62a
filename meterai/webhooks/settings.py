"""What can be set about webhooks."""

import msgspec


class WebhookSettings(msgspec.Struct, frozen=True):
    """Networks that are not public, with commas or spaces between, to which messages may go all the same, also by http and to any
    port: for tests and development (`127.0.0.0/8`).
    """

    webhook_networks: str = ""
