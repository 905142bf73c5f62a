"""Personal data in webhook endpoints, messages and attempts."""

from meterai.plumbing.db.personal import Personal, PersonalTable

PERSONAL = Personal(
    recipients=("webhook",),
    tables=(
        PersonalTable(
            table="webhook_attempts",
            columns="message_id number began_at ms status failure",
            inner="account_id",
            others="answer",  # answers may contain data of other people, as the receiver wrote them
            deletes=True,
        ),
        PersonalTable(
            table="webhook_messages",
            columns="message_id endpoint_id type body state made_at delivered_at attempts",
            inner="account_id try_at tries is_aside",
            deletes=True,
        ),
        PersonalTable(
            table="webhook_endpoints",
            columns="endpoint_id url description events state why made_at moved_at",
            inner="account_id idempotency_key request_hash rotate_key failing_since failed_messages is_aside aside_since"
            " tried_at before_until",
            hidden="secret secret_before",
            deletes=True,
        ),
    ),
)
