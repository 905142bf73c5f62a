"""Corruptions of rows of finance, and the invariants that must find each."""

from tests.support.corrupting import ENTRIES, corruption

CLOSES = "closes_are_as_they_were_signed"
FOLLOW = "closes_follow_each_other"
PAYOUTS = "payouts_are_in_the_trail"

CORRUPTIONS = (
    corruption(
        "a close with another number of entries", "UPDATE day_closes SET entries = 7", CLOSES
    ),
    corruption("a close that is gone", "DELETE FROM day_closes WHERE day = '2025-03-30'", CLOSES),
    corruption(
        "a close with another sum",
        "UPDATE day_close_sums SET debit = debit + 1 WHERE day = '2025-03-31' AND book = 'buyer_funds'",
        CLOSES,
        FOLLOW,
    ),
    corruption(
        "a close that does not begin with the one before",
        "UPDATE day_close_sums SET closing = closing * 2 WHERE day = '2025-03-31'",
        CLOSES,
        FOLLOW,
    ),
    corruption(
        "a day that nobody closed",
        "UPDATE audit_events SET subject = '2025-02-01' WHERE action = 'day_closed' AND subject = '2025-03-31'",
        "closed_days_are_in_the_trail",
    ),
    corruption(
        "a payout of another sum",
        "UPDATE payouts SET amount = amount * 2 WHERE payout_id = %(confirmed.payout)s",
        ENTRIES,
    ),
    corruption(
        "a payout that nobody confirmed",
        "DELETE FROM audit_events WHERE action = 'payout_confirmed'",
        PAYOUTS,
    ),
    corruption(
        "a payout that nobody approved",
        "UPDATE payouts SET approved_at = approved_at - interval '1 day' WHERE payout_id = %(approved.payout)s",
        PAYOUTS,
    ),
    corruption(
        "a payout that is in the books before it was sent",
        "UPDATE payouts SET state = 'confirmed', bank_line = 'x', paid_at = now(), ntpn = 'x', ended_at = now()"
        " WHERE payout_id = %(sent.payout)s",
        ENTRIES,
        PAYOUTS,
    ),
    corruption(
        "a closed day has another sum",
        "UPDATE day_close_sums SET debit = debit + 1, closing = closing - 1 WHERE book = 'bank_clearing' AND debit > 0",
        "closes_are_as_they_were_signed",
    ),
    corruption(
        "a payout is marked as confirmed",
        "UPDATE payouts SET state = 'confirmed', ended_at = now(), paid_at = now(), bank_line = 'x', ntpn = '0A1B2C3D4E5F6G7H'"
        " WHERE state = 'sent'",
        "payouts_are_in_the_trail",
    ),
)
