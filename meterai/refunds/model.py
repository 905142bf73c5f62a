"""Types of claim links and of bank accounts that buyers name, and the refusals of this room; pure."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from meterai.kit.ids import show
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.money import Rupiah
from meterai.kit.numbers import counted
from meterai.kit.refusal import CommandRefusal, Malformed, Refusal
from meterai.kit.subjects import Subject, SubjectSort
from meterai.kit.text import one_line
from meterai.refunds.banks import DOTS, NUMBER_SHOWN, bank_name
from meterai.refunds.holders import masked

REFUND_SUBJECT = SubjectSort("refund", prefix="rfd")
ACCOUNT_CLAIM_SUBJECT = SubjectSort("account_claim", prefix="clm")

CLAIM_KIND = "clm"
HOLDER_LENGTH_MAX = 100  # characters; SNAP BI, beneficiaryAccountName
NUMBER_DIGITS = range(6, 21)  # digits of an account number at a bank in Indonesia
CONFIRMS_WITHIN_SECONDS = 1_800  # time for a buyer to confirm a name that nearly fits
# A query of a bank counts as unanswered after this time, which is longer than its calls may take.
ANSWERS_WITHIN_SECONDS = 120
_BETWEEN_DIGITS = re.compile(r"[\s.\-]")
_IN_NAMES = frozenset(" .,'`\u2019-/&()")


class OrderTakesNoMoney(CommandRefusal):
    """The order is not open, or its total is not exactly the money in suspense that is to be applied to it."""

    code = "order_takes_no_money"
    status = 409


class NothingToRefund(Refusal):
    """The order has no unused stamp."""

    code = "nothing_to_refund"
    status = 409


class AskedRefund(NamedTuple):
    """A requested refund: the number of stamps given back by this request (`given`; 0 for a repeat), the refund's id, and the
    digest of the request that began it.
    """

    given: int
    id: UUID
    request: bytes


# -- links -------------------------------------------------------------------------------------


class ClaimLinkState(StrEnum):
    """State of a link by which a buyer names a bank account."""

    OPEN = "open"
    USED = "used"  # an account was named by it
    SPENT = "spent"  # another way was taken, another link was made, or nothing waits any more


class ClaimLinkEvent(StrEnum):
    """Event in the life of a claim link."""

    USED = "used"
    SPENT = "spent"


CLAIM_LINK = Lifecycle(
    "the claim link",
    {
        (ClaimLinkState.OPEN, ClaimLinkEvent.USED): ClaimLinkState.USED,
        (ClaimLinkState.OPEN, ClaimLinkEvent.SPENT): ClaimLinkState.SPENT,
    },
)


@dataclass(frozen=True, slots=True)
class ClaimLink:
    """A mailed claim link; `refund` is a refund that had no bank account to go to when the link was made."""

    account: UUID
    id: UUID
    refund: UUID
    expires_at: datetime
    state: ClaimLinkState


class ClaimLinkWrong(Refusal):
    """The link is forged, altered or truncated."""

    code = "claim_link_wrong"
    status = 404


class ClaimLinkUsed(Refusal):
    """A bank account was named by this link before; a link can be used once."""

    code = "claim_link_used"
    status = 410


class ClaimLinkSpent(Refusal):
    """The buyer named a bank account without this link, or a newer link replaced this one."""

    code = "claim_link_spent"
    status = 410


class ClaimLinkExpired(Refusal):
    """The link has expired."""

    code = "claim_link_expired"
    status = 410


class ClaimLinkOfAnother(Refusal):
    """The link is for a buyer other than the signed-in one."""

    code = "claim_link_of_another"
    status = 403


# Refusals for a claim link that cannot be used.
CLAIM_LINK_REFUSALS = (
    ClaimLinkWrong,
    ClaimLinkUsed,
    ClaimLinkSpent,
    ClaimLinkExpired,
    ClaimLinkOfAnother,
)


class NothingWaits(Refusal):
    """No money of this buyer waits for a bank account."""

    code = "nothing_waits_for_account"
    status = 409


# -- bank accounts that buyers name ------------------------------------------------------------


class AccountClaimState(StrEnum):
    """State of a bank account that a buyer entered as the target of its refunds."""

    ASKED = "asked"  # its bank is asked for the name of the holder
    UNANSWERED = "unanswered"  # the bank could not be asked, or did not answer
    UNKNOWN = "unknown"  # the bank has no such account
    NEAR = "near"  # the name at the bank is nearly the typed name: the buyer is asked once to confirm it
    OTHER = "other"  # the bank has another name; staff may still accept the account
    HELD = "held"  # a person examines the account before it is named
    NAMED = "named"
    DECLINED = "declined"  # by a person
    OVER = "over"  # no money waited for an account any more


class AccountClaimEvent(StrEnum):
    """Event in the life of an account claim."""

    ASKED_AGAIN = "asked_again"  # queried again with the same key, after the bank or our process gave no answer
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"
    NEAR = "near"
    OTHER = "other"
    HELD = "held"
    NAMED = "named"
    DECLINED = "declined"
    OVER = "over"


_S, _E = AccountClaimState, AccountClaimEvent
ACCOUNT_CLAIM = Lifecycle(
    "the account claim",
    {
        (_S.ASKED, _E.ASKED_AGAIN): _S.ASKED,
        (_S.UNANSWERED, _E.ASKED_AGAIN): _S.ASKED,
        (_S.ASKED, _E.UNANSWERED): _S.UNANSWERED,
        (_S.ASKED, _E.UNKNOWN): _S.UNKNOWN,
        (_S.ASKED, _E.NEAR): _S.NEAR,
        (_S.ASKED, _E.OTHER): _S.OTHER,
        (_S.ASKED, _E.HELD): _S.HELD,
        (_S.ASKED, _E.NAMED): _S.NAMED,
        (_S.ASKED, _E.OVER): _S.OVER,
        (_S.NEAR, _E.HELD): _S.HELD,
        (_S.NEAR, _E.NAMED): _S.NAMED,
        (_S.NEAR, _E.OVER): _S.OVER,
        (_S.OTHER, _E.NAMED): _S.NAMED,
        (_S.OTHER, _E.DECLINED): _S.DECLINED,
        (_S.HELD, _E.NAMED): _S.NAMED,
        (_S.HELD, _E.DECLINED): _S.DECLINED,
    },
    reopens={AccountClaimEvent.ASKED_AGAIN},
)


class HeldFor(StrEnum):
    """Reason why a member of staff must examine a bank account before money is sent to it."""

    MANY_BUYERS = "many_buyers"  # several buyers named the account lately
    LARGE_SUM = "large_sum"
    ORGANIZATION = "organization"  # the name at the bank differs from that of the organization


@dataclass(frozen=True, slots=True)
class WantedAccount:
    """A typed bank account whose parts have a valid form."""

    bank_code: str
    account_no: str
    holder: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the typed account, by which a repeated request is recognised."""
        told = f"{self.bank_code}\n{self.account_no}\n{self.holder}"
        return hashlib.sha256(told.encode()).digest()


