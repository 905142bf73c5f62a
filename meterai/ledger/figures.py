"""Queries that an assessment of an installation runs over the books: sums of money in a period."""

from meterai.plumbing.db.figures import FigureQuery, PromiseQuery, within

# Money that left the provider's account is distinguished by the reason of its entry, as for one order
# (`store.books_of_subjects`). Money in suspense belongs to no order. Payments from a deposit are not counted: that
# money was counted when the deposit was paid, and the capture and refund of a sale move the same rupiah.
MONEY = f"""
SELECT '' AS of,
       coalesce(sum(debit - credit) FILTER (WHERE book = 'bank_clearing'
           AND reason NOT IN ('refund_settled', 'payment_given_back', 'refund_reversed',
               'payment_denied', 'chargeback_won', 'money_suspended', 'settlement_booked',
               'deposit_returned', 'credit_drawn', 'credit_returned')
           AND reason !~ '^(suspense|break)_' AND {within("posted_at")}), 0)
           AS captured_rupiah,
       coalesce(sum(credit - debit) FILTER (WHERE book IN ('duty_payable', 'service_fee')
           AND reason NOT IN ('duty_paid_out', 'collector_deposited') AND {within("posted_at")}), 0) AS executed_rupiah,
       coalesce(sum(credit - debit) FILTER (WHERE book IN ('bank_clearing', 'refund_float')
           AND reason IN ('refund_settled', 'payment_given_back', 'refund_reversed', 'deposit_returned')
           AND {within("posted_at")}), 0) AS refunded_rupiah,
       coalesce(sum(credit - debit) FILTER (WHERE book = 'bank_clearing'
           AND reason IN ('payment_denied', 'chargeback_won') AND {within("posted_at")}), 0)
           AS charged_back_rupiah,
       coalesce(sum(debit - credit) FILTER (WHERE book = 'denied_loss' AND {within("posted_at")}), 0)
           AS loss_rupiah,
       coalesce(sum(credit - debit) FILTER (WHERE book IN ('buyer_funds', 'refunds_payable')
           AND reason NOT IN ('compensation_due', 'compensation_paid', 'transfer_returned')), 0)
           AS in_flight_rupiah,
       coalesce(sum(credit - debit) FILTER (WHERE book = 'deposits'), 0) AS deposits_rupiah,
       coalesce(sum(credit - debit) FILTER (WHERE book = 'suspense'), 0) AS suspense_rupiah
FROM entries JOIN legs USING (account_id, entry_id), period
WHERE unit = 'IDR' AND posted_at < ends
"""
FIGURES = (FigureQuery("money", MONEY),)
# For each order whose money moved: captured - charged back = executed + refunded + in flight, and no sum is below zero.
VISIBLE = f"""
SELECT count(*) AS asked,
       count(*) FILTER (WHERE total <> 0 OR funds < 0 OR back < 0 OR duty < 0) AS broken
FROM (
    SELECT sum(l.credit - l.debit) AS total,
           sum(l.credit - l.debit) FILTER (WHERE l.book = 'buyer_funds') AS funds,
           sum(l.credit - l.debit) FILTER (WHERE l.book = 'refunds_payable') AS back,
           sum(l.credit - l.debit) FILTER (WHERE l.book = 'duty_payable') AS duty
    FROM (SELECT DISTINCT account_id, subject FROM entries, period
          WHERE reason NOT IN ('duty_paid_out', 'collector_deposited') AND {within("posted_at")}) moved
    JOIN entries e USING (account_id, subject)
    JOIN legs l USING (account_id, entry_id), period
    WHERE l.unit = 'IDR' AND e.posted_at < ends GROUP BY account_id, subject) each_order
"""
PROMISES = (PromiseQuery(1, "rupiah_has_one_state", VISIBLE),)
