"""A copy, a cancelled erasure, an erased person, and breaches, one of which was notified and closed."""

from datetime import UTC, datetime
from uuid import UUID

from meterai.accounts import AccountService
from meterai.kit.ids import new_id
from meterai.privacy import breaches
from meterai.privacy.service import PrivacyService
from tests.support.history import History
from tests.support.shop import TESTER

AFTER = ("outages",)


def happen(history: History) -> None:
    shop = history.shop
    service, database = shop.container.of(PrivacyService), shop.container.database
    shop.do(service.ask_copy(shop.account, actor=TESTER))
    shop.do(service.ask_erasure(shop.account, actor=TESTER))
    shop.do(service.withdraw_erasure(shop.account, actor=TESTER))
    erased = shop.do(
        shop.container.of(AccountService).create(f"{new_id().hex}@example.id", actor=TESTER)
    )
    shop.do(service.ask_erasure(erased, actor=TESTER))
    shop.arrange(
        "UPDATE mails SET state = 'sent', sent_at = now(), tries = 1 WHERE state = 'queued'"
    )
    for days in (8, 1):
        times = ("asked_at", "due_at", "answered_at", "acts_at", "look_at")
        shop.arrange(
            f"UPDATE privacy_requests SET {', '.join(f'{one} = {one} - {days} * DAY' for one in times)}"
            f" WHERE account_id = '{erased}'".replace("DAY", "interval '1 day'")
        )
        shop.do(service.carry_out_erasures())
    history.names["erased"] = erased
    now = datetime.now(UTC)

    async def breach(subjects: list[UUID] | None) -> UUID:
        made, texts = new_id(), ["a", "b", "c", "d", "e", "f"]
        async with database.transaction() as tx:
            await breaches.open_breach(
                tx, made, texts, subjects, known_at=now, actor=TESTER, at=datetime.now(UTC)
            )
        return made

    async def told(made: UUID) -> None:
        async with database.transaction() as tx:
            for who in breaches.BreachRecipient:
                await breaches.tell(tx, made, who, actor=TESTER, at=datetime.now(UTC))

    async def closed(made: UUID) -> None:
        async with database.transaction() as tx:
            await breaches.close(tx, made, "", actor=TESTER, at=datetime.now(UTC))

    history.names["told.breach"] = shop.do(breach([shop.account]))
    shop.do(told(history["told.breach"]))
    shop.do(shop.container.of(breaches.Telling).tell_subjects())
    shop.do(closed(history["told.breach"]))
    history.names["open.breach"] = shop.do(breach(None))
    shop.work()
