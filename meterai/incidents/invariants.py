"""Invariants of incidents."""

from meterai.plumbing.db.invariants import Invariant

INVARIANTS = (
    Invariant(
        "incident_states_are_their_updates",
        "An incident has the state of its last update, or was reviewed since; an incident that "
        "follows the watchers has only their updates.",
        "SELECT i.incident_id, i.state FROM incidents i LEFT JOIN LATERAL (SELECT u.state, u.at FROM incident_updates u"
        " WHERE u.incident_id = i.incident_id ORDER BY u.number DESC LIMIT 1) last ON true"
        " WHERE last.state IS NULL OR (last.state <> i.state AND NOT (last.state = 'resolved' AND i.state = 'reviewed'))"
        " OR i.is_watched AND EXISTS (SELECT 1 FROM incident_updates u"
        " WHERE u.incident_id = i.incident_id AND left(u.actor, 4) <> 'job:')",
    ),
    Invariant(
        "incident_times_never_go_back",
        "The updates of an incident are in order of time, between its beginning and its end; a "
        "review follows the end.",
        "SELECT i.incident_id, u.number FROM incidents i JOIN incident_updates u ON u.incident_id = i.incident_id"
        " LEFT JOIN incident_updates before ON before.incident_id = u.incident_id AND before.number = u.number - 1"
        " WHERE u.at < i.started_at OR u.at > i.updated_at OR u.at > i.resolved_at OR u.at < before.at"
        " OR (u.number > 1 AND before.number IS NULL) OR i.reviewed_at < i.resolved_at"
        " OR (i.resolved_at IS NOT NULL) <> (i.state IN ('resolved', 'reviewed', 'ended', 'cancelled'))",
    ),
    Invariant(
        "held_incidents_are_not_over",
        "An incident that a recovery holds has begun and is open.",
        "SELECT incident_id, held_by FROM incidents WHERE held_by <> ''"
        " AND (resolved_at IS NOT NULL OR left(held_by, 4) <> 'rcv_' OR state = 'announced')",
    ),
    Invariant(
        "no_two_open_incidents_over_one_component",
        "A component is affected by at most one incident, exactly while that incident is under "
        "way; every incident has a component.",
        "SELECT c.component, count(*) FROM incident_components c WHERE c.is_felt GROUP BY c.component HAVING count(*) > 1"
        " UNION ALL"
        " SELECT c.component, 1 FROM incident_components c LEFT JOIN incidents i ON i.incident_id = c.incident_id"
        " WHERE i.incident_id IS NULL OR c.is_felt <> (i.resolved_at IS NULL AND i.state <> 'announced')"
        " UNION ALL"
        " SELECT i.incident_id::text, 0 FROM incidents i WHERE NOT EXISTS"
        " (SELECT 1 FROM incident_components c WHERE c.incident_id = i.incident_id)",
    ),
)
