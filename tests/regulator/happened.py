"""A day that was reported to the supervisor, in a closed month.

The books are tested in `tests/regulator`.
"""

import hashlib
from datetime import date

from meterai.kit.days import Month
from meterai.ledger import Sums
from meterai.regulator import store as supervised
from meterai.regulator.extracts import ExtractManifest, packed
from meterai.regulator.service import StatementService, close
from tests.support.history import History
from tests.support.shop import TESTER


def end(history: History) -> None:
    shop, day = history.shop, date(2025, 3, 31)
    sums = Sums(
        [("stamps_issued", "duty_payable", 1, 10_000), ("stamps_issued", "buyer_funds", 1, -10_000)]
    )
    content = packed([b"{}"])
    manifest = ExtractManifest(day, 1, len(content), hashlib.sha256(content).digest(), sums, {}, "")
    signer = shop.container.of(StatementService).signer
    text = manifest.signed(signer, by="https://meterai.example", specimen=True)

    async def keep() -> None:
        async with shop.container.database.transaction() as tx:
            await supervised.insert_part(tx, day, 0, content)
            await supervised.insert_extract(tx, manifest, text)
            await close(tx, Month.of(day), TESTER)

    shop.do(keep())
