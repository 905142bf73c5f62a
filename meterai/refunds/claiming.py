"""Naming of a bank account by a buyer, as the target of refunds that cannot go back to their source: on pages, by the API, or
by a mailed link.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from meterai import accounts, notifications, payments, trail
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.kit.refusal import NotFound
from meterai.payments import (
    LateRefund,
    OutcomeUnknown,
    OwedByClaim,
    PaymentService,
    ProviderRefused,
    ProviderUnreachable,
    RailNotConfigured,
    RefundPayee,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate
from meterai.plumbing.networks import Buckets, nested
from meterai.plumbing.observe.exchange import note_replay
from meterai.plumbing.work.periodic import each, run_row
from meterai.refunds import store
from meterai.refunds.banks import account_shown
from meterai.refunds.holders import NameVerdict, compare
from meterai.refunds.links import CLAIM_PATH, ClaimLinks, named_by
from meterai.refunds.model import (
    ACCOUNT_CLAIM,
    ANSWERS_WITHIN_SECONDS,
    CONFIRMS_WITHIN_SECONDS,
    AccountClaim,
    AccountClaimEvent,
    AccountClaimOver,
    AccountClaimState,
    AccountTriesOfAllSpent,
    AccountTriesOfNetworkSpent,
    AccountTriesSpent,
    AccountWaitsForPerson,
    ClaimLink,
    ClaimLinkExpired,
    ClaimLinkOfAnother,
    ClaimLinkSpent,
    ClaimLinkState,
    ClaimLinkUsed,
    ClaimLinkWrong,
    CompensationTerms,
    HeldFor,
    NothingWaits,
    WantedAccount,
)
from meterai.refunds.settings import RefundSettings

RENEW_BATCH = 100
AN_HOUR_SECONDS = 3_600.0
LATE_BATCH = 500  # refunds compensated in one run
COMPENSATING = "compensate_late_refunds"
CONFIRMED_LENGTH_MAX = 100  # characters of a holder's name; SNAP BI, beneficiaryAccountName
_log = structlog.get_logger()


class _HolderAnswer(NamedTuple):
    """A bank's answer about an account: the holder's name, and the verdict on comparing it with the typed name.

    If the bank gave no name, the verdict is None, and `silence` is the event that changes the state of the account claim.
    """

    name: str
    verdict: NameVerdict | None
    silence: AccountClaimEvent = AccountClaimEvent.UNANSWERED


class ClaimService:
    """Records bank accounts that buyers name, queries banks for the names of their holders, and mails claim links."""

    def __init__(
        self,
        database: Database,
        banks: PaymentService,
        links: ClaimLinks,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._banks = banks
        self._links = links
        self._limits = settings.of(RefundSettings)
        self._terms = CompensationTerms(
            self._limits.compensation_per_day, self._limits.compensation_max
        )
        self._clock = clock
        most = self._limits.account_tries_per_hour_per_network_max
        self._networks = Buckets(most, AN_HOUR_SECONDS)

    # -- links -----------------------------------------------------------------------------

    async def path(self, account: UUID, link: UUID) -> str:
        """Return the URL path of a claim link, for the mail that contains the link.

        If the link no longer exists, returns the path of the page on which a signed-in buyer names a bank account.
        """
        found = await self._database.once(store.claim_link, account, link)
        return f"{CLAIM_PATH}?claim={self._links.text(found)}" if found else "/refunds/account"

    async def want(self, tx: Tx, account: UUID, refund: UUID) -> None:
        """Mail a claim link if money of this buyer waits for a bank account.

        Does nothing if an earlier link can still be used, or if a person examines a bank account that the buyer typed.
        """
        await store.lock_claims(tx, account)
        owed = await waits_for_account(tx, account)
        before, now = await store.open_claim_link(tx, account), self._clock.now()
        if not owed.sum.value or (before and before.expires_at > now):
            return
        if await store.held_account_claim(
            tx, account
        ):  # mails tell the buyer that a person examines the account, and the decision
            return
        if before is not None:
            await store.end_claim_link(tx, account, None)
        link = new_id()
        until = now + timedelta(seconds=self._limits.claim_link_lives_seconds)
        await store.insert_claim_link(tx, account, link, refund, until)
        await notifications.queue(
            tx,
            account,
            cause=f"account_wanted:{link}",
            template="account_wanted",
            facts={
                "amount": str(owed.sum),
                "because": {one: await why_wanted(tx, account, owed, one) for one in LANGUAGES},
                "until": in_both_languages(until),
                "link": str(link),
            },
        )

    async def renew(self) -> int:
        """Periodic task: for each expired claim link, mail a new link if money of its buyer still waits for a bank account.
        Returns the number of expired links processed.
        """
        expired = await self._database.once(store.expired_claim_links, RENEW_BATCH)
        return await each(self._database, store.RENEWING, expired, self._renew, subject="id")

    async def _renew(self, link: ClaimLink) -> None:
        async def renew(tx: Tx) -> None:
            await self.want(tx, link.account, link.refund)
            found = await store.open_claim_link(tx, link.account)
            if found is not None and found.id == link.id:  # no money waits any more
                await store.end_claim_link(tx, link.account, None)

        await run_row(self._database, renew)

    async def compensate_late(self) -> int:
        """Periodic task: compensate each whole day that a refund is past its due time, once.  Does nothing if the
        compensation is set to 0.  Returns the number of refunds processed.
        """
        days_max = self._terms.days_max
        if not days_max:
            return 0
        late = await self._database.once(payments.late_refunds, days_max, LATE_BATCH)
        return await each(self._database, COMPENSATING, late, self._pay_for, subject="refund")

    async def _pay_for(self, late: LateRefund) -> None:
        async def pay(tx: Tx) -> None:
            for day in range(1, late.days + 1):
                sum_of_day = self._terms.for_day(day)
                await payments.compensate(tx, late.account, late.refund, day, sum_of_day)
            await self.want_for_lateness(tx, late.account, late.refund)

        await run_row(self._database, pay)

    async def want_for_lateness(self, tx: Tx, account: UUID, refund: UUID) -> None:
        """Ask the buyer for a bank account for the compensation of a late refund that is settled.

        Does nothing while the refund is open, since its compensation is then paid together with the refund.
        """
        found = await payments.refund(tx, account, refund)
        if found is not None and not found.is_open and found.due_at < self._clock.now():
            await self.want(tx, account, refund)

    async def opened(
        self, text: str, *, signed_in: frozenset[UUID] = frozenset(), asked: UUID | None = None
    ) -> UUID:
        """The buyer's account that a claim link belongs to, if the link can be used.

        text       the text of the link
        signed_in  accounts that the browser acts for; if there are any, the link must belong to one of them
        asked      id of an account claim; a used link is accepted too if that claim was made with this link

        Refuses `ClaimLinkWrong`, `ClaimLinkOfAnother`, `ClaimLinkUsed`, `ClaimLinkSpent`, `ClaimLinkExpired`.
        """
        async with self._database.reading() as tx:
            link = await self._signed(tx, text)
            if signed_in and link.account not in signed_in:
                raise ClaimLinkOfAnother("another account is signed in")
            claim = await store.account_claim(tx, link.account, asked) if asked else None
        if claim is None or claim.link != link.id:
            self._check_open(link)
        return link.account

    async def _signed(self, tx: ReadTx, text: str) -> ClaimLink:
        link = await store.claim_link(tx, *named_by(text))
        if link is None or not self._links.is_signed(link, text):
            raise ClaimLinkWrong("the link was not signed by us")
        return link

    def _check_open(self, link: ClaimLink) -> None:
        if link.state is ClaimLinkState.USED:
            raise ClaimLinkUsed("the link was already used to name an account")
        if link.state is ClaimLinkState.SPENT:
            raise ClaimLinkSpent("another link replaced this one, or nothing waits")
        if link.expires_at <= self._clock.now():
            raise ClaimLinkExpired(f"the link expired at {link.expires_at.isoformat()}")

    # -- naming ----------------------------------------------------------------------------

    async def owed(self, account: UUID) -> OwedByClaim:
        """Money of this buyer that waits until the buyer names a bank account."""
        async with self._database.reading() as tx:
            return await waits_for_account(tx, account)

    async def held(self, account: UUID) -> AccountClaim | None:
        """The newest account claim of this buyer that staff must examine; None if there is no such claim."""
        return await self._database.once(store.held_account_claim, account)

    async def why_wanted(self, account: UUID, owed: OwedByClaim, language: str) -> str:
        """Run the function `why_wanted` in a new transaction."""
        return await self._database.once(why_wanted, account, owed, language)

    async def claim(self, account: UUID, claim: UUID) -> AccountClaim:
        """The current state of an account claim.  Refuses `NotFound`."""
        found = await self._database.once(store.account_claim, account, claim)
        if found is None:
            raise NotFound("no such account was named by this buyer")
        return self._now(found)

    def _now(self, claim: AccountClaim) -> AccountClaim:
        """Return the account claim.  If the bank's answer is overdue, the claim has the state `unanswered`, since the process
        that queried the bank has died.
        """
        age = self._clock.now() - claim.asked_at
        if (
            claim.state is not AccountClaimState.ASKED
            or age.total_seconds() < ANSWERS_WITHIN_SECONDS
        ):
            return claim
        return replace(claim, state=AccountClaimState.UNANSWERED)

    async def name(
        self,
        account: UUID,
        key: str,
        wanted: WantedAccount,
        *,
        actor: Actor,
        network: str,
        link: str = "",
    ) -> AccountClaim:
        """Name a bank account as the target of a buyer's refunds, once for each idempotency key, and return its account claim.

        If the bank did not answer, a repeat with the same key queries it again.  `network` is the IP network of the request.

        Refuses `NothingWaits`, `AccountWaitsForPerson`, `AccountTriesSpent`, `AccountTriesOfNetworkSpent`,
        `AccountTriesOfAllSpent`, `IdempotencyKeyReused`. With a `link`, raises the refusals of `opened` too.
        """
        begun, is_new = await self._database.run(
            partial(
                self._begin, account=account, key=key, wanted=wanted, link=link, network=network
            )
        )
        if not is_new:
            note_replay()
            return begun
        answer = await self._ask_bank(wanted)
        return await self._run(account, partial(self._answered, begun, answer, actor))

    async def confirm(
        self, account: UUID, claim: UUID, *, actor: Actor, link: str = ""
    ) -> AccountClaim:
        """Make the bank account of a claim the target of refunds after its buyer confirmed the holder's name. This is needed if
        the holder's name at the bank differs slightly from the typed name.

        Refuses `NotFound`, `AccountClaimOver`, `AccountWaitsForPerson`. With a `link`, raises the refusals of `opened` too.
        """

        async def confirm(tx: Tx) -> AccountClaim:
            found = await store.account_claim(tx, account, claim)
            if found is None:
                raise NotFound("no such account was named by this buyer")
            if found.state in (AccountClaimState.NAMED, AccountClaimState.HELD):
                note_replay()
                return found  # a repeated request
            if link:
                self._check_open(await self._signed(tx, link))
            age = self._clock.now() - (found.decided_at or found.asked_at)
            if (
                found.state is not AccountClaimState.NEAR
                or age.total_seconds() > CONFIRMS_WITHIN_SECONDS
            ):
                raise AccountClaimOver(
                    f"the account claim is {found.state}, {age.total_seconds():.0f} s old"
                )
            await _check_not_held(tx, account)
            return await self._take(tx, found, found.confirmed, actor)

        return await self._run(account, confirm)

    async def _run(
        self, account: UUID, command: Callable[[Tx], Coroutine[Any, Any, AccountClaim]]
    ) -> AccountClaim:
        async def alone(tx: Tx) -> AccountClaim:
            await store.lock_claims(tx, account)
            return await command(tx)

        return await self._database.run(alone)

    async def _begin(
        self, tx: Tx, account: UUID, key: str, wanted: WantedAccount, link: str, network: str
    ) -> tuple[AccountClaim, bool]:
        """Return (the account claim with this idempotency key, made if there is none; True if its bank must be queried)."""
        await store.lock_claims(tx, account)
        before = await store.account_claim_by_key(tx, account, key)
        if before is not None:
            if before.request != wanted.digest:
                raise IdempotencyKeyReused("another account used this key")
            if self._now(before).state is not AccountClaimState.UNANSWERED:
                return before, False
        by: ClaimLink | None = None
        if link:
            by = await self._signed(tx, link)
            self._check_open(by)
        await _check_owed(tx, account)
        await _check_not_held(tx, account)
        most = self._limits.account_tries_per_day_max
        if await store.account_tries_of_day(tx, account) >= most:
            raise AccountTriesSpent(most)
        if await store.account_tries_of_hour(tx) >= self._limits.account_tries_per_hour_max:
            raise AccountTriesOfAllSpent("the limit of inquiries to banks in an hour is reached")
        if not self._networks.take(nested(network)):
            raise AccountTriesOfNetworkSpent(
                "the limit of accounts of a network in an hour is reached"
            )
        link_id = by.id if by else None
        if before is not None:
            state = ACCOUNT_CLAIM.after(before.state, AccountClaimEvent.ASKED_AGAIN)
            return await store.ask_account_claim_again(tx, before, state, link_id), True
        claim = new_id()
        await store.insert_account_claim(tx, account, claim, key, wanted, link_id)
        made = await store.account_claim(tx, account, claim)
        assert made is not None
        return made, True

    async def _ask_bank(self, wanted: WantedAccount) -> _HolderAnswer:
        """Query the bank for the name of the holder; a refusal or a missing answer of the bank is part of the result."""
        try:
            told = await self._banks.account_holder(wanted.bank_code, wanted.account_no)
        except ProviderRefused:
            return _HolderAnswer("", None, AccountClaimEvent.UNKNOWN)
        except (OutcomeUnknown, ProviderUnreachable, RailNotConfigured) as refusal:
            _log.info("account_unanswered", bank=wanted.bank_code, answer=str(refusal)[:200])
            return _HolderAnswer("", None)
        name = told.strip()[:CONFIRMED_LENGTH_MAX]
        return _HolderAnswer(name, compare(wanted.holder, name))

    async def _answered(
        self, begun: AccountClaim, answer: _HolderAnswer, actor: Actor, tx: Tx
    ) -> AccountClaim:
        now = await store.account_claim(tx, begun.account, begun.id)
        if now is not None and now != begun:
            return self._now(now)  # the bank was queried again before this late answer
        match answer.verdict:
            case NameVerdict.SAME:
                return await self._take(tx, begun, answer.name, actor)
            case NameVerdict.NEAR:
                return await _decide(tx, begun, AccountClaimEvent.NEAR, answer.name)
            case NameVerdict.OTHER:
                event = AccountClaimEvent.OTHER
            case _:
                event = answer.silence
        if event is not AccountClaimEvent.UNANSWERED:
            await trail.record(
                tx,
                begun.account,
                actor=actor,
                action="account_refused",
                subject=begun.shown,
                digest=begun.digest,
                why=str(event),
            )
        return await _decide(tx, begun, event, answer.name)

    async def _take(
        self, tx: Tx, claim: AccountClaim, confirmed: str, actor: Actor
    ) -> AccountClaim:
        """Use the bank account of a claim for refunds, since its holder's name was accepted; if a member of staff must examine
        the bank account first, hold the claim instead.
        """
        owed = await waits_for_account(tx, claim.account)
        if not owed.sum.value:
            return await _decide(tx, claim, AccountClaimEvent.OVER, confirmed)
        bank_account = (claim.bank_code, claim.account_no)
        await store.lock_bank_account(tx, *bank_account)
        others = await store.buyers_held(tx, claim.account, *bank_account)
        others += await payments.other_buyers_of(
            tx, claim.account, *bank_account, self._limits.account_buyers_seconds
        )
        organization = await accounts.organization_called(tx, claim.account)
        held_for = None
        if organization and compare(organization, confirmed) is NameVerdict.OTHER:
            held_for = HeldFor.ORGANIZATION
        elif others >= self._limits.account_buyers_max:
            held_for = HeldFor.MANY_BUYERS
        elif owed.sum.value > self._limits.account_rupiah_max:
            held_for = HeldFor.LARGE_SUM
        if held_for is None:
            return await name_account(tx, claim, confirmed, actor=actor)
        held = await _decide(tx, claim, AccountClaimEvent.HELD, confirmed, held_for)
        await trail.record(
            tx,
            held.account,
            actor=actor,
            action="account_held",
            subject=held.shown,
            digest=held.digest,
            why=str(held_for),
        )
        await notifications.queue(
            tx,
            held.account,
            cause=f"account_held:{held.shown}",
            template="account_held",
            facts={"amount": str(owed.sum), "bank": held.bank, "last": held.number_shown},
        )
        return held


async def waits_for_account(tx: ReadTx, account: UUID) -> OwedByClaim:
    """Money of this buyer that waits for a bank account.  If the buyer has named a bank account, compensations do not wait and
    are left out.
    """
    owed = await payments.owed_by_claim(tx, account)
    if owed.compensation.value and await payments.current_payee(tx, account):
        return replace(owed, compensation=Rupiah(0))
    return owed


async def why_wanted(tx: ReadTx, account: UUID, owed: OwedByClaim, language: str) -> str:
    """The reason for which the buyer is asked for a bank account, as the second half of a sentence in this language."""
    if refused := await payments.refused_payee(tx, account):
        shown = account_shown(refused.bank_code, refused.account_no)
        return translate("account_wanted.refused", language, account=shown)
    return translate(f"account_wanted.{'first' if owed.refunds else 'lateness'}", language)


async def name_account(
    tx: Tx, claim: AccountClaim, confirmed: str, *, actor: Actor
) -> AccountClaim:
    """Send all waiting money of a buyer to the bank account of this claim, and queue a mail to the buyer."""
    owed = await waits_for_account(tx, claim.account)
    payee = RefundPayee(claim.bank_code, claim.account_no, confirmed)
    await payments.name_payee(tx, claim.account, payee)
    named = await _decide(tx, claim, AccountClaimEvent.NAMED, confirmed)
    await store.end_claim_link(tx, named.account, named.link)
    await trail.record(
        tx,
        named.account,
        actor=actor,
        action="account_named",
        subject=named.shown,
        digest=named.digest,
        rupiah=owed.sum.value,
    )
    await notifications.queue(
        tx,
        named.account,
        cause=f"account_named:{named.shown}",
        template="account_named",
        facts={"amount": str(owed.sum), "bank": named.bank, "last": named.number_shown},
    )
    return named


async def decline(tx: Tx, claim: AccountClaim, *, actor: Actor) -> AccountClaim:
    """Decline a bank account that a buyer typed, by decision of staff; the buyer gets a mail and may name another account."""
    declined = await _decide(tx, claim, AccountClaimEvent.DECLINED, claim.confirmed)
    await trail.record(
        tx,
        declined.account,
        actor=actor,
        action="account_declined",
        subject=declined.shown,
        digest=declined.digest,
    )
    await notifications.queue(
        tx,
        declined.account,
        cause=f"account_declined:{declined.shown}",
        template="account_declined",
        facts={"bank": declined.bank, "last": declined.number_shown},
    )
    return declined


async def _decide(
    tx: Tx,
    claim: AccountClaim,
    event: AccountClaimEvent,
    confirmed: str,
    held_for: HeldFor | None = None,
) -> AccountClaim:
    state = ACCOUNT_CLAIM.after(claim.state, event)
    return await store.decide_account_claim(tx, claim, state, confirmed, held_for)


async def _check_owed(tx: ReadTx, account: UUID) -> None:
    if not (await waits_for_account(tx, account)).sum.value:
        raise NothingWaits("nothing of this buyer waits for an account")


async def _check_not_held(tx: ReadTx, account: UUID) -> None:
    if await store.has_held_claim(tx, account):
        raise AccountWaitsForPerson("staff are still checking the account named before")


def in_both_languages(at: datetime) -> dict[str, str]:
    """Return a time as text in each language, for a mail."""
    return {language: format_datetime(at, language) for language in LANGUAGES}
