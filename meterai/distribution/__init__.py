"""Distribution: sellers under their own name, who sell from a deposit in rupiah.

Promises of this room
  * No stock moves: a sale is the buyer's ordinary order, paid from the deposit by a rail of our own database.
  * No sale is refused for lack of stamps: a sale beyond the deposit waits visibly. It is carried out after a
    top-up, the oldest first, or ends by its due time.
  * Money of a sale that is not executed, or whose stamps are returned, goes back to the deposit.
  * Of two sales for the last rupiah, exactly one takes it.
  * A statement is exactly the legs of the book `deposits`.

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
