"""Retention of the tables of payments."""

from meterai.plumbing.work.retention import HALF_YEAR, MONEY, ONE, Leaves, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Leaves(
        "news_of_the_bank",
        "notification_inbox",
        ("provider", "sent_on", "external_id"),
        HALF_YEAR,
        "received_at",
        "The signed message is needed while a payment can be disputed; it may name the payer. "
        "Its arrival, digest and outcome stay with the payment.",
        only="outcome IS NOT NULL AND body <> ''",
        blanks={"body": "''", "reading": "NULL"},
    ),
    Stays("rails_out", ONE),
    Stays("payment_attempts", MONEY),
    Stays("captures", MONEY),
    Stays("chargebacks", MONEY),
    Stays("refunds", MONEY),
    Stays("payees", MONEY),
    Stays("transfers", MONEY),
    Stays("compensations", MONEY),
    Stays("float_balances", ONE),
)
