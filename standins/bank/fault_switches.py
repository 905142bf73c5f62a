"""The bank's faults, set with POST /standin/faults; a count is the number of next occasions that fail, -1 means all."""

from standins.faults import FaultSwitch, Kind

_COUNTS = {
    # Notifications to the merchant.
    "drop_notifications": "The next notifications are never sent",
    "double_notifications": (
        "The next notifications are sent twice at once, with the same X-EXTERNAL-ID"
    ),
    "late_notifications": "The next notifications are sent some seconds later",
    "truncate_notifications": "The next notifications are cut off in the middle",
    "contradict_notifications": "The next notifications of success report a failure",
    "deny_without_rrn": "The next notifications of a denial lack the payment's number",
    "unknown_key": (
        "The next calls to the merchant are signed with a key that the merchant does not have"
    ),
    "skew_clock": "The next calls to the merchant have a time one hour in the future",
    # Answers.
    "generate_504_after_success": "The next QR is made, but the answer is a time-out (504/00)",
    "generate_500": "The next QR is not made, and the answer is 500/00",
    "cancel_500": "The next QR is not cancelled, and the answer is 500/00",
    "query_504": "The next query is answered with a time-out",
    "query_500": "The next query is answered with 500/00",
    "create_va_504_after_success": (
        "The next virtual account is made, but the answer is a time-out"
    ),
    "create_va_500": "The next virtual account is not made, and the answer is 500/00",
    "delete_va_500": "The next virtual account is not deleted, and the answer is 500/00",
    "va_status_504": "The next status query of a virtual account is answered with a time-out",
    "va_status_500": "The next status query of a virtual account is answered with 500/00",
    "refund_504_after_success": "The next refund is made, but the answer is a time-out",
    "refund_500": "The next refund is not made, and the answer is 500/00",
    # A repeat of a call that was carried out still gets the answer of success.
    "refuse_refunds": "The next new refunds are refused (405/01)",
    "refunds_too_late": "The next new refunds are refused permanently (403/00)",
    "refunds_too_late_and_made": "The next refunds are refused permanently, but made later",
    "refunds_refused_and_made": "The next refunds are refused, but made later",
    "refunds_pending": "The next refunds are answered with 202/00 and made later",
    "refunds_reversed": "The next refunds are reversed after they were made",
    "account_inquiry_500": "The next inquiry of an account's name is answered with 500/00",
    "transfer_504_after_success": "The next transfer is made, but the answer is a time-out",
    "transfer_500": "The next transfer is not made, and the answer is 500/00",
    "refuse_transfers": "The next new transfers are refused (405/01)",
    "transfers_to_nobody": (
        "The next new transfers are refused permanently: the account accepts no money (403/18)"
    ),
    "transfers_to_nobody_and_made": "The next transfers are refused permanently, but made later",
    "float_empty": (
        "The next transfers fail because the paying account has too little money (403/14)"
    ),
    "balance_500": "The next query of a balance is answered with 500/00",
    "transfers_refused_and_made": "The next transfers are refused, but made later",
    "transfers_pending": (
        "The next transfers are answered with 202/00, and the money arrives later"
    ),
    "transfers_returned": "The next transfers are returned",
    "transfer_status_500": "The next status query of a transfer is answered with 500/00",
    # Messages about a wrong subject (`mix_ups.py`).
    "other_reference": "The next answers and notifications name other references",
    "other_merchant": "The next answers and notifications name another merchant",
    "other_amount": "The next answers and notifications name another amount",
    "other_currency": "The next answers and notifications name another currency",
    "one_rrn": "The next answers and notifications name the same number for every payment",
    # Records and files.
    "history_line_twice": "The next pages of history contain a line twice",
    "history_line_missing": (
        "The next pages of history lack their last line, which a later query returns"
    ),
    "file_half": "The next files are cut off in the middle",
    "file_line_twice": "The next files contain a line twice",
    "file_line_missing": "The next files lack a line",
    "file_broken_row": "The next files contain half a row",
    "file_other_encoding": "The next files are in UTF-16",
    "file_fee_rounded": "The next files contain a fee that is one rupiah too high",
}
_SECONDS = {
    "notification_delay_seconds": (
        "Seconds between an act and the first sending of its notification"
    ),
    "response_delay_seconds": "Seconds by which every answer is delayed after the act",
    "token_delay_seconds": "Further seconds by which every answer with a token is delayed",
    "clock_ahead_seconds": (
        "Seconds by which the bank's clock is ahead, in checks and in sent times"
    ),
    "made_after_seconds": "Seconds after which a delayed act, or a return, is carried out",
    "transfer_settles_after_seconds": "Seconds after which a transfer under way arrives",
    "transfer_returned_after_seconds": "Seconds after which a transfer is returned (0: a day)",
    "cut_off_early_seconds": "Seconds before midnight at which a day of settlement ends",
}
FAULT_SWITCHES = {
    **{name: FaultSwitch(Kind.COUNT, meaning) for name, meaning in _COUNTS.items()},
    **{name: FaultSwitch(Kind.SECONDS, meaning) for name, meaning in _SECONDS.items()},
    "strict": FaultSwitch(
        Kind.BOOLEAN, "A QR or account that was paid or has expired cannot be paid"
    ),
    "deny_after_settlement_seconds": FaultSwitch(
        Kind.SECONDS_OR_NEVER, "Seconds after its settlement at which every payment is denied"
    ),
}
