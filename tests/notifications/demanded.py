"""Settings that meet the demands of production on mails, and ways to break each demand."""

from collections.abc import Mapping, Sequence

from tests.support.demanding import Wrong, setting

RIGHT = {
    "smtp_host": "smtp.contoh.id",
    "smtp_port": 587,
    "smtp_tls": "starttls",
    "mail_from": "meterai <halo@meterai.contoh.id>",
}
GOOD = {
    "mail_from": ("halo@meterai.contoh.id",),
}
WRONG: Mapping[str, Sequence[Wrong]] = {
    "mail_server": [*setting("smtp_port", None, 0), *setting("smtp_host", "")],
    "mail_encryption": setting("smtp_tls", None, "none"),
    "mail_sender": setting(
        "mail_from", None, "", "meterai", "x <@contoh.id>", "x <a@localhost>", "x <a@b.invalid>"
    ),
}
