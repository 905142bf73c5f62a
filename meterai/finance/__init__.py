"""Finance: the desk of a controller over the books.

Promises this room keeps
  * Each figure of a report is a sum of legs of the ledger (docs/money.md), or of what a close of a day has of them.
  * A day is closed once, after it is over and the bank's record was compared with it, and names what is unexplained.
  * A close is signed and names the one before it; no entry is posted into a closed day.
  * Nothing is paid out beyond the duty payable, and nothing counts as paid without a line of the bank statement.

Calls distribution, ledger, payments, refunds, suspense, trail, approvals.
"""

from meterai.finance.model import NO_SELLER, ChannelReport, SalesChannel
from meterai.finance.reports import ChannelsCounted, channels_counted

__all__ = ["NO_SELLER", "ChannelReport", "ChannelsCounted", "SalesChannel", "channels_counted"]
