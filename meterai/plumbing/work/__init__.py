"""Work outside of requests: jobs, events, periodic tasks, worker pools, calls to outside machines."""
