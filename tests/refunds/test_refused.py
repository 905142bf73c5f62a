"""A refund that the bank refuses stands, unless a loss of its payment is still to be covered."""

from tests.support.shop import Shop


def test_a_refused_refund_of_a_payment_whose_loss_is_covered_is_tried_again(shop: Shop) -> None:
    order = shop.place(3)
    paid = shop.pay(order)
    shop.work()
    assert shop.deny(paid, 4_000) == "denied"
    shop.work()
    assert shop.rows("SELECT lost FROM chargebacks") == [{"lost": 0}], "a stamp covers it"
    shop.ask_back(order)
    shop.work()
    refunds = "SELECT refund_id, state, amount FROM refunds ORDER BY refund_id"
    before = shop.rows(refunds)
    assert before
    for refund in shop.refunds():
        shop.send(refund)
        shop.refuse(refund)
    shop.work()
    assert shop.rows(refunds) == [row | {"state": "refused"} for row in before]
    shop.assert_books_hold()
