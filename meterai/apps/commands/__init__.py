"""The commands of the applications: they run processes, or look at all rooms.  Loaded when called."""
