"""Settings of incidents."""

import msgspec

from meterai.plumbing.config import Positive


class IncidentSettings(msgspec.Struct, frozen=True):
    """The watchers that may open an incident, and bounds of subscriptions."""

    # A file of `[[watcher]]` tables (name, url, public_key): the processes outside whose majority is believed.
    watchers_file: str = ""
    # If false, the state that the watchers agree on is a proposal to staff and opens nothing.
    incidents_by_watch: bool = True
    # Mails that ask for a confirmation: of one network in one web process, and of the whole installation.  A carrier's
    # phones share an address, and in an incident many subscribe.
    subscriptions_per_hour_per_network_max: Positive = 30
    subscriptions_per_hour_max: Positive = 5_000
