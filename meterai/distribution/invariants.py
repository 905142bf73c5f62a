"""Invariants of distributors, their sales and their deposits."""

from meterai.plumbing.db.invariants import AHEAD, LATE, Invariant, MailCause, Posting, waits
from meterai.plumbing.work.jobs import TRIES_MAX

POSTINGS = (
    Posting(
        ("deposit_taken",),
        """
        SELECT s.account_id, 'taken:' || s.sale_id, 'deposit_taken', s.sale_id, s.taken_at,
               ARRAY['bank_clearing', 'deposits'], ARRAY[sale_total(s.*::sales), -sale_total(s.*::sales)]
        FROM {sales} s WHERE s.taken_at IS NOT NULL
        """,
    ),
    Posting(
        ("deposit_returned",),
        """
        SELECT account_id, 'redeposited:' || refund_no, 'deposit_returned', sale_id, returned_at,
               ARRAY['bank_clearing', 'deposits'], ARRAY[-amount, amount]
        FROM {deposit_returns} r
        """,
    ),
    Posting(
        ("fee_earned", "fee_returned", "fee_collected"),
        """
        SELECT account_id, 'fee:' || order_id || ':' || number,
               CASE WHEN amount > 0 THEN 'fee_earned' WHEN amount < 0 THEN 'fee_returned' ELSE 'fee_collected' END,
               order_id, moved_at, ARRAY['bank_clearing', 'deposits', 'fees_owed'],
               ARRAY[-amount, of_deposit, amount - of_deposit]
        FROM {fee_moves} f
        """,
    ),
)

MAIL_CAUSES = (
    MailCause(
        """
        SELECT n.account_id, 'sale_offered:' || s.sale_id, 'sale_offered', NULL, NULL::timestamptz, NULL
        FROM {order_sellers*} n
        JOIN sales s ON s.account_id = n.seller_id AND s.buyer_id = n.account_id AND s.order_id = n.order_id
        UNION ALL
        -- The order of a sale may be written later.
        SELECT s.buyer_id, 'sale_offered:' || s.sale_id, 'sale_offered', NULL, NULL, NULL FROM jobs j
        JOIN sales s ON s.account_id = j.account_id AND s.sale_id = (j.facts->>'sale')::uuid WHERE j.kind = 'sale_moved'
        """
    ),
    MailCause(
        """
        SELECT account_id, 'deposit_low:' || (facts->>'at'), 'deposit_low', NULL, NULL::timestamptz, NULL
        FROM {audit_events*} e WHERE action = 'deposit_low'
        """
    ),
    MailCause(
        """
        SELECT account_id, action || ':' || subject || ':' || (facts->>'at'), action, NULL, NULL::timestamptz, NULL
        FROM {audit_events*} e WHERE action IN ('reselling_invited', 'reselling_ended')
        """
    ),
)

