"""Personal data of the guest book."""

from meterai.plumbing.db.personal import Personal, PersonalTable

PERSONAL = Personal(
    tables=(
        PersonalTable(
            table="guests",
            columns="guest_id name welcomes entered_at",
            inner="account_id",
            deletes=True,
        ),
    ),
)
