"""Transfers to buyers: planning, sending, lookup at the sending bank, and balances of the float accounts."""

from functools import partial
from math import inf

import msgspec
import structlog

from meterai import suspense
from meterai.kit.backoff import pause
from meterai.kit.clock import WIB, Clock
from meterai.kit.ids import new_id
from meterai.payments import metrics
from meterai.payments.model import (
    CallNotBegun,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
    RailNotConfigured,
    RefundMade,
    RefusedForEver,
    TransferReturned,
    TransferUnderWay,
)
from meterai.payments.rails import Payouts
from meterai.payments.service import PaymentService
from meterai.payments.settings import PaymentSettings
from meterai.payments.transfers import store
from meterai.payments.transfers.model import (
    ToPlan,
    Transfer,
    TransferBank,
    TransferLimits,
    TransferState,
    TransferWait,
    limits_of,
    source_for,
    transfer_number,
)
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.work.periodic import each

BATCH = 20  # concurrent calls to banks in one run
PLANNED_BATCH = 500
TOLD_BATCH = 10_000  # refunds in which one run records the reason of their wait
TRY_SECONDS_MAX = 300.0  # longest pause between two tries
PUT_OFF_SECONDS = 10.0  # until a bank that was not reached is tried again
LOOK_AGAIN_SECONDS = 3_600.0  # until a transfer that could not be queried is queried again
# Two queries (one for each transfer service), the transfer, and the two queries again.
CALLS_PER_TRY_MAX = 5
LEASE_MARGIN_SECONDS = 4.0  # for our own work between the calls, and to record the outcome
LATE_SECONDS = 86_400.0  # a transfer that a bank made is in its record within a day
REMARK = "Pengembalian e-Meterai"  # text on the buyer's bank statement
_log = structlog.get_logger()


def transfer_lease_seconds(call_seconds: float) -> float:
    """Duration in seconds of the lease taken for one try of a transfer: longer than all calls of the try, each of which takes
    at most `call_seconds`.
    """
    return CALLS_PER_TRY_MAX * call_seconds + LEASE_MARGIN_SECONDS


async def _known(payouts: Payouts, transfer: Transfer) -> RefundMade | None:
    """Query a transfer; None if the bank does not have it.

    Refuses `OutcomeUnknown` for an unclear answer, so that the transfer is neither sent again nor ended.
    """
    try:
        return await payouts.transferred(transfer.number)
    except RefusedForEver:
        raise
    except ProviderRefused as refusal:
        raise OutcomeUnknown(
            f"the bank does not say whether it was carried out: {refusal}"
        ) from None