# The audit reads accounts in parts. Buyer and seller may be in different parts, so these tables are read whole.
INVARIANTS = (
    Invariant(
        "sale_is_the_order_of_its_buyer",
        "Every sale has its order, with the same quantity, price and seller, paid if the deposit "
        "paid; and a deposit pays no other order.",
        f"""
        SELECT s.account_id, s.sale_id, s.state, o.order_id, o.quantity, c.amount FROM {{sales}} s
        LEFT JOIN orders o ON o.account_id = s.buyer_id AND o.order_id = s.order_id
        LEFT JOIN order_sellers n ON n.account_id = s.buyer_id AND n.order_id = s.order_id
        LEFT JOIN captures c ON c.account_id = s.buyer_id AND c.attempt_id = s.attempt_id
            AND c.payment = 'wholesale:' || compact(s.account_id) || compact(s.sale_id)
        WHERE (o.quantity, o.unit_price, o.service_fee, n.seller_id)
                IS DISTINCT FROM (s.quantity, s.unit_price, s.service_fee, s.account_id)
                AND NOT {waits("s", ["sale_moved"], "sale", "s.sale_id")}
            OR (s.taken_at IS NOT NULL AND c.amount IS DISTINCT FROM sale_total(s.*::sales)
                AND NOT {waits("s", ["sale_moved"], "sale", "s.sale_id")})
            OR (s.taken_at IS NULL AND c.amount IS NOT NULL)
        UNION ALL
        -- An order without a sale was bought on the page of its seller, and paid by another rail.
        SELECT n.seller_id, NULL, NULL, n.order_id, NULL, c.amount FROM {{order_sellers}} n
        LEFT JOIN sales s ON s.account_id = n.seller_id AND s.buyer_id = n.account_id AND s.order_id = n.order_id
        LEFT JOIN payment_attempts a ON a.account_id = n.account_id AND a.subject = n.order_id
        LEFT JOIN captures c ON c.account_id = a.account_id AND c.attempt_id = a.attempt_id
        WHERE s.sale_id IS NULL AND (a.provider = 'wholesale' OR starts_with(c.payment, 'wholesale:'))
        """,
    ),
    Invariant(
        "deposit_that_came_back_was_a_refund",
        "The part of a sale that returned to the deposit is the sum of the refunds of its order "
        "by the deposit rail, and at most the amount taken.",
        """
        SELECT account_id, sale_id, refund_no, sum(amount) AS amount, sum(refunded) AS refunded FROM (
            SELECT r.account_id, r.sale_id, r.refund_no, r.amount, 0::bigint AS refunded FROM {deposit_returns} r
            UNION ALL
            SELECT s.account_id, s.sale_id, f.refund_no, 0, f.amount FROM {sales} s
            JOIN refunds f ON f.account_id = s.buyer_id AND f.attempt_id = s.attempt_id AND f.state = 'settled'
        ) sides
        GROUP BY account_id, sale_id, refund_no HAVING sum(amount) < sum(refunded)
            OR (sum(refunded) <> 0 AND sum(amount) <> sum(refunded))
        UNION ALL
        SELECT s.account_id, s.sale_id, NULL, r.amount, sale_total(s.*::sales) FROM {sales} s
        CROSS JOIN LATERAL (SELECT sum(amount) AS amount FROM {deposit_returns?} r
            WHERE r.account_id = s.account_id AND r.sale_id = s.sale_id) r
        WHERE r.amount > sale_total(s.*::sales)
        """,
    ),
    Invariant(
        "deposits_are_what_moved_them",
        "The deposit of every account is the sum of its top-ups less sales and returns, computed "
        "from orders, sales, returns and fees, not from book entries.",
        """
        SELECT account_id, sum(moved) AS moved, sum(posted) AS posted FROM (
            SELECT account_id, added - withdrawn AS moved, 0::bigint AS posted FROM {order_deposits*} d
            UNION ALL
            SELECT account_id, -sale_total(s.*::sales), 0 FROM {sales*} s WHERE taken_at IS NOT NULL
            UNION ALL
            SELECT account_id, amount, 0 FROM {deposit_returns*} r
            UNION ALL
            SELECT account_id, of_deposit, 0 FROM {fee_moves*} f
            UNION ALL
            SELECT account_id, 0, posted FROM {balances*} b WHERE book = 'deposits'
        ) sides
        GROUP BY account_id HAVING sum(moved) <> sum(posted)
        """,
    ),
    Invariant(
        "fees_of_sellers_are_those_of_orders",
        "The fees of a seller are the fees of its executed orders, at a rate agreed with staff; "
        "its debt is the sum refunded beyond its deposit.",
        f"""
        SELECT o.seller_id, o.order_id, f.number, f.amount AS passed_on, m.amount AS earned FROM {{order_fees}} f
        JOIN order_sellers o ON o.account_id = f.account_id AND o.order_id = f.order_id
        LEFT JOIN fee_moves m ON m.account_id = o.seller_id AND m.order_id = f.order_id AND m.number = f.number
        WHERE (m.buyer_id, m.stamps, m.amount) IS DISTINCT FROM (f.account_id, f.stamps, f.amount)
            AND NOT {waits("f", ["fee_passed"], "order", "f.order_id", TRIES_MAX)}
        UNION ALL
        SELECT m.account_id, m.order_id, m.number, f.amount, m.amount FROM {{fee_moves}} m
        LEFT JOIN order_fees f ON f.account_id = m.buyer_id AND f.order_id = m.order_id AND f.number = m.number
        WHERE m.order_id <> m.account_id AND f.amount IS DISTINCT FROM m.amount
        UNION ALL
        SELECT s.seller_id, s.order_id, NULL, s.fee, NULL FROM {{order_sellers}} s
        WHERE s.fee > 0 AND NOT EXISTS (SELECT 1 FROM distributor_terms t
            WHERE t.account_id = s.seller_id AND t.fee = s.fee AND t.set_at <= s.sold_at + {AHEAD})
        UNION ALL
        SELECT account_id, NULL, NULL, sum(owed), sum(moved) FROM (
            SELECT account_id, owed, 0::bigint AS moved FROM {{seller_debts*}} d
            UNION ALL
            SELECT account_id, 0, of_deposit - amount FROM {{fee_moves*}} m
        ) debts GROUP BY account_id HAVING sum(owed) <> sum(moved)
        """,
    ),
    Invariant(
        "sale_times_are_in_order",
        "The times of a sale agree with its state (waiting, paid or ended), and no sale waits "
        "longer than the limit.",
        f"""
        SELECT account_id, sale_id, state, made_at, taken_at, ended_at, waits_until FROM {{sales}} s
        WHERE made_at > now() + {AHEAD} OR taken_at < made_at OR taken_at > now() + {AHEAD}
            OR ended_at < made_at OR ended_at > now() + {AHEAD} OR waits_until <= made_at
            OR waits_until > made_at + interval '7 days'
            OR (state = 'waiting' AND waits_until < now() - {LATE})
            OR state NOT IN ('waiting', 'taken', 'ended') OR (state = 'taken') <> (taken_at IS NOT NULL)
            OR (state = 'ended') <> (ended_at IS NOT NULL)
            OR (state = 'ended' AND end_cause NOT IN ('due', 'order', 'closed'))
        """,
    ),
    Invariant(
        "distributor_is_as_staff_said",
        "Every distributor was approved by staff and closed by staff, its terms are the last "
        "ones agreed with staff, and it opened with its first deposit.",
        f"""
        SELECT d.account_id, d.state, d.terms_id, d.closing_at, d.opened_at FROM {{distributors*}} d
        LEFT JOIN LATERAL (
            SELECT max(happened_at) FILTER (WHERE action = 'distributor_approved') AS approved_at,
                max(happened_at) FILTER (WHERE action IN ('distributor_approved', 'distributor_changed')) AS set_at,
                max(happened_at) FILTER (WHERE action = 'distributor_closed') AS closed_at
            FROM audit_events e WHERE e.account_id = '00000000-0000-0000-0000-000000000000'
                AND e.subject = 'acc_' || lower(compact(d.account_id))) e ON true
        LEFT JOIN {{distributor_terms*}} t ON t.account_id = d.account_id AND t.terms_id = d.terms_id
        WHERE e.approved_at IS DISTINCT FROM d.approved_at OR e.set_at IS DISTINCT FROM t.set_at
            OR e.closed_at IS DISTINCT FROM d.closing_at
            OR (d.state IN ('closing', 'closed')) <> (d.closing_at IS NOT NULL)
            OR (d.state = 'closed') <> (d.closed_at IS NOT NULL) OR d.closed_at < d.closing_at
            OR (d.state IN ('open')) AND d.opened_at IS NULL OR (d.state = 'approved' AND d.opened_at IS NOT NULL)
            OR (d.opened_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {{order_deposits*}} o
                WHERE o.account_id = d.account_id AND o.added_at <= d.opened_at))
            OR d.low_at > now() + {AHEAD} OR d.mean_rupiah < 0 OR (d.mean_at > now() + {AHEAD})
        """,
    ),
    Invariant(
        "reseller_is_as_was_said",
        "Every reseller has the state, fee and limit recorded in the audit trail of its "
        "distributor.",
        """
        SELECT r.account_id, r.reseller_id, r.state, r.fee, r.day_rupiah, r.agreed_at, r.moved_at FROM {resellers*} r
        WHERE NOT EXISTS (SELECT 1 FROM audit_events e
                WHERE e.account_id = r.account_id AND e.subject = 'acc_' || lower(compact(r.reseller_id))
                    AND e.happened_at = r.moved_at AND e.facts->>'state' = r.state)
            OR NOT EXISTS (SELECT 1 FROM audit_events e
                WHERE e.account_id = r.account_id AND e.subject = 'acc_' || lower(compact(r.reseller_id))
                    AND e.happened_at = r.agreed_at AND (e.facts->>'fee')::bigint = r.fee
                    AND (e.facts->>'day_rupiah')::bigint = r.day_rupiah)
        """,
    ),
    Invariant(
        "reseller_fees_are_of_today",
        "The distributor's fee stored beside that of a reseller is the one in the distributor's "
        "terms, and both fees together are within the bound.",
        """
        SELECT r.account_id, r.reseller_id, r.fee, r.distributor_fee, r.fees_max, t.fee FROM {resellers*} r
        JOIN distributors d ON d.account_id = r.account_id
        JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id
        WHERE r.state <> 'ended' AND (r.distributor_fee <> t.fee OR r.fee + r.distributor_fee > r.fees_max)
        """,
    ),
    # Reseller and distributor may be in different parts of the accounts, so these tables are read whole.
    Invariant(
        "account_sells_from_one_deposit",
        "A distributor sells from its own deposit, a reseller from the deposit of the one "
        "distributor that it accepted, and no other account sells from a deposit; no account is "
        "both.",
        """
        SELECT a.account_id, a.distributor_id, a.is_free FROM {selling_accounts*} a
        LEFT JOIN distributors d ON d.account_id = a.account_id
        LEFT JOIN resellers r ON r.account_id = a.distributor_id AND r.reseller_id = a.account_id
        WHERE (d.account_id IS NOT NULL) <> (a.distributor_id = a.account_id)
            OR (a.distributor_id <> a.account_id
                AND a.is_free <> (coalesce(r.state, '') NOT IN ('open', 'paused')))
        UNION ALL
        SELECT d.account_id, NULL, NULL FROM {distributors*} d
        LEFT JOIN selling_accounts a ON a.account_id = d.account_id WHERE a.account_id IS NULL
        UNION ALL
        SELECT r.reseller_id, r.account_id, NULL FROM {resellers*} r
        LEFT JOIN selling_accounts a ON a.account_id = r.reseller_id AND a.distributor_id = r.account_id
        WHERE r.state IN ('open', 'paused') AND a.account_id IS NULL
        """,
    ),
)
