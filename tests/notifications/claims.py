"""Claims of texts of notifications: what must be so where a page says them."""

NO_CLAIMS = {
    "mail.turn_near.text": "a mail",
}
