"""Settings of the console: networks that reach its pages."""

import msgspec


class ConsoleSettings(msgspec.Struct, frozen=True):
    """Access to the console.  For other networks its pages do not exist."""

    # CIDR, separated by commas or spaces.  Loopback alone: staff elsewhere use a tunnel or a
    # network listed here.
    console_networks: str = "127.0.0.0/8, ::1/128"
    console_is_served: bool = True  # false: this web process serves no console
