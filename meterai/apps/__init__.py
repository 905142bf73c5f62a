"""Apps: the processes web, worker and command line, built from configuration."""
