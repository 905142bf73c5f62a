"""Claims in texts of cases, each with the condition that must hold if a page shows it."""

NO_CLAIMS = {
    "answer.looked_at": "of an order, as its facts are (tests/cases)",
    "answer.stamping_under_way": "of a stamping, as its facts are (tests/cases)",
}
