"""Invariants of recoveries."""

from meterai.plumbing.db.invariants import Invariant
from meterai.recovery.model import RECOVERY, StepEvent

_MOVES = ", ".join(
    f"('{origin}', '{event}', '{target}')" for origin, event, target in RECOVERY.edges()
)
_BEGUN = f"(s.number = 1 AND s.event = '{StepEvent.STARTED}' AND s.state = 'closing')"
INVARIANTS = (
    Invariant(
        "recovery_is_where_its_steps_led",
        "A recovery has the state and time of its last step; an ended recovery has a last step "
        "that ends it.",
        "SELECT r.recovery_id, r.state, r.number, last.state AS led_to FROM recoveries r LEFT JOIN LATERAL ("
        " SELECT s.number, s.state, s.entered_at FROM recovery_steps s WHERE s.recovery_id = r.recovery_id"
        " ORDER BY s.number DESC LIMIT 1) last ON true"
        " WHERE last.number IS DISTINCT FROM r.number OR last.state <> r.state OR last.entered_at <> r.moved_at"
        " OR (r.ended_at IS NOT NULL) <> (r.state IN ('done', 'abandoned')) OR r.ended_at <> r.moved_at"
        " OR (SELECT count(*) FROM recovery_steps s WHERE s.recovery_id = r.recovery_id) <> r.number"
        " OR r.started_at <> (SELECT s.entered_at FROM recovery_steps s WHERE s.recovery_id = r.recovery_id"
        " AND s.number = 1)",
    ),
    Invariant(
        "recovery_steps_follow_the_way",
        "Each step of a recovery is allowed by the lifecycle after the step before it, and is "
        "not earlier.",
        "SELECT s.recovery_id, s.number, s.state FROM recovery_steps s LEFT JOIN recovery_steps b"
        " ON b.recovery_id = s.recovery_id AND b.number = s.number - 1"
        f" WHERE NOT ({_BEGUN} OR (b.number IS NOT NULL AND (b.state, s.event, s.state) IN ({_MOVES})))"
        " OR s.entered_at < b.entered_at",
    ),
    Invariant(
        "recovery_moves_are_in_the_trail",
        "Each step of a recovery is in the audit trail.",
        "SELECT s.recovery_id, s.number, s.event FROM recovery_steps s WHERE NOT EXISTS (SELECT 1 FROM audit_events e"
        " WHERE e.account_id = '00000000-0000-0000-0000-000000000000'"
        " AND e.subject = 'rcv_' || lower(compact(s.recovery_id)) AND e.action = 'recovery_' || s.event"
        " AND e.facts->>'number' = s.number::text AND e.facts->>'step' = s.state AND e.actor = s.actor)",
    ),
    Invariant(
        "recovery_under_way_holds_its_incident",
        "The incident of a recovery under way is held by it, and no other recovery holds an "
        "incident.",
        "SELECT r.recovery_id, i.incident_id, i.held_by FROM recoveries r JOIN incidents i"
        " ON i.incident_id = r.incident_id WHERE r.ended_at IS NULL"
        " AND i.held_by <> 'rcv_' || lower(compact(r.recovery_id)) UNION ALL"
        " SELECT NULL, i.incident_id, i.held_by FROM incidents i WHERE i.held_by <> '' AND NOT EXISTS"
        " (SELECT 1 FROM recoveries r WHERE r.ended_at IS NULL"
        " AND i.held_by = 'rcv_' || lower(compact(r.recovery_id))) UNION ALL"
        " SELECT r.recovery_id, r.incident_id, '' FROM recoveries r WHERE NOT EXISTS"
        " (SELECT 1 FROM incidents i WHERE i.incident_id = r.incident_id)",
    ),
)
