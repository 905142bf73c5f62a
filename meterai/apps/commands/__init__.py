"""Commands that run processes or concern all rooms. A module is loaded when its command is called."""
