"""Distribution: organizations that sell stamps under their own name, from a deposit in rupiah.

Promises of this room
  * Sellers hold no stock of stamps. A sale is an ordinary order of the buyer. Its payment method is internal: our
    database pays it from the seller's deposit, without a provider.
  * A sale that the deposit does not cover is not refused: it waits and is shown as waiting. After a top-up the
    deposit pays waiting sales, the oldest first; a sale that waits too long ends.
  * Money of a sale that is not executed, or whose stamps are returned, goes back to the deposit.
  * If two concurrent sales need the last rupiah of a deposit, exactly one of them gets it.
  * The statement of a deposit contains exactly the legs (amounts of ledger entries) of the deposit in the book `deposits`.

Calls refunds, orders, payments, accounts, ledger.
"""

from meterai.distribution.channels import (
    DistributorFile,
    distributor_file,
    distributors,
    standings,
)
from meterai.distribution.model import (
    DISTRIBUTOR_SUBJECT,
    SALE_KIND,
    DistributorStanding,
    DistributorState,
)
from meterai.distribution.sales_page import SELLER_COOKIE
from meterai.distribution.service import DistributionService

__all__ = [
    "DISTRIBUTOR_SUBJECT",
    "SALE_KIND",
    "SELLER_COOKIE",
    "DistributionService",
    "DistributorFile",
    "DistributorStanding",
    "DistributorState",
    "distributor_file",
    "distributors",
    "standings",
]
