"""Claims of texts of cases: what must be so where a page says them."""

NO_CLAIMS = {
    "answer.looked_at": "of an order, as its facts are (tests/cases)",
    "answer.stamping_under_way": "of a stamping, as its facts are (tests/cases)",
}
