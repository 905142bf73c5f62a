"""What must be true of the books, as queries that name every row that breaks it."""

from meterai.plumbing.invariants import Invariant

INVARIANTS = (
    Invariant(
        "books_balance_per_unit",
        "Every entry is balanced in each unit, and has legs.",
        """
        SELECT e.account_id, e.entry_id, l.unit, sum(l.credit - l.debit) AS difference
        FROM entries e LEFT JOIN legs l USING (account_id, entry_id)
        GROUP BY e.account_id, e.entry_id, l.unit
        HAVING sum(l.credit - l.debit) IS DISTINCT FROM 0
        """,
    ),
    Invariant(
        "balances_are_the_sums_of_their_legs",
        "Every guarded balance is what its legs add up to.",
        """
        SELECT coalesce(b.account_id, l.account_id) AS account_id,
               coalesce(b.book, l.book) AS book, b.posted, l.total
        FROM balances b FULL JOIN (
            SELECT account_id, book, sum(credit - debit) AS total
            FROM legs WHERE is_guarded(book) GROUP BY account_id, book
        ) l ON l.account_id = b.account_id AND l.book = b.book
        WHERE coalesce(b.posted, 0) <> coalesce(l.total, 0)
        """,
    ),
    Invariant(
        "no_balance_below_zero",
        "No guarded balance is below zero, holds counted.",
        "SELECT account_id, book, posted, held FROM balances WHERE posted < held OR held < 0",
    ),
    Invariant(
        "held_is_the_sum_of_open_holds",
        "What a balance says is held is what its open holds add up to.",
        """
        SELECT coalesce(b.account_id, h.account_id) AS account_id,
               coalesce(b.book, h.book) AS book, b.held, h.total
        FROM balances b FULL JOIN (
            SELECT account_id, book, sum(amount) AS total
            FROM holds WHERE state = 'held' GROUP BY account_id, book
        ) h ON h.account_id = b.account_id AND h.book = b.book
        WHERE coalesce(b.held, 0) <> coalesce(h.total, 0)
        """,
    ),
)
