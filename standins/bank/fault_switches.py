"""The bank's faults, set with POST /standin/faults; `n` counts occasions, -1 means all.

notification_delay_seconds     number; a notification is first sent so long after the act
drop_notifications             n; the next n notifications are never sent
double_notifications           n; sent twice at once, same X-EXTERNAL-ID
generate_504_after_success     n; the QR is made, the answer is 504/00
generate_500                   n; nothing is done, the answer is 500/00
cancel_500                     n; nothing is done, the answer is 500/00
query_504                      n; the answer is 504/00
query_500                      n; the answer is 500/00
refund_504_after_success       n; the money is sent back, the answer is 504/00
refund_500                     n; nothing is done, the answer is 500/00
refuse_refunds                 n; the next n new refunds are answered 405/01 (a repeat of one
                               that was made still answers its success)
create_va_500, delete_va_500   n; nothing is done, the answer is 500/00
create_va_504_after_success    n; the virtual account is made, the answer is 504/00
va_status_500, va_status_504   n; the answer is 500/00, 504/00
account_inquiry_500            n; the answer is 500/00
transfer_500                   n; nothing is done, the answer is 500/00
transfer_504_after_success     n; the money is sent, the answer is 504/00
refuse_transfers               n; the next n new transfers are answered 405/01
transfer_status_500            n; the answer is 500/00
transfers_pending              n; the answer is 202/00, and the money arrives later
transfer_settles_after_seconds number; so much later
transfers_returned             n; the next n transfers come back
transfer_returned_after_seconds number; so much later; 0 is a day
late_notifications             n; sent some seconds later than they would be
truncate_notifications         n; the body ends in its middle
contradict_notifications       n; a success is told as a failure
skew_clock                     n; the next n calls to the merchant have the time of an hour later
history_line_twice             n; the next n pages of history have a line twice
history_line_missing           n; they lack their last line, which a later read has
file_half                      n; the next n files end in the middle
file_line_twice, file_line_missing, file_broken_row
                               n; the next n files have a line twice, lack one, have half a row
file_fee_rounded               n; in the next n files a fee is one rupiah more
cut_off_early_seconds          number; days of settlement end so long before midnight
file_other_encoding            n; the next n files are in UTF-16
refunds_reversed               n; the next n refunds come back `made_after_seconds` later
refunds_pending                n; the answer is 202/00, and the refund is made later
refunds_refused_and_made       n; the answer is 405/01, and the refund is made later all the same
transfers_refused_and_made     n; the same of transfers
made_after_seconds             number; so much later
unknown_key                    n; the next n calls to the merchant are signed by a key it was not given
response_delay_seconds         number; every SNAP answer waits so long, after the act
token_delay_seconds            number; every answer of the token service waits so long more
clock_ahead_seconds            number; the bank's clock, for what it checks and what it sends, is
                               so far ahead
deny_without_rrn               n; the notifications of the next n denials have no payment number
other_reference                n; the next answers and notifications name other references
other_merchant                 n; they name another merchant
other_amount                   n; they name another amount
other_currency                 n; they name another currency
one_rrn                        n; every payment in them has one and the same number
strict                         bool; a QR that was paid or ran out cannot be paid
deny_after_settlement_seconds  number or null; each payment is taken back by the payer's bank so
                               long after it settled
"""

from standins.faults import FaultSwitch, Kind

