"""Demands of production on the settings of the room: none."""

UNDEMANDED = {
    "waiting_room_inside_max": "more people inside make the platform slow, not wrong; the limiter holds",
    "waiting_room_network_places": "a line is longer or shorter, and nobody is served out of order",
}
