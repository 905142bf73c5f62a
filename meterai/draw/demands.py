"""Demands of production on the settings of the room: none."""

UNDEMANDED = {
    "waiting_room_drand_urls": "a relay that lies is not believed, and without one a round is carried in",
    "waiting_room_drand_chain": "whoever checks a draw is told which chain it was",
    "waiting_room_publish_seconds": "an announcement says how many; what comes later is refused",
}
