"""Apps: the web process, the worker and the command line, built from the settings."""
