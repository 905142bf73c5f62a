"""Settings of incidents."""

import msgspec

from meterai.plumbing.config import Positive


class IncidentSettings(msgspec.Struct, frozen=True):
    """The watchers that may open an incident, and limits of subscriptions."""

    # A file of `[[watcher]]` tables (name, url, public_key): processes outside the installation.  The states that a majority
    # of them measures are believed.
    watchers_file: str = ""
    # If false, the state that the watchers agree on is a proposal to staff and opens nothing.
    incidents_by_watch: bool = True
    # Confirmation mails an hour: for one network in one web process, and of the whole installation.  The phones of a
    # carrier share an IP address, and in an incident many people subscribe.
    subscriptions_per_hour_per_network_max: Positive = 30
    subscriptions_per_hour_max: Positive = 5_000
