"""Settings of the waiting room that production accepts with any value, each with the reason."""

UNDEMANDED = {
    "waiting_room_inside_max": (
        "more people inside make the platform slow, not wrong; the limiter protects it"
    ),
    "waiting_room_network_places": "it changes the length of a line, not the order in it",
}
