"""Settings of the console: the networks from which its pages are reachable."""

import msgspec


class ConsoleSettings(msgspec.Struct, frozen=True):
    """Access to the console.  To networks other than `console_networks`, its pages do not exist."""

    # CIDR, separated by commas or spaces.  The default is loopback only: staff elsewhere use a
    # tunnel, or their network is added here.
    console_networks: str = "127.0.0.0/8, ::1/128"
    console_is_served: bool = True  # false: this web process does not serve the console
