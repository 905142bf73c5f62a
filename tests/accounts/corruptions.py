"""Corruptions of rows of accounts, and the invariants that must find each."""

from tests.support.corrupting import MARKS, TIMES, corruption

CORRUPTIONS = (
    corruption(
        "the audit trail is empty",
        "DELETE FROM audit_events",
        "session_and_key_are_in_the_trail",
        "asked_refund_is_in_the_trail",
    ),
    corruption(
        "sign-up was closed by nobody",
        "UPDATE sign_up SET is_open = false, changed_at = now()",
        "sign_up_was_changed_in_the_trail",
    ),
    corruption(
        "there is no row of sign_up", "DELETE FROM sign_up", "sign_up_was_changed_in_the_trail"
    ),
    corruption(
        "a sign-in is not in the trail",
        "DELETE FROM audit_events WHERE action = 'signed_in'",
        "session_and_key_are_in_the_trail",
    ),
    corruption(
        "a key is not in the trail",
        "DELETE FROM audit_events WHERE action = 'api_key_made'",
        "session_and_key_are_in_the_trail",
    ),
    corruption(
        "a key made by nobody",
        "INSERT INTO api_keys (account_id, key_id, secret_hash, name)"
        " VALUES (%(account)s, gen_random_uuid(), sha256('x'), 'x')",
        "session_and_key_are_in_the_trail",
    ),
    corruption(
        "a role that nobody gave",
        "INSERT INTO memberships (account_id, membership_id, member_id, role)"
        " VALUES (%(organization)s, gen_random_uuid(), gen_random_uuid(), 'owner')",
        "role_is_in_the_trail",
    ),
    corruption(
        "an organization that nobody made",
        "INSERT INTO organizations (account_id, name) VALUES (%(account)s, 'PT Contoh')",
        "organization_is_what_the_trail_says",
    ),
    corruption(
        "an organization has another number",
        "UPDATE organizations SET npwp = '012345678901001'",
        "organization_is_what_the_trail_says",
    ),
    corruption(
        "an organization was closed by nobody",
        "UPDATE organizations SET state = 'declined'",
        "organization_is_what_the_trail_says",
    ),
    corruption(
        "an organization has no owner",
        "UPDATE memberships SET role = 'auditor' WHERE role = 'owner'",
        "organization_is_what_the_trail_says",
    ),
    corruption(
        "an organization can be signed in to",
        "UPDATE accounts SET email = 'pt@example.id' WHERE account_id = %(organization)s",
        "address_finds_its_account",
        "organization_is_what_the_trail_says",
    ),
    corruption(
        "an account lost its address",
        "UPDATE accounts SET email = NULL WHERE account_id = %(other)s",
        "address_finds_its_account",
        "trail_knows_every_address",
    ),
    corruption(
        "a limit of a member that nobody set",
        "UPDATE memberships SET stamps_per_month = 1000000 WHERE stamps_per_month IS NOT NULL",
        "member_limit_is_in_the_trail",
    ),
    corruption(
        "an invitation goes to another address",
        "UPDATE invitations SET email = 'maling@example.id' WHERE state = 'sent'",
        "invitation_is_what_the_trail_says",
    ),
    corruption(
        "an invitation opens once more",
        "UPDATE invitations SET state = 'sent', ended_at = NULL, email = email || 'x'"
        " WHERE state = 'accepted'",
        "invitation_is_what_the_trail_says",
    ),
    corruption(
        "an invitation is gone before its time",
        "DELETE FROM invitations WHERE state = 'withdrawn'",
        "invitation_is_what_the_trail_says",
    ),
    corruption(
        "a role of the staff that nobody gave",
        "INSERT INTO staff_roles (account_id, grant_id, role)"
        " VALUES (%(account)s, gen_random_uuid(), 'operations')",
        "role_is_in_the_trail",
    ),
    corruption(
        "a session begun by nobody",
        "INSERT INTO sessions (account_id, session_id, secret_hash,"
        " expires_at) VALUES (%(other)s, gen_random_uuid(), sha256('x'), now() + interval '1 day')",
        "session_and_key_are_in_the_trail",
    ),
    corruption(
        "a session opens with another secret",
        "UPDATE sessions SET secret_hash = sha256('x')",
        "session_is_what_the_trail_says",
    ),
    corruption(
        "a session goes on",
        "UPDATE sessions SET expires_at = expires_at + interval '1 day'",
        "session_is_what_the_trail_says",
    ),
    corruption(
        "a session was ended by nobody",
        "UPDATE sessions SET ended_at = now()",
        "session_is_what_the_trail_says",
    ),
    corruption("a session is gone", "DELETE FROM sessions", "session_is_what_the_trail_says"),
    corruption(
        "a key opens with another secret",
        "UPDATE api_keys SET secret_hash = sha256('x') WHERE account_id = %(account)s",
        "api_key_is_what_the_trail_says",
    ),
    corruption(
        "a key has another name",
        "UPDATE api_keys SET name = 'x' WHERE account_id = %(account)s",
        "api_key_is_what_the_trail_says",
    ),
    corruption(
        "a key may more than it was made for",
        "UPDATE api_keys SET scopes = scopes || '{keys.manage}' WHERE scopes IS NOT NULL",
        "api_key_is_what_the_trail_says",
    ),
    corruption(
        "a key lives longer than it was made for",
        "UPDATE api_keys SET expires_at = expires_at + interval '1 day'",
        "api_key_is_what_the_trail_says",
    ),
    corruption(
        "a key replaces one that nobody replaced",
        "UPDATE api_keys SET follows = gen_random_uuid() WHERE follows IS NOT NULL",
        "replaced_key_has_its_successor",
    ),
    corruption(
        "a successor may more than the key that it replaces",
        "UPDATE api_keys SET scopes = NULL WHERE follows IS NOT NULL",
        "replaced_key_has_its_successor",
    ),
    corruption(
        "a passkey opens with another key",
        "UPDATE passkeys SET public_key = 'x' WHERE account_id = %(account)s",
        "passkey_is_what_the_trail_says",
    ),
    corruption(
        "a passkey stands for another authenticator",
        "UPDATE passkeys SET credential_id = 'x' WHERE account_id = %(account)s",
        "passkey_is_what_the_trail_says",
    ),
    corruption(
        "a passkey made by nobody",
        "INSERT INTO passkeys (account_id, passkey_id, credential_id, public_key, name, sign_count,"
        " made_at) VALUES (%(account)s, gen_random_uuid(), 'y', 'y', 'x', 0, now())",
        "passkey_is_what_the_trail_says",
    ),
    corruption(
        "a passkey was ended by nobody",
        "UPDATE passkeys SET ended_at = now()",
        "passkey_is_what_the_trail_says",
    ),
    corruption("a passkey is gone", "DELETE FROM passkeys", "passkey_is_what_the_trail_says"),
    corruption("a key is gone", "DELETE FROM api_keys", "api_key_is_what_the_trail_says"),
    corruption(
        "a key that was ended opens again",
        "INSERT INTO audit_events (account_id, actor, action, subject) SELECT account_id, 'account',"
        " 'api_key_ended', 'key_' || lower(compact(key_id)) FROM api_keys",
        "api_key_is_what_the_trail_says",
    ),
    corruption(
        "a key was ended by nobody",
        "UPDATE api_keys SET ended_at = now()",
        "api_key_is_what_the_trail_says",
    ),
    corruption(
        "an account has another address, and is found by it",
        "UPDATE email_directory SET email = 'x' || email WHERE account_id = %(account)s;"
        " UPDATE accounts SET email = 'x' || email WHERE account_id = %(account)s",
        "trail_knows_every_address",
    ),
    corruption(
        "an account is gone, and its address",
        "DELETE FROM email_directory WHERE account_id = %(other)s;"
        " DELETE FROM accounts WHERE account_id = %(other)s",
        "trail_knows_every_address",
    ),
    corruption(
        "a session for ever",
        "UPDATE sessions SET expires_at = 'infinity'",
        "times_hide_no_work",
    ),
    corruption(
        "the trail does not say who",
        "UPDATE audit_events SET actor = 'somebody' WHERE action = 'refund_asked'",
        "trail_says_who_acted",
    ),
    corruption(
        "an address finds somebody else",
        "UPDATE email_directory SET account_id = %(other)s",
        "address_finds_its_account",
    ),
    corruption(
        "an address is not found",
        "DELETE FROM email_directory WHERE account_id = %(account)s",
        "address_finds_its_account",
    ),
    corruption(
        "an account has another address",
        "UPDATE accounts SET email = 'else@example.org' WHERE account_id = %(account)s",
        "address_finds_its_account",
        "mails_are_what_their_causes_make",
    ),
    corruption(
        "a key says that its end was told",
        "UPDATE api_keys SET end_told_at = now() WHERE end_told_at IS NULL",
        MARKS,
    ),
    corruption(
        "a session ended before it began",
        "UPDATE sessions SET expires_at = created_at - interval '1 hour'",
        TIMES,
    ),
)