FAULT_SWITCHES = {
    "notification_delay_seconds": FaultSwitch(Kind.SECONDS, "Notifications are sent so much later"),
    "drop_notifications": FaultSwitch(Kind.COUNT, "Next notifications are never sent"),
    "double_notifications": FaultSwitch(Kind.COUNT, "Next notifications are sent twice at once"),
    "generate_504_after_success": FaultSwitch(
        Kind.COUNT, "Next QR is made, the answer is a time-out"
    ),
    "generate_500": FaultSwitch(Kind.COUNT, "Next QR is not made, the answer is 500"),
    "cancel_500": FaultSwitch(Kind.COUNT, "Next QR is not cancelled, the answer is 500"),
    "query_504": FaultSwitch(Kind.COUNT, "Next query is answered with a time-out"),
    "query_500": FaultSwitch(Kind.COUNT, "Next query is answered with 500"),
    "refund_504_after_success": FaultSwitch(
        Kind.COUNT, "Next refund is made, the answer is a time-out"
    ),
    "refund_500": FaultSwitch(Kind.COUNT, "Next refund is not made, the answer is 500"),
    "refuse_refunds": FaultSwitch(Kind.COUNT, "Next refunds are refused (405/01)"),
    "create_va_500": FaultSwitch(Kind.COUNT, "Next virtual account is not made, the answer is 500"),
    "create_va_504_after_success": FaultSwitch(
        Kind.COUNT, "Next virtual account is made, the answer is a time-out"
    ),
    "delete_va_500": FaultSwitch(Kind.COUNT, "Next virtual account is not deleted, answer 500"),
    "va_status_500": FaultSwitch(Kind.COUNT, "Next status of a virtual account is answered 500"),
    "va_status_504": FaultSwitch(
        Kind.COUNT, "Next status of a virtual account is answered with a time-out"
    ),
    "account_inquiry_500": FaultSwitch(Kind.COUNT, "Next inquiry of a name is answered with 500"),
    "transfer_500": FaultSwitch(Kind.COUNT, "Next transfer is not made, the answer is 500"),
    "transfer_504_after_success": FaultSwitch(
        Kind.COUNT, "Next transfer is made, the answer is a time-out"
    ),
    "refuse_transfers": FaultSwitch(Kind.COUNT, "Next transfers are refused (405/01)"),
    "transfer_status_500": FaultSwitch(Kind.COUNT, "Next status of a transfer is answered 500"),
    "transfers_pending": FaultSwitch(Kind.COUNT, "Next transfers are answered 202/00, done later"),
    "transfer_settles_after_seconds": FaultSwitch(Kind.SECONDS, "Those settle so much later"),
    "transfers_returned": FaultSwitch(Kind.COUNT, "Next transfers come back"),
    "transfer_returned_after_seconds": FaultSwitch(
        Kind.SECONDS, "Those come back so much later (0: a day)"
    ),
    "late_notifications": FaultSwitch(Kind.COUNT, "Next notifications are sent seconds later"),
    "truncate_notifications": FaultSwitch(Kind.COUNT, "Next notifications end in their middle"),
    "contradict_notifications": FaultSwitch(Kind.COUNT, "Next successes are told as failures"),
    "skew_clock": FaultSwitch(Kind.COUNT, "Next calls to the merchant are dated an hour ahead"),
    "history_line_twice": FaultSwitch(Kind.COUNT, "Next pages of history have a line twice"),
    "history_line_missing": FaultSwitch(Kind.COUNT, "Next pages of history lack a line"),
    "file_half": FaultSwitch(Kind.COUNT, "Next files end in their middle"),
    "file_line_twice": FaultSwitch(Kind.COUNT, "Next files have a line twice"),
    "file_line_missing": FaultSwitch(Kind.COUNT, "Next files lack a line"),
    "file_broken_row": FaultSwitch(Kind.COUNT, "Next files have a broken row"),
    "file_fee_rounded": FaultSwitch(Kind.COUNT, "Next files have a fee of one rupiah more"),
    "cut_off_early_seconds": FaultSwitch(
        Kind.SECONDS, "Days of settlement end so long before midnight"
    ),
    "file_other_encoding": FaultSwitch(Kind.COUNT, "Next files are in UTF-16"),
    "refunds_reversed": FaultSwitch(Kind.COUNT, "Next refunds come back"),
    "refunds_pending": FaultSwitch(Kind.COUNT, "Next refunds are answered 202/00, made later"),
    "refunds_refused_and_made": FaultSwitch(
        Kind.COUNT, "Next refunds are refused and made later all the same"
    ),
    "transfers_refused_and_made": FaultSwitch(
        Kind.COUNT, "Next transfers are refused and made later all the same"
    ),
    "made_after_seconds": FaultSwitch(Kind.SECONDS, "Those are made so much later"),
    "unknown_key": FaultSwitch(
        Kind.COUNT, "Next calls to the merchant are signed by a key it was not given"
    ),
    "response_delay_seconds": FaultSwitch(Kind.SECONDS, "Every SNAP answer comes so much later"),
    "token_delay_seconds": FaultSwitch(Kind.SECONDS, "Every token comes so much later"),
    "clock_ahead_seconds": FaultSwitch(Kind.SECONDS, "The bank's clock is so far ahead"),
    "deny_without_rrn": FaultSwitch(
        Kind.COUNT, "Next denials are told without the payment's number"
    ),
    "other_reference": FaultSwitch(
        Kind.COUNT, "Next answers and notifications name other references"
    ),
    "other_merchant": FaultSwitch(
        Kind.COUNT, "Next answers and notifications name another merchant"
    ),
    "other_amount": FaultSwitch(Kind.COUNT, "Next answers and notifications name another amount"),
    "other_currency": FaultSwitch(
        Kind.COUNT, "Next answers and notifications name another currency"
    ),
    "one_rrn": FaultSwitch(
        Kind.COUNT, "Next answers and notifications name one number for every payment"
    ),
    "strict": FaultSwitch(Kind.BOOLEAN, "A QR that was paid or ran out cannot be paid"),
    "deny_after_settlement_seconds": FaultSwitch(
        Kind.SECONDS_OR_NEVER, "Every payment is denied so long after it settled"
    ),
}
