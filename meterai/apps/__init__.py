"""The processes: web, worker, command line.  The only places that build things from config."""
