"""Corruptions of rows of recoveries, and the invariants that must find each."""

from tests.support.corrupting import corruption

CORRUPTIONS = (
    corruption(
        "a recovery is at a step that it did not take",
        "UPDATE recoveries SET state = 'buying', ended_at = NULL",
        "recovery_is_where_its_steps_led",
        "recovery_under_way_holds_its_incident",
    ),
    corruption(
        "a step of a recovery is left out",
        "DELETE FROM recovery_steps WHERE number = 2",
        "recovery_steps_follow_the_way",
        "recovery_is_where_its_steps_led",
    ),
    corruption(
        "a step of a recovery that is not in the trail",
        "DELETE FROM audit_events WHERE action = 'recovery_next'",
        "recovery_moves_are_in_the_trail",
    ),
    corruption(
        "an incident is held by a recovery that has ended",
        "UPDATE incidents i SET held_by = 'rcv_' || lower(compact(r.recovery_id)) FROM recoveries r"
        " WHERE i.incident_id = r.incident_id",
        "recovery_under_way_holds_its_incident",
    ),
)
