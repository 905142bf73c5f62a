"""Claims in texts of notifications, each with the condition that must hold if a page shows it."""

NO_CLAIMS = {
    "mail.turn_near.text": "a mail",
}
