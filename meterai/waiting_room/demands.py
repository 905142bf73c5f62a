"""Conditions that production sets for the settings of the waiting room: none."""

UNDEMANDED = {
    "waiting_room_inside_max": (
        "more people inside make the platform slow, not wrong; the limiter protects it"
    ),
    "waiting_room_network_places": "it changes the length of a line, not the order in it",
}
