"""The bank's faults, set with POST /standin/faults; a count is the number of next occasions that fail, -1 means all."""

from standins.faults import FaultSwitch, Kind

_COUNTS = {
    # Notifications to the merchant.
    "drop_notifications": "Next notifications are never sent",
    "double_notifications": "Next notifications are sent twice at once, with one X-EXTERNAL-ID",
    "late_notifications": "Next notifications are sent some seconds later",
    "truncate_notifications": "Next notifications end in their middle",
    "contradict_notifications": "Next successes are told as failures",
    "deny_without_rrn": "Next denials are told without the payment's number",
    "unknown_key": "Next calls to the merchant are signed by a key it was not given",
    "skew_clock": "Next calls to the merchant are dated an hour ahead",
    # Answers.
    "generate_504_after_success": "Next QR is made, the answer is a time-out (504/00)",
    "generate_500": "Next QR is not made, the answer is 500/00",
    "cancel_500": "Next QR is not cancelled, the answer is 500/00",
    "query_504": "Next query is answered with a time-out",
    "query_500": "Next query is answered with 500/00",
    "create_va_504_after_success": "Next virtual account is made, the answer is a time-out",
    "create_va_500": "Next virtual account is not made, the answer is 500/00",
    "delete_va_500": "Next virtual account is not deleted, the answer is 500/00",
    "va_status_504": "Next status of a virtual account is answered with a time-out",
    "va_status_500": "Next status of a virtual account is answered with 500/00",
    "refund_504_after_success": "Next refund is made, the answer is a time-out",
    "refund_500": "Next refund is not made, the answer is 500/00",
    # A repeat of a call that was carried out still gets the answer of success.
    "refuse_refunds": "Next new refunds are refused (405/01)",
    "refunds_too_late": "Next new refunds are refused for ever (403/00)",
    "refunds_too_late_and_made": "Next refunds are refused for ever and made later all the same",
    "refunds_refused_and_made": "Next refunds are refused and made later all the same",
    "refunds_pending": "Next refunds are answered 202/00 and made later",
    "refunds_reversed": "Next refunds come back",
    "account_inquiry_500": "Next inquiry of a name is answered with 500/00",
    "transfer_504_after_success": "Next transfer is made, the answer is a time-out",
    "transfer_500": "Next transfer is not made, the answer is 500/00",
    "refuse_transfers": "Next new transfers are refused (405/01)",
    "transfers_to_nobody": "Next new transfers are refused for ever: the account takes nothing (403/18)",
    "transfers_to_nobody_and_made": "Next transfers are refused for ever and made later all the same",
    "float_empty": "Next transfers find too little in the account that pays them (403/14)",
    "balance_500": "Next balance is answered with 500/00",
    "transfers_refused_and_made": "Next transfers are refused and made later all the same",
    "transfers_pending": "Next transfers are answered 202/00, and the money arrives later",
    "transfers_returned": "Next transfers come back",
    "transfer_status_500": "Next status of a transfer is answered with 500/00",
    # Messages about a wrong subject (`mix_ups.py`).
    "other_reference": "Next answers and notifications name other references",
    "other_merchant": "Next answers and notifications name another merchant",
    "other_amount": "Next answers and notifications name another amount",
    "other_currency": "Next answers and notifications name another currency",
    "one_rrn": "Next answers and notifications name one number for every payment",
    # Records and files.
    "history_line_twice": "Next pages of history have a line twice",
    "history_line_missing": "Next pages of history lack their last line, which a later read has",
    "file_half": "Next files end in their middle",
    "file_line_twice": "Next files have a line twice",
    "file_line_missing": "Next files lack a line",
    "file_broken_row": "Next files have half a row",
    "file_other_encoding": "Next files are in UTF-16",
    "file_fee_rounded": "Next files have a fee of one rupiah more",
}
_SECONDS = {
    "notification_delay_seconds": "Notifications are first sent so long after the act",
    "response_delay_seconds": "Every answer comes so much later, after the act",
    "token_delay_seconds": "Every token comes so much later still",
    "clock_ahead_seconds": "The bank's clock is so far ahead, for what it checks and sends",
    "made_after_seconds": "What is made later, or comes back, does so after so long",
    "transfer_settles_after_seconds": "Transfers under way arrive after so long",
    "transfer_returned_after_seconds": "Transfers come back after so long (0: a day)",
    "cut_off_early_seconds": "Days of settlement end so long before midnight",
}
FAULT_SWITCHES = {
    **{name: FaultSwitch(Kind.COUNT, meaning) for name, meaning in _COUNTS.items()},
    **{name: FaultSwitch(Kind.SECONDS, meaning) for name, meaning in _SECONDS.items()},
    "strict": FaultSwitch(Kind.BOOLEAN, "What was paid or ran out cannot be paid"),
    "deny_after_settlement_seconds": FaultSwitch(
        Kind.SECONDS_OR_NEVER, "Every payment is denied so long after it settled"
    ),
}