@dataclass(frozen=True, slots=True)
class AccountClaim:
    """A bank account that a buyer entered as the target of its refunds, with the state of its examination."""

    account: UUID
    id: UUID
    request: bytes
    link: UUID | None
    asked_at: datetime
    state: AccountClaimState
    bank_code: str
    account_no: str
    typed: str
    confirmed: str
    held_for: str
    decided_at: datetime | None

    @property
    def shown(self) -> str:
        """The id of the claim as people see it (`clm_...`)."""
        return show(CLAIM_KIND, self.id)

    @property
    def subject(self) -> Subject:
        """The claim as the subject of a timeline."""
        return Subject(ACCOUNT_CLAIM_SUBJECT.kind, self.shown, self.account)

    @property
    def bank(self) -> str:
        """The name of the bank; its code if the name is unknown."""
        return bank_name(self.bank_code) or self.bank_code

    @property
    def number_shown(self) -> str:
        """The account number as shown to people: dots and the last digits."""
        return DOTS + self.account_no[-NUMBER_SHOWN:]

    @property
    def holder_shown(self) -> str:
        """The name of the holder that the bank confirmed, masked."""
        return masked(self.confirmed)

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the buyer's account id and the bank account, for the audit trail.

        The id is included so that nobody finds the bank account by hashing all account numbers.
        """
        told = f"{self.bank_code}\n{self.account_no}\n{self.confirmed}"
        return hashlib.sha256(self.account.bytes + told.encode()).hexdigest()


class AccountNotFitting(Refusal):
    """The bank has no such account, or the holder's name at the bank is not the typed one; the refusal does not say which of
    the two is the case.
    """

    code = "account_not_fitting"
    status = 422


class AccountUnanswered(Refusal):
    """The bank was not reached, or did not answer the query for the name of the holder."""

    code = "account_unanswered"
    status = 503
    retry_after_seconds = 60


class HolderNear(Refusal):
    """The name at the bank is nearly the typed name: the buyer is asked once to confirm it."""

    code = "account_holder_near"
    status = 409

    def __init__(self, claim: str, holder: str) -> None:
        super().__init__("the names are similar")
        self.claim = claim
        self.holder = holder


class AccountClaimOver(Refusal):
    """The account claim cannot be confirmed any more: it was decided before, or the time to confirm it has passed."""

    code = "account_claim_over"
    status = 409


class AccountWaitsForPerson(Refusal):
    """A member of staff examines a bank account that this buyer typed; the buyer cannot name another account before the
    decision.
    """

    code = "account_waits_for_person"
    status = 409


def refused_as(claim: AccountClaim, state: AccountClaimState) -> Refusal:
    """Return the refusal that tells the buyer the state of an account claim. It is for a claim whose bank account is neither
    accepted for refunds nor held for a decision by staff.
    """
    match state:
        case AccountClaimState.NEAR:
            return HolderNear(claim.shown, claim.holder_shown)
        case AccountClaimState.OTHER | AccountClaimState.UNKNOWN | AccountClaimState.DECLINED:
            return AccountNotFitting("the number and the name of the account do not match")
        case AccountClaimState.OVER:
            return NothingWaits("no refund waits any more")
        case _:
            return AccountUnanswered("the bank did not answer")


class AccountTriesSpent(Refusal):
    """A buyer has used up its tries to name a bank account within a day."""

    code = "account_tries_spent"
    status = 429
    quota = ("accounts_named", "tries_max")
    retry_after_seconds = 3_600

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} tries in a day are the limit")
        self.tries_max = most


class AccountTriesOfNetworkSpent(Refusal):
    """An IP network has used up its tries to name bank accounts within an hour."""

    code = "account_tries_of_network_spent"
    status = 429
    quota = ("accounts_named_of_network", "")
    retry_after_seconds = 3_600  # time after which all tries of the network are available again


class AccountTriesOfAllSpent(Refusal):
    """All buyers together have used up the tries to name bank accounts within an hour."""

    code = "account_tries_of_all_spent"
    status = 503
    retry_after_seconds = 600


def wanted_account(bank: str, number: str, holder: str) -> WantedAccount:
    """Parse a typed bank account.  Refuses `Malformed`, which names the wrong field."""
    code = bank.strip()
    if bank_name(code) is None:
        raise Malformed("bank_code", "known_bank")
    digits = _BETWEEN_DIGITS.sub("", number)
    if len(digits) not in NUMBER_DIGITS or counted(digits, NUMBER_DIGITS.stop) is None:
        least, most = NUMBER_DIGITS.start, NUMBER_DIGITS.stop - 1
        raise Malformed("account_no", "account_number", digits_min=least, digits_max=most)
    name = one_line(holder[: HOLDER_LENGTH_MAX * 4])
    if not 1 <= len(name) <= HOLDER_LENGTH_MAX or not _is_name(name):
        raise Malformed("holder", "holder_name", length_max=HOLDER_LENGTH_MAX)
    return WantedAccount(code, digits, name)


def _is_name(name: str) -> bool:
    is_written = all(
        letter in _IN_NAMES or unicodedata.category(letter)[0] in "LMN" for letter in name
    )
    return is_written and any(map(str.isalpha, name))


@dataclass(frozen=True, slots=True)
class CompensationTerms:
    """Terms of the compensation for late refunds, in rupiah."""

    per_day: int
    most: int  # for one refund in all

    @property
    def days_max(self) -> int:
        """Days until the compensation of a refund reaches its maximum."""
        return -(-self.most // self.per_day) if self.per_day else 0

    def for_day(self, day: int) -> Rupiah:
        """Compensation for the whole day with this number past the due time, counted from 1; 0 once the maximum is reached."""
        return Rupiah(max(0, min(self.per_day, self.most - (day - 1) * self.per_day)))