class TransferSender:
    """Periodic tasks that plan, send and look up transfers, and query the balances of float accounts."""

    def __init__(
        self, database: Database, payments: PaymentService, settings: PaymentSettings, clock: Clock
    ) -> None:
        self._database = database
        self._payments = payments
        self._settings = settings
        self._clock = clock
        self._lease_seconds = transfer_lease_seconds(payments.rails.call_seconds_max)

    # -- planning --------------------------------------------------------------------------

    async def plan(self) -> int:
        """Periodic task: plan transfers of waiting money to bank accounts of buyers, within the limits and balances of the
        banks; returns how many buyers were processed.
        """
        rails = await self._payments.look_at_rails()
        if not rails.has_payouts:
            return 0
        good = [name for name in rails.payouts() if rails.is_good(name)]
        sources = await self._sources(good)
        # If the bank of a planned transfer cannot send it, the transfer is voided, so that its money is planned again.
        away = [name for name in rails.payouts() if name not in good]
        away += [one.provider for one in sources if one.free is not None and one.free < 0]
        if away:
            await self._database.once(store.void_planned, away, PLANNED_BATCH)
        wanted = await self._database.once(
            store.to_plan,
            self._settings.transfer_small_rupiah,
            self._settings.transfer_pools_seconds,
            limits_of(sources).most,
            PLANNED_BATCH,
        )
        return await each(
            self._database,
            store.PLANNING,
            wanted,
            partial(self._plan, sources=sources),
            subject="account",
            at_once=1,  # one after another, since each changes what the banks can still send
        )

    async def _sources(self, names: list[str]) -> list[TransferBank]:
        """The banks of these names, with the rupiah that each can send now."""
        payouts, now = self._payments.rails.payouts(), self._clock.now().astimezone(WIB)
        begins = now.replace(hour=0, minute=0, second=0, microsecond=0)
        left = {one.provider: one for one in await self._database.once(store.left, names, begins)}
        return [
            TransferBank(
                provider=name,
                bank=payouts[name].bank,
                rupiah_max=payouts[name].rupiah_max,
                day_left=payouts[name].rupiah_day_max - left[name].of_day,
                free=left[name].free,
            )
            for name in names
        ]

    async def _plan(self, wanted: ToPlan, sources: list[TransferBank]) -> None:
        source = source_for(wanted, sources)
        if source is None:
            return  # transfers planned before used up what banks can send: the next run of `weigh` records the reason
        transfer = new_id()
        number = transfer_number(wanted.account, transfer)
        planned = await self._database.once(
            store.plan, wanted.account, transfer, number, source.provider, source.most
        )
        source.take(planned.value)
        _log.info("transfer_planned", number=number, rupiah=planned.value, bank=source.provider)

    # -- sending ---------------------------------------------------------------------------

    async def send_due(self) -> int:
        """Periodic task: send due transfers.  A transfer that an earlier try may have sent is queried first."""
        most, away = self._payments.rails.room(BATCH)
        leased = await self._database.once(store.lease_to_send, self._lease_seconds, away, most)
        return await each(
            self._database, store.TRANSFERRING, leased, self._send, subject="id", at_once=BATCH
        )

    async def _send(self, transfer: Transfer) -> None:
        # The row of the transfer has the state 'sent' by now: after a crash here, a later run queries it by its number.
        try:
            payouts = self._payments.rails.payouts_of(transfer.provider)
            made = await self._made(payouts, transfer)
        except RefusedForEver as refusal:
            await self._refused(transfer, refusal)
        except ProviderRefused as refusal:
            # A temporary refusal: float account, limit, or hours of the bank.
            _log.warning("transfer_put_off", number=transfer.number, answer=refusal.response_code)
            await self._answered(transfer, str(refusal), TransferState.SENT)
            await self._weigh(transfer.provider)
        except ProviderUnreachable as refusal:
            seconds = refusal.seconds if isinstance(refusal, CallNotBegun) else PUT_OFF_SECONDS
            await self._not_begun(transfer, str(refusal), seconds)
        except TransferUnderWay as refusal:
            await self._answered(transfer, str(refusal), TransferState.ACCEPTED)
        except OutcomeUnknown as refusal:
            await self._answered(transfer, str(refusal), TransferState.SENT)
        except RailNotConfigured as refusal:
            await self._not_begun(transfer, str(refusal), TRY_SECONDS_MAX)
            raise
        else:
            key = (transfer.account, transfer.id)
            await self._database.once(store.settle, *key, made.provider_number)
            _log.info("transfer_settled", number=transfer.number, tries=transfer.tries)

    async def _made(self, payouts: Payouts, transfer: Transfer) -> RefundMade:
        """Send a transfer, unless an earlier try sent it.  If the bank finally refuses it, the refusal counts only if a query
        then shows that the bank does not have the transfer.
        """
        is_first = transfer.tries == 1  # this try is included
        if not is_first and (made := await _known(payouts, transfer)) is not None:
            return made
        try:
            return await payouts.transfer(
                transfer.number,
                transfer.bank_code,
                transfer.account_no,
                transfer.holder,
                transfer.amount,
                REMARK,
            )
        except RefusedForEver:
            if (made := await _known(payouts, transfer)) is None:
                raise
            return made

    async def _refused(self, transfer: Transfer, refusal: ProviderRefused) -> None:
        key = (transfer.account, transfer.id)
        state = await self._database.once(store.refuse, *key, str(refusal)[:200])
        answer = refusal.response_code
        _log.error("transfer_refused", number=transfer.number, answer=answer, state=state)

    async def _not_begun(self, transfer: Transfer, answer: str, seconds: float) -> None:
        """Record that a try to send a transfer sent nothing; the next try is after `seconds`."""
        state = TransferState.PLANNED if transfer.tries == 1 else TransferState.SENT
        await self._database.once(
            store.answered, transfer, answer[:200], state, seconds, is_begun=False
        )

    async def _answered(self, transfer: Transfer, answer: str, state: TransferState) -> None:
        seconds = pause(transfer.tries - 1, longest=TRY_SECONDS_MAX)
        await self._database.once(store.answered, transfer, answer[:200], state, seconds)

    # -- lookup ----------------------------------------------------------------------------

    async def follow(self) -> int:
        """Periodic task: query ended transfers at their bank, since a settled transfer may be returned, and a refused
        transfer may have been made all the same.
        """
        if not (most := self._payments.rails.room_of_any(BATCH)):
            return 0
        leased = await self._database.once(store.lease_to_look, self._lease_seconds, most)
        return await each(
            self._database, store.FOLLOWING, leased, self._follow, subject="id", at_once=BATCH
        )

    async def _follow(self, transfer: Transfer) -> None:
        made: RefundMade | None = None
        try:
            payouts = self._payments.rails.payouts_of(transfer.provider)
            made = await payouts.transferred(transfer.number)
        except TransferReturned as returned:
            if transfer.state is TransferState.SETTLED:
                await self._refused(transfer, returned)
        except TransferUnderWay:
            await self._database.once(store.look_later, transfer, LOOK_AGAIN_SECONDS)
            return
        except (OutcomeUnknown, ProviderUnreachable, ProviderRefused) as refusal:
            _log.info("transfer_not_known", number=transfer.number, answer=str(refusal))
            seconds = refusal.seconds if isinstance(refusal, CallNotBegun) else LOOK_AGAIN_SECONDS
            await self._database.once(store.look_later, transfer, seconds)
            return
        except RailNotConfigured:
            await self._database.once(store.look_later, transfer, LOOK_AGAIN_SECONDS)
            raise
        else:
            await self._database.run(partial(self._book, transfer=transfer, made=made))
        window_seconds = self._payments.rails.window_seconds(transfer.provider)
        await self._database.once(store.looked, transfer, window_seconds)

    async def _book(self, tx: Tx, transfer: Transfer, made: RefundMade | None) -> None:
        """Book the bank's answer to a query about an ended transfer (`made`; None if the bank does not have the transfer).

        If the bank does not have a transfer that settled more than a day ago, an item in suspense is open until the bank has
        it.
        """
        item = f"refund_not_in_record:{transfer.number}"
        if made is not None:
            if transfer.state is TransferState.REFUSED:
                await store.settle(tx, transfer.account, transfer.id, made.provider_number)
                _log.warning("transfer_made_after_all", number=transfer.number)
            await suspense.ended(tx, item, "its bank has it")
            return
        settled_at = transfer.settled_at
        if settled_at and (self._clock.now() - settled_at).total_seconds() >= LATE_SECONDS:
            await suspense.keep(
                tx,
                suspense.ProviderNews(
                    key=item,
                    source="question",
                    reason="refund_not_in_record",
                    told=msgspec.json.encode({"state": transfer.state, "bank": transfer.provider}),
                    reference=transfer.number,
                    payment=transfer.provider_number,
                    amount=transfer.amount,
                ),
            )

    # -- balances --------------------------------------------------------------------------

    async def weigh(self) -> int:
        """Periodic task: query the balance of each float account, record why no transfer is planned for waiting money, and set
        the metrics.
        """
        rails = await self._payments.look_at_rails()
        if not rails.has_payouts:
            return 0
        names = list(rails.payouts())
        await self._database.once(store.forget_others, names)
        for name in names:
            await self._weigh(name)
        sources = await self._sources([name for name in names if rails.is_good(name)])
        limits = limits_of(sources)
        await self._database.once(store.record_wait_reasons, limits, TOLD_BATCH)
        await self.show(limits)
        return 0  # no more work before the next minute

    async def _weigh(self, provider: str) -> None:
        asked_at = self._clock.now()
        try:
            rupiah = await self._payments.rails.payouts_of(provider).balance()
        except (OutcomeUnknown, ProviderUnreachable, ProviderRefused) as refusal:
            _log.info("balance_not_known", bank=provider, answer=str(refusal))
            return
        await self._database.once(store.record_balance, provider, rupiah, asked_at)

    async def show(self, limits: TransferLimits) -> None:
        """Set the metrics of the float accounts and of the money without a planned transfer; log an error if the float accounts
        may soon be empty.
        """
        async with self._database.reading() as tx:
            found, waiting = await store.floats(tx), await store.waiting(tx, limits)
        for one in found.balances:
            metrics.FLOAT.labels(provider=one.provider).set(one.free)
        rupiah = dict(waiting)
        for reason in TransferWait:
            metrics.WAITING.labels(reason=reason).set(rupiah.get(reason, 0))
        least = self._settings.float_cover_days_min
        days = found.days
        metrics.COVER.set(inf if days is None else days)
        is_short = days is not None and days < least
        metrics.SHORT.set(int(is_short))
        if is_short:
            _log.error("float_low", days=round(days or 0.0, 1), rupiah=found.free)
