"""Corruptions of rows of webhooks, and the invariants that must find each."""

from tests.support.corrupting import corruption

CORRUPTIONS = (
    corruption(
        "a message waits where its endpoint does not",
        "UPDATE webhook_messages SET is_aside = NOT is_aside WHERE state = 'waiting'",
        "webhooks_and_messages_are_in_states_that_agree",
    ),
    corruption(
        "an endpoint is at another address of its host",
        "UPDATE webhook_endpoints SET url = url || 'x'",
        "webhook_is_what_the_trail_says",
    ),
    corruption(
        "an endpoint signs with a secret that nobody gave it",
        "UPDATE webhook_endpoints SET secret = sha256(secret)",
        "webhook_is_what_the_trail_says",
    ),
    corruption(
        "an endpoint that nobody made",
        "UPDATE webhook_endpoints SET endpoint_id = gen_random_uuid()",
        "webhook_is_what_the_trail_says",
    ),
)
