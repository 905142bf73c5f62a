"""Corruptions of rows of incidents, and the invariants that must find each."""

from tests.support.corrupting import LATE, corruption

CORRUPTIONS = (
    corruption(
        "an incident that was resolved without a word",
        "UPDATE incidents SET state = 'resolved', resolved_at = updated_at, held_by = ''"
        " WHERE incident_id = %(held.incident)s;"
        " UPDATE incident_components SET is_felt = false WHERE incident_id = %(held.incident)s",
        "incident_states_are_their_updates",
    ),
    corruption(
        "a word of staff about an incident of the watch",
        "UPDATE incident_updates SET actor = 'operator:budi' WHERE incident_id = %(held.incident)s",
        "incident_states_are_their_updates",
    ),
    corruption(
        "an update from before the incident",
        "UPDATE incident_updates SET at = at - interval '1 hour' WHERE incident_id = %(over.incident)s",
        "incident_times_never_go_back",
    ),
    corruption(
        "an incident that is over and held",
        "ALTER TABLE incidents DROP CONSTRAINT incident_that_is_held_is_not_over;"
        " UPDATE incidents SET held_by = 'rcv_1' WHERE incident_id = %(over.incident)s",
        "held_incidents_are_not_over",
    ),
    corruption(
        "a component of an incident that is over, as if it were open",
        "UPDATE incident_components SET is_felt = true WHERE incident_id = %(over.incident)s",
        "no_two_open_incidents_over_one_component",
    ),
    corruption(
        "an incident over nothing",
        "DELETE FROM incident_components WHERE incident_id = %(over.incident)s",
        "no_two_open_incidents_over_one_component",
    ),
    corruption(
        "an incident is marked as over",
        "UPDATE incidents SET state = 'resolved', resolved_at = now(), updated_at = now() WHERE kind = 'incident' AND state NOT IN ('resolved', 'reviewed')",
        "incident_states_are_their_updates",
    ),
    corruption(
        "mails about an incident are never written",
        "INSERT INTO incident_mailings (update_id, incident_id) SELECT update_id, incident_id FROM incident_updates LIMIT 1;"
        " UPDATE incident_updates SET at = at - interval '2 days'",
        LATE,
    ),
)
