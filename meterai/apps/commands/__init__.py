"""Commands of the applications: they run processes, or inspect all rooms. Loaded when called."""
