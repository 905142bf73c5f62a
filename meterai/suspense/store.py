"""SQL of the suspense book, one function per question."""

_COLUMNS = (
    "item_id, source, reason, reference, payment, amount, booked, owner, state, opened_at, due_at,"
    " times_told"
)
KEEP = "SELECT suspense_keep(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) AS is_new"
RESOLVE = "SELECT suspense_resolve(%s, %s, %s, %s) AS outcome"
OPEN_ITEMS = f"""
SELECT {_COLUMNS} FROM suspense_items WHERE state = 'open' ORDER BY due_at, item_id LIMIT %s
"""  # noqa: S608 - columns are a constant
# Only what books nothing: a payment that was learned elsewhere was never in the book.
EXPLAINED = """
SELECT suspense_resolve(item_id, 'explained', 'payments', %s) FROM suspense_items
WHERE state = 'open' AND reference = %s AND booked = 0
    AND CASE reason WHEN 'amount_unreadable' THEN payment = %s
                    WHEN 'number_missing' THEN coalesce(amount, %s) = %s ELSE false END
"""
# News that a payment was given back, once that money has left the books.
GIVEN_BACK = """
SELECT suspense_resolve(item_id, 'explained', 'payments', 'in the books') FROM suspense_items
WHERE state = 'open' AND reason = 'refunded_there' AND reference = %s AND payment = %s
"""
FIGURES = """
SELECT count(*) AS open, count(*) FILTER (WHERE due_at <= now()) AS overdue,
    coalesce(extract(epoch FROM now() - min(opened_at)), 0)::double precision AS oldest_seconds,
    coalesce(sum(booked), 0)::bigint AS booked
FROM suspense_items WHERE state = 'open'
"""
