"""Corruptions of rows of documents, and the invariants that must find each."""

from tests.support.corrupting import LATE, MARKS, corruption

CORRUPTIONS = (
    corruption(
        "a document is called something else",
        "UPDATE documents SET name = 'x.pdf'",
        "document_is_called_as_it_was",
    ),
    corruption(
        "the name of a document is let go before its time",
        "UPDATE documents SET name = 'dokumen.pdf', name_salt = NULL",
        "document_is_called_as_it_was",
    ),
    corruption(
        "a document is forgotten with its object there",
        "UPDATE documents SET forgotten_at = now() WHERE forgotten_at IS NULL AND account_id = %(account)s",
        MARKS,
    ),
    corruption(
        "a document is kept for ever past its time",
        "UPDATE documents SET kept_until = now() - interval '2 days' WHERE forgotten_at IS NULL",
        LATE,
    ),
)
