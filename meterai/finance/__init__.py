"""Finance: reports of the books, closes of days and payouts of duty, for a controller.

Promises of this room
  * Each figure of a report is a sum of legs of the ledger (docs/money.md), or of the stored sums of closed days.
  * A day is closed once, after it is over and was compared with the bank's record. The signed close of the day names the
    differences between books and record that are still unexplained.
  * The close of a day names the close of the day before. No entry is posted into a closed day.
  * No payout exceeds the duty payable, and none counts as paid without a line of the bank statement.

Calls distribution, ledger, payments, refunds, suspense, trail, approvals.
"""

from meterai.finance.model import NO_SELLER, ChannelReport, SalesChannel
from meterai.finance.reports import ChannelsCounted, channels_counted

__all__ = ["NO_SELLER", "ChannelReport", "ChannelsCounted", "SalesChannel", "channels_counted"]
