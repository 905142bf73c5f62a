"""Settings of notifications."""

from typing import Literal

import msgspec

from meterai.plumbing.config import Port, Secret


class NotificationSettings(msgspec.Struct, frozen=True):
    """The SMTP server, and the sender's address of our mails."""

    smtp_host: str = "127.0.0.1"
    smtp_port: Port = 0
    smtp_user: str = ""
    smtp_password: Secret = ""
    smtp_tls: Literal["none", "starttls", "implicit"] = "none"
    mail_from: str = "meterai <no-reply@meterai.invalid>"
