"""Settings of the console: who reaches its pages."""

import msgspec


class ConsoleSettings(msgspec.Struct, frozen=True):
    """Networks that reach the console.  Its pages do not exist for any other network."""

    # CIDR, separated by commas or spaces.  Loopback alone: staff elsewhere come by a tunnel or a network named here.
    console_networks: str = "127.0.0.0/8, ::1/128"
    console_is_served: bool = True  # false: this web process has no console for anybody
