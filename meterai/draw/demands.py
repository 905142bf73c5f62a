"""Settings of draws that production accepts with any value, each with the reason."""

UNDEMANDED = {
    "waiting_room_drand_urls": (
        "the signature of a round from a relay is checked, and without a "
        "relay an operator enters the round"
    ),
    "waiting_room_drand_chain": "a draw names its chain to everybody who verifies it",
    "waiting_room_publish_seconds": (
        "an announcement states the number of seconds; a later publication is refused"
    ),
}
