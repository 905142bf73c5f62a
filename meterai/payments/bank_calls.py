"""Answers what a provider calls us for: it tells, asks for a token, asks what is to be paid, pays."""

from collections.abc import Mapping

from meterai.payments.model import NotificationForged, Said
from meterai.payments.rails import Door, DoorKind
from meterai.payments.service import PaymentService


class BankCalls:
    """Takes the calls of every door."""

    def __init__(self, payments: PaymentService) -> None:
        self._payments = payments

    async def take(
        self, rail: str, door: Door, path: str, headers: Mapping[str, str], body: bytes
    ) -> Said:
        """The answer to one call; what it brings is kept before.  Refuses `RailNotConfigured`."""
        try:
            if door.kind is DoorKind.NOTIFICATION:
                is_new_or_same = await self._payments.take_notification(rail, path, headers, body)
                status = 200 if is_new_or_same else 409
                return Said(status, door.answer(status, ""))
            raise NotImplementedError(door.kind)
        except NotificationForged as refusal:
            return Said(401, door.answer(401, str(refusal)))
