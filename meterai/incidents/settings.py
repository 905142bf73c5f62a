"""Settings of incidents."""

import msgspec


class IncidentSettings(msgspec.Struct, frozen=True):
    """Whose word opens an incident, and who is told."""

    # A file of `[[watcher]]` tables (name, url, public_key): the processes outside whose majority is believed.
    watchers_file: str = ""
    # Where false, what the watchers agree on is a proposal to staff, and opens nothing.
    incidents_by_watch: bool = True
