"""Corruptions of rows of distribution, and the invariants that must find each."""

from tests.support.corrupting import ENTRIES, IN_THE_WORLD, corruption

DEPOSITS = "deposits_are_what_moved_them"
SOLD = "sale_is_the_order_of_its_buyer"
STAFF_SAID = "distributor_is_as_staff_said"
ONE_DEPOSIT = "account_sells_from_one_deposit"
BROUGHT = "deposit_is_what_its_order_paid"
FEES = "fees_of_sellers_are_those_of_orders"

CORRUPTIONS = (
    corruption(
        "a sale of more stamps than its order has",
        "UPDATE sales SET quantity = quantity + 1 WHERE sale_id = %(taken.sale)s",
        SOLD,
        DEPOSITS,
        ENTRIES,
    ),
    corruption(
        "a sale that the deposit did not pay",
        "UPDATE sales SET state = 'waiting', taken_at = NULL WHERE sale_id = %(taken.sale)s",
        SOLD,
        DEPOSITS,
        ENTRIES,
    ),
    corruption(
        "a sale says that the deposit paid",
        "UPDATE sales SET state = 'taken', taken_at = now() WHERE sale_id = %(waiting.sale)s",
        SOLD,
        DEPOSITS,
        ENTRIES,
    ),
    corruption(
        "a sale that was made never to have been",
        "DELETE FROM sales WHERE sale_id = %(waiting.sale)s",
        SOLD,
    ),
    corruption(
        "a deposit came back that no refund gave",
        "UPDATE deposit_returns SET amount = amount + 1",
        "deposit_that_came_back_was_a_refund",
        DEPOSITS,
        ENTRIES,
    ),
    corruption(
        "a refund of a sale is not deposit again",
        "DELETE FROM deposit_returns",
        "deposit_that_came_back_was_a_refund",
        DEPOSITS,
        ENTRIES,
    ),
    corruption(
        "a deposit has grown",
        "UPDATE balances SET posted = posted + 10000 WHERE book = 'deposits' AND account_id = %(open.distributor)s",
        DEPOSITS,
    ),
    corruption(
        "a sale waits past its time",
        "UPDATE sales SET made_at = made_at - interval '2 days', waits_until = made_at - interval '1 day'"
        " WHERE sale_id = %(waiting.sale)s",
        "sale_times_are_in_order",
    ),
    corruption(
        "a sale ended before it was made",
        "UPDATE sales SET ended_at = made_at - interval '1 hour' WHERE sale_id = %(ended.sale)s",
        "sale_times_are_in_order",
    ),
    corruption(
        "a distributor that staff closed sells",
        "UPDATE distributors SET state = 'open', closing_at = NULL WHERE account_id = %(closing.distributor)s",
        STAFF_SAID,
    ),
    corruption(
        "a distributor opened before its first deposit",
        "UPDATE distributors SET opened_at = approved_at WHERE account_id = %(open.distributor)s",
        STAFF_SAID,
    ),
    corruption(
        "a distributor that nobody approved",
        "DELETE FROM audit_events WHERE action = 'distributor_approved'",
        STAFF_SAID,
    ),
    corruption(
        "a distributor is back at its older terms",
        "UPDATE distributors d SET terms_id = (SELECT min(terms_id::text)::uuid FROM distributor_terms t"
        " WHERE t.account_id = d.account_id) WHERE account_id = %(open.distributor)s",
        STAFF_SAID,
    ),
    corruption(
        "a reseller may sell more than its distributor said",
        "UPDATE resellers SET day_rupiah = day_rupiah + 1 WHERE reseller_id = %(selling.reseller)s",
        "reseller_is_as_was_said",
    ),
    corruption(
        "a reseller whose fee stands beside an older one of its distributor",
        "UPDATE resellers SET distributor_fee = distributor_fee - 1 WHERE reseller_id = %(selling.reseller)s",
        "reseller_fees_are_of_today",
    ),
    corruption(
        "a reseller sells again that left",
        "UPDATE selling_accounts SET is_free = false WHERE account_id = %(left.reseller)s",
        ONE_DEPOSIT,
    ),
    corruption(
        "a reseller sells from the deposit of nobody who invited it",
        "UPDATE selling_accounts SET distributor_id = %(closing.distributor)s WHERE account_id = %(selling.reseller)s",
        ONE_DEPOSIT,
    ),
    corruption(
        "a distributor sells from no deposit",
        "DELETE FROM selling_accounts WHERE account_id = %(open.distributor)s",
        ONE_DEPOSIT,
    ),
    corruption(
        "an order of a deposit brought more than was paid",
        "UPDATE order_deposits SET added = added + 10000 WHERE order_id = %(open.deposit)s",
        BROUGHT,
        DEPOSITS,
        ENTRIES,
    ),
    corruption(
        "a deposit says that nothing was taken out",
        "UPDATE order_deposits SET withdrawn = 0 WHERE order_id = %(withdrawn.deposit)s",
        BROUGHT,
        DEPOSITS,
    ),
    corruption(
        "an order of a deposit that brought none",
        "DELETE FROM order_deposits WHERE order_id = %(open.deposit)s",
        BROUGHT,
        DEPOSITS,
        ENTRIES,
    ),
    corruption(
        "a seller of an order that takes more than its fee",
        "UPDATE order_sellers SET fee = fee + 1000000 WHERE order_id = %(taken.order)s",
        "order_was_sold_by_a_seller",
    ),
    corruption(
        "an order was sold later than it was placed",
        "UPDATE order_sellers SET sold_at = sold_at + interval '1 second' WHERE order_id = %(taken.order)s",
        "order_was_sold_by_a_seller",
    ),
    corruption(
        "an order of ours has a fee of a seller",
        "UPDATE orders SET seller_fee = 500 WHERE order_id = %(taken.order)s",
        "order_was_sold_by_a_seller",
        IN_THE_WORLD,
    ),
    corruption(
        "a fee was passed on for more stamps than there are",
        "UPDATE order_fees SET stamps = stamps + 1, amount = amount + 1000 WHERE order_id = %(page.order)s",
        IN_THE_WORLD,
        FEES,
        ENTRIES,
    ),
    corruption(
        "a fee that was passed on did not come to its seller",
        "DELETE FROM fee_moves WHERE order_id = %(page.order)s",
        FEES,
        DEPOSITS,
        ENTRIES,
    ),
    corruption(
        "a seller has more of a fee than was passed on",
        "UPDATE fee_moves SET amount = amount + 1, of_deposit = of_deposit + 1 WHERE order_id = %(page.order)s",
        FEES,
        DEPOSITS,
        ENTRIES,
    ),
    corruption(
        "a seller owes what nobody had back", "UPDATE seller_debts SET owed = owed + 500", FEES
    ),
)
