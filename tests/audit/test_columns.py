"""A change of any column that is neither a fact nor shown breaks an invariant that names the column."""

import re
from typing import cast

import pytest

from meterai.plumbing.db.database import Database
from tests.audit.conftest import Spoilt, bare
from tests.audit.test_facts import CHANGES
from tests.support.audits import INVARIANTS, audit
from tests.support.columns import CHECKED
from tests.support.history import History
from tests.support.rows import types

# Columns for which a small change is allowed, each with a change that is not allowed.
FAR = "{0} + interval '2 years'"
LARGE = {
    ("batches", "started_at"): "made_at - interval '1 hour'",
    ("batches", "ended_at"): "made_at - interval '1 hour'",
    ("batches", "turn_at"): "now() + interval '2 years'",
    ("cases", "answered_at"): "NULL::timestamptz",
    ("cases", "due_at"): "opened_at - interval '1 hour'",
    ("cases", "closes_at"): "now() - interval '2 hours'",
    ("cases", "closed_at"): "opened_at - interval '1 hour'",
    ("cases", "reopened_at"): "opened_at - interval '1 hour'",
    ("cases", "times_told"): "0",
    ("distributors", "opened_at"): "approved_at - interval '1 hour'",
    ("distributors", "closed_at"): "closing_at - interval '1 hour'",
    ("sales", "ended_at"): "made_at - interval '1 hour'",
    ("outages", "confirmed_at"): FAR,
    ("outages", "sealed_at"): FAR,
    ("outages", "ended_at"): FAR,
    ("accounts", "erased_at"): FAR,
    ("privacy_requests", "answered_at"): "due_at + interval '1 hour'",
    ("privacy_requests", "ended_at"): "asked_at - interval '1 hour'",
    ("privacy_requests", "look_at"): "now() - interval '2 hours'",
    ("breaches", "agency_told_at"): "NULL::timestamptz",
    ("breaches", "subjects_from"): "NULL::timestamptz",
    ("breaches", "subjects_told_at"): "NULL::timestamptz",
    ("breaches", "closed_at"): "NULL::timestamptz",
    ("captures", "denied_at"): "coalesce({0}, captured_at)",
    ("captures", "confirmed_at"): FAR,
    ("captures", "recorded_at"): FAR,
    ("refunds", "recorded_at"): FAR,
    ("chargebacks", "look_at"): "now() + interval '2 years'",
    ("chargebacks", "unheard_since"): "now()",
    ("payment_attempts", "answered_at"): "now() + interval '2 years'",
    ("payment_attempts", "unheard_since"): "now() - interval '3 days'",
    ("refunds", "unheard_since"): "now() - interval '3 days'",
    ("refunds", "wanted_at"): FAR,
    ("payees", "account_no"): "''",
    ("payees", "holder"): "''",
    ("payees", "ended_at"): "named_at - interval '1 hour'",
    ("transfers", "state"): "'accepted'",
    ("transfers", "tries"): "0",
    ("transfers", "try_at"): FAR,
    ("transfers", "look_at"): FAR,
    ("transfers", "returned_at"): "coalesce({0}, settled_at)",
    ("transfers", "recorded_at"): "now() + interval '2 years'",
    ("suspense_items", "owner"): "''",
    ("refunds", "reroute_at"): "now() + interval '2 years'",
    ("transfers", "unheard_since"): "now() - interval '3 days'",
    ("draft_files", "placements"): "'[]'::jsonb",
    ("draft_files", "state"): "'refused'",
    ("drafts", "expires_at"): "now() - interval '2 hours'",
    ("incidents", "held_by"): "'rcv_1'",
    ("incidents", "is_watched"): "NOT {0}",
    ("incidents", "state"): "'resolved'",
    ("incidents", "resolved_at"): "started_at - interval '1 hour'",
    ("incidents", "reviewed_at"): "started_at - interval '1 hour'",
    ("incidents", "updated_at"): "started_at - interval '1 hour'",
    ("incident_components", "is_felt"): "NOT {0}",
    ("claim_links", "ended_at"): "now()",
    ("jobs", "run_at"): FAR,
    ("jobs", "created_at"): FAR,
    ("jobs", "tries"): "-1",
    ("jobs", "account_id"): "gen_random_uuid()",
    ("mails", "try_at"): FAR,
    ("mails", "tries"): "0",
    ("notification_inbox", "outcome"): "NULL",
    ("orders", "closed_at"): FAR,
    ("orders", "state"): "CASE {0} WHEN 'executed' THEN 'returned' ELSE 'executed' END",
    ("payment_attempts", "leased_until"): FAR,
    ("payment_attempts", "ask_at"): "now() + interval '2 years'",
    ("payment_attempts", "cancel_at"): "now() + interval '2 years'",
    ("refunds", "tries"): "-1",
    ("refunds", "look_at"): FAR,
    ("refunds", "try_at"): FAR,
    ("sessions", "created_at"): FAR,
    ("sessions", "ended_at"): "created_at",
    ("sessions", "opened_with"): "'passkey'",
    ("api_keys", "ended_at"): "created_at",
    ("api_keys", "scopes"): "ARRAY['order.read']",
    ("passkeys", "ended_at"): "made_at",
    ("stampings", "due_at"): FAR,
    ("stampings", "leased_until"): "now() + interval '2 years'",
    ("suspense_items", "due_at"): FAR,
    ("record_days", "leased_until"): FAR,
    ("waiting_room_lines", "serving"): "0",
    ("waiting_room_lines", "next_number"): "1",
    ("waiting_room_lines", "next_serial"): "1",
    ("waiting_room_turns", "called_with"): "{0} + 1000",
    ("waiting_room_turns", "ended_at"): "admitted_at - interval '1 hour'",
    ("waiting_room_draws", "drawn_at"): FAR,
    ("waiting_room_draws", "opened_at"): FAR,
    ("waiting_room_places", "number"): "{0} + 1000",
    ("waiting_room_places", "taken_at"): FAR,
    ("waiting_room_places", "kept_at"): FAR,
    ("waiting_room_places", "told_at"): FAR,
    ("webhook_messages", "try_at"): FAR,
    ("webhook_messages", "delivered_at"): "made_at - interval '1 hour'",
    ("webhook_endpoints", "before_until"): FAR,
}
# The chain has tests of its own.
COLUMNS = [(table, column) for table, column in sorted(CHECKED) if table != "audit_points"]
WORDS = {one.name: frozenset(re.findall(r"\w+", one.query)) for one in INVARIANTS}


@pytest.mark.sample(120)
@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[".".join(one) for one in COLUMNS])
def test_changed_column_is_found(history: History, spoilt: Spoilt, table: str, column: str) -> None:
    bare(spoilt, table)
    kind = dict(types(spoilt.connection, table))[column]
    change = (LARGE.get((table, column)) or CHANGES[kind]).format(column)
    # Rows are changed one after the other, so a unique index does not stop them.
    spoilt.plant(
        f"UPDATE {table} SET {column} = {change} WHERE {column} IS DISTINCT FROM {change}", {}
    )
    asked = [one for one in INVARIANTS if {table, column} <= WORDS[one.name]]
    found = history.shop.do(audit(cast(Database, spoilt), asked))
    assert not found.holds
